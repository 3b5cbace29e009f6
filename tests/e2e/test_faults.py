"""Each planted fault is told by `python -m local trigger`, or in the task's log if it only warns, as the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import psycopg
import pytest

from local.stack import connections, databases
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.include.faults import (
    BAD_LINE,
    DAY,
    EARLIER,
    FAULTS,
    LATER,
    MANY,
    UNMATCHED,
    documented,
    key,
    lines,
    sound_events,
    sound_files,
)

pytestmark = pytest.mark.story

BY_CHECK = {fault.check: fault for fault in FAULTS}
EVENTS = [
    f"staging_events.{name}"
    for name in (
        "identity_is_complete",
        "page_is_present",
        "play_has_a_user",
        "time_is_within_log_date",
        "field_is_known",
        "page_is_known",
        "level_is_known",
        "visitor_level_is_known",
        "method_is_known",
        "status_is_known",
    )
]
IN_LINES = [*EVENTS, "staging_events.line_was_read"]
SPOILT_WHILE_STAGED = [
    "staging_events.rows_are_lines_read",
    "staging_events.time_is_possible",
    "staging_events.file_is_small_enough",
]
# Of a ledger's or a queue's table no load is recorded, and none of songs and artists where no song is new.
LOADED_WITH = {
    "load_history": "songplays",
    "staged_dates": "staging_events",
    **dict.fromkeys(("users_queue", "songs", "artists"), "users"),
}
UNUSUAL_SONGS = [
    "staging_songs.file_was_read",
    "staging_songs.song_is_complete",
    "staging_songs.song_is_delivered_once",
    "artists.name_is_set",
]
UNUSUAL = [
    "staging_events.volume_is_usual",
    "songplays.match_rate_is_usual",
    "load_history.date_is_settled",
    *UNUSUAL_SONGS,
]
SPOILT_WHILE_LOADED = [
    fault.check for fault in FAULTS if fault.sql and fault.check not in (*SPOILT_WHILE_STAGED, *UNUSUAL)
]
# Somebody spoils a table in the load's own transaction: what is done before a run, the run would repair.
SPOILER = """
create function spoil() returns trigger language plpgsql as $body$
begin
    case new.table_name {cases} else null; end case;
    return new;
end
$body$;
create trigger spoil after insert on load_history for each row execute function spoil();
"""
SPARE = "drop function if exists spoil() cascade"


def spoiler(checks: list[str]) -> str:
    """SQL that makes each load run the faults of its table, and of those that are written with it."""
    tables: dict[str, list[str]] = {}
    for check in checks:
        written = re.search(r"\b(?:into|from|update) (\w+)", BY_CHECK[check].sql)
        assert written
        tables.setdefault(LOADED_WITH.get(written[1], written[1]), []).append(BY_CHECK[check].sql)
    return SPOILER.format(cases=" ".join(f"when '{table}' then {'; '.join(sql)};" for table, sql in tables.items()))


@pytest.fixture(scope="module")
def deliver(home: Home) -> Iterator[Callable[[dict[str, bytes]], None]]:
    """Puts files into the source bucket, from which all are taken away in the end."""
    s3, delivered = connections.s3_client(home), set[str]()

    def put(files: dict[str, bytes]) -> None:
        for name, data in files.items():
            s3.put_object(Bucket=connections.SOURCE_BUCKET, Key=name, Body=data)
            delivered.add(name)

    yield put
    for name in delivered:
        s3.delete_object(Bucket=connections.SOURCE_BUCKET, Key=name)


@pytest.fixture(scope="module")
def backing(home: Home) -> Iterator[Callable[[str], object]]:
    """Runs statements in the PostgreSQL behind the warehouse, where what spoils the tables is put in and out."""
    with psycopg.connect(databases.admin_dsn(home, databases.WAREHOUSE), autocommit=True) as connection:
        yield connection.execute
        connection.execute(SPARE)


@pytest.fixture(scope="module")
def sound(cli: CommandLine, deliver: Callable[[dict[str, bytes]], None]) -> Iterator[None]:
    """A warehouse of which no check has anything to say; it is empty again in the end."""
    deliver(sound_files())
    cli.run("trigger", str(EARLIER[0]), "--through", str(LATER), "--param", "missing_file=skip")
    assert broken_in_last_run(cli) == set()
    yield
    cli.run("trigger", "--dag", "sparkify_schema", "--param", "rebuild=public")


def broken_in_last_run(cli: CommandLine) -> set[str]:
    """The checks that did not pass in the run that was checked last."""
    said = cli.run(
        "sql",
        "select check_name from data_quality_results where not passed"
        " and run_id = (select run_id from data_quality_results order by checked_at desc limit 1)",
        "--format",
        "csv",
    )
    return set(said.split()[1:])


def files_of(checks: list[str]) -> dict[str, bytes]:
    """The files that the faults of these checks deliver."""
    return {name: data for check in checks for name, data in BY_CHECK[check].files.items()}


def paragraph(check: str) -> str:
    """What the page says that a run says of the check's fault, line by line."""
    _, _, told = documented()[check].split(" | ", 2)
    told = told.replace("\\|", "|").replace("my-bucket", connections.SOURCE_BUCKET)
    return "\n".join(re.findall(r"`([^`]+)`", told))


