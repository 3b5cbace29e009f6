"""A fault for each check: what breaks exactly this one, and what the run then says.

docs/operations.md holds what the runs say; the tests compare it, or write it if WRITE_FAULTS is set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from local.stack import databases
from sparkify.loading.checks import CheckResult
from sparkify.loading.exceptions import DataError
from tests import made_schema
from tests.examples import Raw, event, play, song
from tests.made_schema import Connection
from tests.pipeline import PROJECT, Pipeline

PAGE = PROJECT / "docs" / "operations.md"
BEGIN = "<!-- Written by: WRITE_FAULTS=1 pytest tests/include/test_quality.py -->"
END = "<!-- End of what was written -->"
HEAD = "| check | a fault | the log says |\n|---|---|---|"
ROW = re.compile(r"^\| `(\w+\.\w+)` \| .* \|$", re.MULTILINE)

DAY = date(2018, 11, 1)
EARLIER = [DAY - timedelta(weeks=weeks) for weeks in (3, 2, 1)]
LATER = DAY + timedelta(days=1)
PLAYS = 24
CHECKS = ("check_staging", "check_warehouse")

SONGS = {
    "song_data/A/A/A/TR1.json": song("SO1"),
    "song_data/A/A/A/TR2.json": song(
        "SO2", artist_id="AR2", artist_name="Sigur Rós", title="Hoppípolla", duration=268.12
    ),
}


def noon(log_date: date) -> int:
    """Noon of the date, in epoch milliseconds."""
    return int(datetime(log_date.year, log_date.month, log_date.day, 12, tzinfo=UTC).timestamp() * 1000)


def visit(log_date: date = DAY, **changes: Any) -> Raw:
    """User 8, who comes on the date and no later one, looks at the home page."""
    return event(userId="8", sessionId=800, ts=noon(log_date) - 60_000) | changes


def nobody(**changes: Any) -> Raw:
    """A visitor who is not signed in."""
    return visit(userId="", auth="Logged Out", firstName=None, lastName=None, gender=None, sessionId=900) | changes


def sound_events(log_date: date, **of_plays: Any) -> list[Raw]:
    """A date of which there is nothing to say."""
    plays = [
        play(ts=noon(log_date) + 1000 * number, itemInSession=number, sessionId=700) | of_plays
        for number in range(PLAYS)
    ]
    others = [visit(log_date, userId=user, sessionId=800 + int(user)) for user in ("9", "10")]
    return [
        *plays,
        *others,
        visit(log_date),
        visit(log_date, itemInSession=1, page="Help", ts=noon(log_date)),
        nobody(),
    ]


def lines(events: Sequence[Raw]) -> bytes:
    """Events as a file has them."""
    return b"\n".join(json.dumps(one, ensure_ascii=False).encode() for one in events)


def key(log_date: date) -> str:
    """The name of a date's file."""
    return f"log_data/{log_date:%Y/%m}/{log_date}-events.json"


def sound_files() -> dict[str, bytes]:
    """Four Thursdays, and the Friday after the last, when user 7 pays."""
    events = {
        **{day: [one for one in sound_events(day) if one["userId"]] for day in EARLIER},
        DAY: sound_events(DAY),
        LATER: [event(ts=noon(LATER), sessionId=701, level="paid")],
    }
    return {
        **{key(day): lines(of_day) for day, of_day in events.items()},
        **{name: json.dumps(one).encode() for name, one in SONGS.items()},
    }


@dataclass(frozen=True)
class Fault:
    """``files`` are delivered and loaded, or ``sql`` is run in the tables; then ``check`` breaks, and no other does.

    Each is of rows of its own, so that several can be planted at once: `events` are what a date's file has besides.
    """

    check: str
    what: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    events: Sequence[Raw] = ()
    sql: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def statements(self) -> list[str]:
        """The statements of ``sql``."""
        return [statement for statement in self.sql.split(";") if statement]


def in_file(check: str, what: str, *more: Raw) -> Fault:
    """The date's file has these events besides."""
    return Fault(f"staging_events.{check}", what, {key(DAY): lines([*sound_events(DAY), *more])}, events=more)


def in_catalogue(check: str, what: str, number: int, one: Raw) -> Fault:
    """A song file, of this number, is new."""
    return Fault(check, what, files={f"song_data/A/A/A/TR{number}.json": json.dumps(one).encode()})


def of_play(check: str, what: str, sql: str, second: int) -> Fault:
    """Something is done to the play of this second past noon."""
    return Fault(check, what, sql=f"{sql} where start_time = '{DAY} 12:00:{second:02}'")


