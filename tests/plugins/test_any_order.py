"""The promise: the tables are a function of the files as last loaded, whatever was done in between."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.reference import read_log_files, read_song_files, star_schema
from tests.examples import Example, event
from tests.pipeline import Pipeline
from tests.security.hostile import ODD_TIMES

FIRST = date(2018, 11, 1)
DATES = [FIRST + timedelta(days) for days in range(3)]
NOON = 1_541_073_600_000
STAGING = {"stage_events", "stage_songs"}
# Lines that no load takes, each for another reason.
BROKEN = (
    *(b"{broken}", b'{"ts": "noon"}', b'{"song": "x\\ud83d"}', b'{"page": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    *(b"\x1a", b",", b'\xef\xbb\xbf{"page": "Home"}', b'{"page": "\xff"}', b'{"page": "\x1b[31m"}', b"null"),
    *(json.dumps(event(ts=ts, page="NextSong")).encode() for ts in ODD_TIMES),
)
DERIVED = {"songplays", "users", "songs", "artists", "time"}

# Few sessions, users, places and times, so that events meet: the same event in files of two dates and with other
# content, ties of a user's latest event, plays at one moment, songs delivered after the plays and twice.
events = st.builds(
    event,
    sessionId=st.sampled_from([1, 1, 1, 2]),
    itemInSession=st.sampled_from([0, 0, 0, 1]),
    userId=st.sampled_from(["7", "7", "8", ""]),
    ts=st.sampled_from([0, 0, 1, 2]).map(lambda day: NOON + 86_400_000 * day),
    level=st.sampled_from(["free", "paid"]),
    page=st.sampled_from(["NextSong", "NextSong", "Home"]),
    song=st.sampled_from(["A", "B "]),
    artist=st.just("X"),
    length=st.sampled_from([100.5, 200.25]),
)
songs = st.fixed_dictionaries(
    {
        "num_songs": st.just(1),
        "song_id": st.sampled_from(["SO1", "SO2", "SO3"]),
        "artist_id": st.sampled_from(["AR1", "AR2"]),
        "artist_name": st.just("X"),
        "title": st.sampled_from(["A", "B"]),
        "duration": st.sampled_from([100.5, 200.25]),
        "year": st.sampled_from([0, 1999, 2018]),
        "artist_location": st.sampled_from(["", "Porto"]),
        "artist_latitude": st.sampled_from([None, 41.1]),
        "artist_longitude": st.sampled_from([None, -8.6]),
    }
)
span = st.tuples(st.integers(0, 2), st.integers(0, 2)).map(sorted)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("deliver"),
            st.integers(0, 2),
            st.lists(events, max_size=4),
            st.sampled_from(["one file", "parts", "gzip"]),
            st.lists(st.sampled_from(BROKEN), max_size=2),
        ),
        st.tuples(st.just("vanish"), st.integers(0, 2)),
        st.tuples(st.just("songs"), st.lists(songs, min_size=1, max_size=3)),
        st.tuples(st.just("run"), span),
        st.tuples(st.just("stage"), span),
        st.tuples(st.just("again"), span, st.sampled_from(sorted(DERIVED))),
    ),
    min_size=4,
    max_size=8,
)


class Story:
    """Deliveries and runs, and what the files were when each date was last staged."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.delivered: dict[date, dict[str, bytes]] = {log_date: {} for log_date in DATES}
        self.loaded: dict[date, dict[str, bytes]] = {}
        self.songs: list[dict[str, Any]] = []
        self.unfinished: set[date] = set()
        for log_date in DATES:
            self.deliver(log_date, [], "one file", [])

    def deliver(self, log_date: date, of_date: list[dict[str, Any]], form: str, broken: list[bytes]) -> None:
        self.vanish(log_date)
        name = f"log_data/{log_date:%Y/%m}/{log_date}-events"
        lines = [*broken[:1], *(json.dumps(line).encode() for line in of_date), *broken[1:]]
        half = len(lines) // 2
        self.delivered[log_date] = {
            "one file": {f"{name}.json": b"\n".join(lines)},
            "parts": {f"{name}-1.json": b"\n".join(lines[:half]), f"{name}-2.json.gz": _zipped(lines[half:])},
            "gzip": {f"{name}.json.gz": _zipped(lines)},
        }[form]
        self.pipeline.put(self.delivered[log_date])

    def vanish(self, log_date: date) -> None:
        for key in self.delivered[log_date]:
            self.pipeline.remove(key)
        self.delivered[log_date] = {}

    def deliver_songs(self, catalogue: list[dict[str, Any]]) -> None:
        for key in Example("", {}, {}, self.songs).files():
            self.pipeline.remove(key)
        self.songs = catalogue
        self.pipeline.put(Example("", {}, {}, catalogue).files())

    def run(self, first: date, last: date, only: set[str]) -> None:
        self.pipeline.run(first, last, only=only, missing_file="skip", max_bad_lines=99)
        of_run = {log_date for log_date in DATES if first <= log_date <= last}
        if "stage_events" in only:
            staged = {log_date for log_date in of_run if self.delivered[log_date]}
            self.loaded.update({log_date: self.delivered[log_date] for log_date in staged})
            self.unfinished |= staged
        if only >= DERIVED:
            self.unfinished -= of_run

    def finish(self) -> None:
        """Let every date that was staged run to its end, the latest first, as a retry would; stage nothing more."""
        self.run(DATES[0], DATES[0], STAGING | DERIVED)
        for log_date in sorted(self.unfinished, reverse=True):
            self.run(log_date, log_date, DERIVED)

    def files(self) -> dict[str, bytes]:
        """What the tables follow from: the files, without the lines that cannot be read."""
        readable = {key: _readable(data) for files in self.loaded.values() for key, data in files.items()}
        return readable | Example("", {}, {}, self.songs).files()

    def refused_lines(self) -> list[tuple[date, int]]:
        """How many lines of each date could not be read."""
        refused = {
            log_date: sum(line in BROKEN for data in files.values() for line in _lines(data))
            for log_date, files in self.loaded.items()
        }
        return sorted((log_date, lines) for log_date, lines in refused.items() if lines)

    def clear(self) -> None:
        """Leave the bucket as it was found."""
        self.deliver_songs([])
        for log_date in DATES:
            self.vanish(log_date)


def _lines(data: bytes) -> list[bytes]:
    return (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).split(b"\n")


def _readable(data: bytes) -> bytes:
    readable = [line for line in _lines(data) if line not in BROKEN]
    return _zipped(readable) if data.startswith(b"\x1f\x8b") else b"\n".join(readable)


def _zipped(lines: list[bytes]) -> bytes:
    return gzip.compress(b"\n".join(lines))


@settings(
    max_examples=max(1, settings().max_examples // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_the_tables_follow_from_the_files_as_last_loaded(
    pipeline: Pipeline, count_case: Callable[[], None], steps: list[Any]
) -> None:
    count_case()
    pipeline.empty()
    story = Story(pipeline)
    for what, *how in steps:
        if what == "deliver":
            story.deliver(DATES[how[0]], *how[1:])
        elif what == "vanish":
            story.vanish(DATES[how[0]])
        elif what == "songs":
            story.deliver_songs(how[0])
        else:
            first, last = (DATES[number] for number in how[0])
            story.run(first, last, {"run": STAGING | DERIVED, "stage": STAGING}.get(what) or {how[1]})
    story.finish()
    files = story.files()
    pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))
    refused = pipeline.rows("select log_date, count(*) from staging_rejects group by log_date order by log_date")
    assert refused == story.refused_lines()
    story.clear()
