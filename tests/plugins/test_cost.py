"""What a run of one new log date without new songs costs: statements, commits, and what they read."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlglot
from sqlglot import exp

from sparkify.tables import STAR
from tests.examples import event, play, song
from tests.pipeline import PROJECT, Pipeline
from tests.plugins.counted import Statements

DAY = date(2018, 11, 1)
NOON = 1_541_073_600_000
PAGE = PROJECT / "docs" / "architecture.md"
BEGIN, END = "| task | statements | commits |\n|---|---:|---:|\n", "\n\n"
# Of the five tables of the data contract, and what each further one may add.
MOST_STATEMENTS, MOST_COMMITS = 110, 8
MOST_MORE_STATEMENTS, MOST_MORE_COMMITS = 20, 1
CATALOGUE = ("staging_songs", "songs", "artists")
# What a day reads of them: the columns that plays are matched on, and then the rows of the songs that match.
MATCHED = {
    "songplays": {"staging_songs: song_id", "staging_songs: *, delivery of candidates"},
    "check_warehouse": {"songs: song_id", "artists: artist_id"},
}


def events_of(log_date: date) -> list[dict[str, Any]]:
    noon = NOON + 86_400_000 * (log_date - DAY).days
    plays = [play(ts=noon + number, itemInSession=number, userId=str(7 + number % 3)) for number in range(20)]
    return [*plays, event(ts=noon - 1, page="Home", itemInSession=30)]


def read_of_catalogue(sent: Sequence[str]) -> set[str]:
    """What statements read of the catalogue's tables: the columns, and of which rows unless of all."""
    found = set()
    for sql in sent:
        for table in sqlglot.parse_one(sql, read="redshift").find_all(exp.Table):
            select = table.find_ancestor(exp.Select)
            if table.name in CATALOGUE and select:
                columns = ", ".join(select.named_selects)
                of = " of candidates" if "song_id IN (SELECT song_id FROM candidates)" in select.sql() else ""
                found.add(f"{table.name}: {columns}{of}")
    return found


def run_counted(pipeline: Pipeline, statements: Statements, log_date: date) -> None:
    statements.sent.clear()
    for task, context in pipeline.tasks(log_date):
        statements.task = task.task_id
        task.execute(context)


def test_a_new_log_date_sends_few_statements_and_commits(pipeline: Pipeline, statements: Statements) -> None:
    pipeline.put({f"song_data/A/A/A/TR{number}.json": json.dumps(song(f"SO{number}")).encode() for number in (1, 2)})
    for log_date in (DAY, DAY + timedelta(1)):
        pipeline.put_events(log_date, events_of(log_date))
        run_counted(pipeline, statements, log_date)
    print("\n".join(statements.lines()))
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    table, end, after = rest.partition(END)
    counted = "\n".join(statements.lines())
    if os.environ.get("WRITE_COST"):
        table = counted
        PAGE.write_text(f"{before}{begin}{table}{end}{after}")
    assert table == counted, (
        f"{PAGE.name} says otherwise. To write it again: WRITE_COST=1 pytest tests/plugins/test_cost.py"
    )
    more = len(STAR) - 5
    assert statements.number <= MOST_STATEMENTS + more * MOST_MORE_STATEMENTS
    assert statements.all_commits <= MOST_COMMITS + more * MOST_MORE_COMMITS
    assert [len(statements.sent[task]) for task in ("songs", "artists")] == [2, 2]
    read = {task: read_of_catalogue(sent) for task, sent in statements.sent.items()}
    assert {task: found for task, found in read.items() if found} == MATCHED