MANY = [visit(itemInSession=number, page="About", ts=noon(DAY) - 1000 * number) for number in range(20, 80)]
UNMATCHED = {"song": "Army of Me"}
BAD_LINE = b"\n{oops"

FAULTS = (
    in_file("identity_is_complete", "an event without a session", visit(sessionId=None, itemInSession=5)),
    in_file("page_is_present", "an event without a page", visit(itemInSession=5, page=None)),
    in_file("play_has_a_user", "a play by nobody", play(userId="", sessionId=900, itemInSession=1, ts=noon(DAY))),
    in_file(
        "time_is_within_log_date",
        "an event of the day before in the date's file",
        visit(itemInSession=5, ts=noon(DAY) - 86_400_000),
    ),
    in_file("field_is_known", "a field that is new", visit(itemInSession=5, device="phone")),
    in_file("page_is_known", "a page that is new", visit(itemInSession=5, page="Podcast")),
    in_file("level_is_known", "a level that is new", visit(itemInSession=5, level="family")),
    in_file("visitor_level_is_known", "a visitor's level that is new", nobody(itemInSession=1, level="family")),
    in_file("method_is_known", "a method that is new", visit(itemInSession=5, method="DELETE")),
    in_file("status_is_known", "a status that is new", visit(itemInSession=5, status=500)),
    in_file("volume_is_usual", "a file with three times the usual lines", *MANY),
    Fault(
        "staging_events.line_was_read",
        "a line that is no JSON, with `max_bad_lines` 1",
        files={key(DAY): lines(sound_events(DAY)) + BAD_LINE},
        params={"max_bad_lines": 1},
    ),
    Fault(
        "staging_events.rows_are_lines_read",
        "a staged row that somebody deleted",
        sql=f"delete from staging_events where log_date = '{DAY}' and page = 'Home' and user_id = 8",
    ),
    Fault(
        "staging_events.time_is_possible",
        "a `ts` in seconds that an earlier version of this package has staged",
        sql=f"update staging_events set ts = ts / 1000 where log_date = '{DAY}' and page = 'Help' and user_id = 8",
    ),
    Fault(
        "staging_events.file_is_small_enough",
        "a file of more than 1 GB",
        sql=f"update staged_dates set largest_file = 3221225472 where log_date = '{DAY}'",
    ),
    Fault(
        "staging_songs.file_was_read",
        "a song file that is no JSON, with `max_bad_lines` 1",
        files={"song_data/A/A/A/TR8.json": b"{oops"},
        params={"max_bad_lines": 1},
    ),
    in_catalogue(
        "staging_songs.song_is_complete",
        "a song without a title",
        3,
        song("SO3", title=None, artist_id="AR2", artist_name="Sigur Rós"),
    ),
    in_catalogue("staging_songs.song_is_delivered_once", "a song in two files that differ", 4, song("SO1", year=1998)),
    Fault(
        "songs.required_columns_are_set",
        "a song without a title",
        sql="insert into songs (song_id, title, artist_id, duration) values ('SO6', null, 'AR2', 305.5)",
    ),
    Fault(
        "songs.duration_is_positive",
        "a song of no length",
        sql="insert into songs (song_id, title, artist_id, duration) values ('SO7', 'Silence', 'AR2', 0)",
    ),
    in_catalogue("artists.name_is_set", "an artist without a name", 7, song("SO5", artist_id="AR3", artist_name=None)),
    Fault(
        "songs.id_is_unique",
        "a song that is there twice",
        sql="insert into songs select * from songs where song_id = 'SO2'",
    ),
    Fault(
        "artists.id_is_unique",
        "an artist who is there twice",
        sql="insert into artists select * from artists where artist_id = 'AR2'",
    ),
    Fault(
        "users.id_is_unique",
        "a user who is there twice",
        sql="insert into users select * from users where user_id = 8",
    ),
    Fault("users.level_is_known", "a level that is new", sql="update users set level = 'family' where user_id = 7"),
    Fault(
        "users.level_is_the_latest",
        "a user whose level somebody changed",
        sql="update users set level = 'paid' where user_id = 9",
    ),
    Fault("songplays.user_is_in_users", "a user who is not there", sql="delete from users where user_id = 10"),
    of_play("songplays.id_is_unique", "a play that is there twice", "insert into songplays select * from songplays", 5),
    of_play("songplays.play_is_loaded_once", "a play that is not there", "delete from songplays", 6),
    of_play(
        "songplays.required_columns_are_set",
        "a play without a session",
        "update songplays set session_id = null",
        7,
    ),
    of_play("songplays.song_is_in_songs", "a song that is not there", "update songplays set song_id = 'SO9'", 8),
    of_play(
        "songplays.artist_is_in_artists", "an artist who is not there", "update songplays set artist_id = 'AR9'", 9
    ),
    of_play("songplays.start_time_is_in_time", "a start time that is not there", "delete from time", 10),
    of_play("time.start_time_is_unique", "a start time that is there twice", "insert into time select * from time", 11),
    of_play("time.parts_agree_with_start_time", "a Thursday that is called Monday", "update time set weekday = 0", 12),
    Fault(
        "songplays.match_rate_is_usual",
        "plays of songs that are not in the catalogue",
        files={key(DAY): lines(sound_events(DAY, **UNMATCHED))},
    ),
    Fault(
        "load_history.date_is_recorded",
        "a load whose record somebody deleted",
        sql="delete from load_history where table_name = 'staging_events'",
    ),
    Fault(
        "load_history.date_is_settled",
        "another run that has staged the date and failed",
        sql=f"insert into users_queue (log_date) values ('{DAY}');"
        "insert into load_history (table_name, first_log_date, last_log_date, dag_id, run_id, ended_at)"
        f" values ('staging_events', '{DAY}', '{DAY}', 'sparkify_daily', 'manual__later', '2100-01-01 00:10:00')",
    ),
)


