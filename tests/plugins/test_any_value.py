"""No statement is stopped by a value that staging may hold, whatever put it there, and no date by another's.

A load keeps the impossible out of staging. What an earlier version of the package staged, or a person wrote, is here
written into the tables by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import jinja2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.ask import SQL, questions
from local.reference import StagedEvent, StagedSong, read_log_files, star_schema
from sparkify.loading.exceptions import DataError
from sparkify.loading.history import insert_rows
from sparkify.tables import STAR
from tests.examples import AT, Example, event, play
from tests.pipeline import Pipeline

DAY = date(2018, 11, 1)
# Before and after the day, and the first and the last that there are.
OTHERS = [date(2018, 10, 31), date(2018, 11, 2), date(1, 1, 1), date(9999, 12, 31)]
GOOD = [play(itemInSession=0), event(itemInSession=1, ts=AT + 1), play(itemInSession=2, ts=AT + 2, userId="8")]
DERIVED = tuple(table.name for table in STAR)
CHECKS = ("check_staging", "check_warehouse")

REPORT = jinja2.Environment(loader=jinja2.FileSystemLoader(SQL), autoescape=False)

BIGINTS = [2**63 - 1, -(2**63), 0, -1]
TIMES = [
    *BIGINTS,
    *(AT // 1000, AT * 1000, AT * 1_000_000, AT, AT + 1),
    *(-62_135_596_800_000, 253_402_300_799_999, 253_402_300_800_000),
    # The least and the most that a timestamp holds, in Redshift and in PostgreSQL, and what is next to them.
    *(-210_866_803_200_000, -210_866_803_200_001, 9_224_318_015_999_999, 9_223_372_036_854_775, 9_223_372_036_854_776),
    *(946_684_799_999, 946_684_800_000, 4_102_444_799_999, 4_102_444_800_000),
]
integers = st.sampled_from([None, 0, 7, 2**31 - 1, -(2**31)])
texts = st.sampled_from([None, "", " ", "Jóga", "Björk", "SO1", "1", "2018-11-01", "x';--", "\\", "é" * 8])
numbers = st.sampled_from([None, "0", "305.5", "-0.00001", "99999.99999", "-99999.99999"])
doubles = st.sampled_from([None, 0.0, -1.5, 1.7e308, -1.7e308, 5e-324])
odd_events = st.builds(
    StagedEvent,
    artist=texts,
    auth=texts,
    first_name=texts,
    gender=texts,
    item_in_session=integers,
    last_name=texts,
    length=numbers,
    level=texts,
    location=texts,
    method=texts,
    page=st.sampled_from(["NextSong", "NextSong", "Home", "", None]),
    registration=doubles,
    # No session of the good events, or one of these would be the same event.
    session_id=st.sampled_from([None, *BIGINTS]),
    song=texts,
    status=integers,
    ts=st.sampled_from([None, *TIMES]),
    user_agent=texts,
    user_id=integers,
    log_date=st.sampled_from(OTHERS),
)
odd_songs = st.builds(
    StagedSong,
    num_songs=integers,
    artist_id=texts,
    artist_latitude=doubles,
    artist_longitude=doubles,
    artist_location=texts,
    artist_name=texts,
    song_id=texts,
    title=texts,
    duration=numbers,
    year=integers,
)
identities = st.tuples(st.sampled_from([None, *BIGINTS]), integers, st.sampled_from([None, *TIMES]), integers)
# Of plays that an earlier version loaded: the warehouse holds times that Python does not.
old_times = st.sampled_from(["51018-01-18 10:00:00.796", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999", None])


def write(pipeline: Pipeline, table: str, columns: Any, rows: list[Any]) -> None:
    with pipeline.session() as warehouse:
        if rows:
            insert_rows(warehouse, table, list(columns), [list(row) for row in rows])


def run_by_hand(pipeline: Pipeline, log_date: date, only: tuple[str, ...]) -> None:
    """Run the tasks; a check may find something, and each can run."""
    for task, context in pipeline.tasks(log_date, only=only):
        try:
            task.execute(context)
        except DataError:
            assert task.task_id in CHECKS, task.task_id
        unable = [str(result) for result in getattr(task, "results", []) if result.offending is None]
        assert not unable


@settings(
    max_examples=max(1, settings().max_examples // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    events=st.lists(odd_events, min_size=1, max_size=5),
    songs=st.lists(odd_songs, max_size=4),
    queued=st.lists(identities, max_size=3),
    plays=st.lists(st.tuples(old_times, st.sampled_from(OTHERS)), max_size=2),
)
def test_a_good_date_loads_beside_any_value_and_any_value_is_looked_at(
    pipeline: Pipeline,
    count_case: Callable[[], None],
    events: list[StagedEvent],
    songs: list[StagedSong],
    queued: list[tuple[Any, ...]],
    plays: list[tuple[str | None, date]],
) -> None:
    count_case()
    pipeline.empty()
    write(pipeline, "staging_events", StagedEvent._fields, events)
    write(pipeline, "staging_songs", StagedSong._fields, songs)
    write(pipeline, "songplays_queue", ("session_id", "item_in_session", "ts", "user_id"), queued)
    write(pipeline, "users_queue", ["user_id"], [(one[3],) for one in queued if one[3] is not None])
    write(pipeline, "time_queue", ["start_time"], [(at,) for at, _ in plays if at is not None])
    old = [(f"old{n}", at, log_date) for n, (at, log_date) in enumerate(plays)]
    write(pipeline, "songplays", ("songplay_id", "start_time", "log_date"), old)
    loaded = [("staging_events", log_date, 1, 1) for log_date in {one.log_date for one in events}]
    write(pipeline, "staged_dates", ("table_name", "log_date", "files", "lines_read"), loaded)

    # The day is the first that there is of this kind: no check but those that warn has anything to say of it.
    pipeline.put_events(DAY, GOOD)
    pipeline.run(DAY)
    expected = star_schema(read_log_files(Example("", {DAY: GOOD}, {}).files()), [])
    found = [row[:4] for row in pipeline.table("songplays") if row[-1] == DAY]
    assert sorted(found) == sorted(row[:4] for row in expected.songplays)

    for log_date in OTHERS:
        run_by_hand(pipeline, log_date, (*CHECKS, *DERIVED))
    for question in questions().values():
        pipeline.rows(question.sql)
    for file in sorted((SQL / "report").glob("*.sql")):
        pipeline.rows(REPORT.get_template(f"report/{file.name}").render())