def trimmed(text: str) -> str:
    """The lines without what they are indented by."""
    return "\n".join(line.strip() for line in text.splitlines())


def warnings(home: Home) -> str:
    """What the checks of the run that was triggered last have warned of, in their tasks' logs."""
    logs = list((home.airflow / "logs").glob("dag_id=sparkify_daily/*/task_id=check_*/*.log"))
    latest = max(logs, key=lambda log: log.stat().st_mtime).parents[1]
    entries = [
        json.loads(line) for log in latest.glob("task_id=check_*/*.log") for line in log.read_text().splitlines()
    ]
    return trimmed("\n".join(entry["event"] for entry in entries if entry.get("level") == "warning"))


def assert_told(checks: list[str], said: str, home: Home, cli: CommandLine) -> None:
    """Each of the checks broke and no other; the errors stand in what was said, the warnings in the logs."""
    assert broken_in_last_run(cli) == set(checks)
    warned = warnings(home)
    for check in checks:
        expected = paragraph(check)
        assert expected in (warned if f"{check} (warn)" in expected else trimmed(said)), check


def test_every_fault_is_planted() -> None:
    assert sorted([*IN_LINES, *SPOILT_WHILE_STAGED, *UNUSUAL, *SPOILT_WHILE_LOADED]) == sorted(BY_CHECK)


@pytest.mark.usefixtures("sound")
def test_wrong_lines_fail_before_any_table_of_the_star_is_touched(
    cli: CommandLine, home: Home, deliver: Callable[[dict[str, bytes]], None]
) -> None:
    wrong = [event for check in EVENTS for event in BY_CHECK[check].events]
    deliver({key(DAY): lines(sound_events(DAY)) + BAD_LINE + b"\n" + lines(wrong)})
    before = cli.value("select count(*) from load_history where table_name = 'songplays'")
    said = cli.run("trigger", str(DAY), "--param", "max_bad_lines=1", "--param", "checks=all", expect=1)
    assert_told(IN_LINES, said, home, cli)
    assert f"3 of {sum(check.startswith('staging') for check in BY_CHECK)} checks failed for {DAY}" in said
    assert cli.value("select count(*) from load_history where table_name = 'songplays'") == before


@pytest.mark.usefixtures("sound")
def test_rows_spoilt_while_they_are_staged_fail(
    cli: CommandLine,
    home: Home,
    deliver: Callable[[dict[str, bytes]], None],
    backing: Callable[[str], object],
) -> None:
    deliver({key(DAY): lines(sound_events(DAY))})
    backing(spoiler(SPOILT_WHILE_STAGED))
    assert_told(SPOILT_WHILE_STAGED, cli.run("trigger", str(DAY), expect=1), home, cli)
    backing(SPARE)


@pytest.mark.usefixtures("sound")
def test_what_is_only_unusual_warns_and_does_not_fail(
    cli: CommandLine,
    home: Home,
    deliver: Callable[[dict[str, bytes]], None],
    backing: Callable[[str], object],
) -> None:
    deliver({key(DAY): lines([*sound_events(DAY, **UNMATCHED), *MANY]), **files_of(UNUSUAL_SONGS)})
    # The run takes off the queue what waits there before it.
    backing(spoiler(["load_history.date_is_settled"]))
    said = cli.run("trigger", str(DAY), "--param", "max_bad_lines=1")
    backing(SPARE)
    assert_told(UNUSUAL, said, home, cli)
    cli.run("sql", "delete from load_history where run_id = 'manual__later'")
    cli.run("sql", "delete from users_queue")


@pytest.mark.usefixtures("sound")
def test_tables_spoilt_while_they_are_loaded_fail(
    cli: CommandLine,
    home: Home,
    deliver: Callable[[dict[str, bytes]], None],
    backing: Callable[[str], object],
) -> None:
    deliver({key(DAY): lines(sound_events(DAY)), **files_of(UNUSUAL_SONGS)})
    backing(spoiler(SPOILT_WHILE_LOADED))
    said = cli.run("trigger", str(DAY), "--param", "checks=all", expect=1)
    backing(SPARE)
    assert_told([*SPOILT_WHILE_LOADED, *UNUSUAL_SONGS], said, home, cli)