class Sound:
    """A schema in which every check passes, brought back as it was after each fault.

    :param pipeline: a pipeline with an empty bucket and empty tables.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.kept = f"{pipeline.schema}_kept"
        self.files = sound_files()
        pipeline.put(self.files)
        pipeline.run(EARLIER[0], LATER, missing_file="skip")
        self.results = checked(pipeline, checks="all")
        with self._postgres() as connection:
            made_schema.keep(connection, pipeline.schema, self.kept)

    def results_of(self, fault: Fault) -> list[CheckResult]:
        """Plant the fault and run what follows on it until a task fails; what its checks found."""
        for statement in fault.statements:
            self.pipeline.execute(statement)
        if fault.statements:
            return checked(self.pipeline, only=CHECKS, checks="all")
        self.pipeline.put(fault.files)
        return checked(self.pipeline, **fault.params)

    def restore(self) -> None:
        """Everything as it was."""
        for item in self.pipeline.s3.list_objects_v2(Bucket=self.pipeline.bucket)["Contents"]:
            self.pipeline.remove(item["Key"])
        self.pipeline.put(self.files)
        with self._postgres() as connection:
            made_schema.put_back(connection, self.pipeline.schema, self.kept)

    def drop(self) -> None:
        """Forget the schema and the copy."""
        with self._postgres() as connection:
            made_schema.drop(connection, self.kept)
        self.pipeline.drop()

    def _postgres(self) -> Connection:
        return psycopg.connect(databases.admin_dsn(self.pipeline.stack.home, databases.WAREHOUSE))


def checked(pipeline: Pipeline, *, only: Sequence[str] = (), **params: Any) -> list[CheckResult]:
    """Run the date, or some of its tasks, until one fails; what the checks among them found."""
    results: list[CheckResult] = []
    for task, context in pipeline.tasks(DAY, only=only, **params):
        try:
            task.execute(context)
        except DataError as error:
            results += task.results
            unsaid = [result for result in results if result.fails_the_task and str(result) not in str(error)]
            if unsaid or not results:
                raise
            break
        results += getattr(task, "results", [])
    return results


def row(fault: Fault, result: CheckResult, bucket: str) -> str:
    """The fault's row on the page."""
    said = str(result).replace(bucket, "my-bucket").replace("|", "\\|").replace("`", "'")
    paragraph = "<br>".join(f"`{line.strip()}`" for line in said.splitlines())
    return f"| `{fault.check}` | {fault.what} | {paragraph} |"


def documented() -> dict[str, str]:
    """The page's rows by check."""
    text = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    return {found[1]: found[0] for found in ROW.finditer(text)}


def write(check: str, new: str) -> None:
    """Put a row into the page, in the order of the faults."""
    rows = {**documented(), check: new}
    before, _, rest = PAGE.read_text().partition(BEGIN)
    told = "\n".join(rows[fault.check] for fault in FAULTS if fault.check in rows)
    PAGE.write_text(f"{before}{BEGIN}\n\n{HEAD}\n{told}\n\n{END}{rest.partition(END)[2]}")
