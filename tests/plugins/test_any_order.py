"""The promise: the tables are a function of the files as last loaded, whatever was done in between.

And one date never breaks another, whatever its file holds.
"""

from __future__ import annotations

import gzip
import json
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.reference import read_log_files, read_song_files, star_schema
from sparkify.loading.exceptions import DataError
from sparkify.tables import STAR
from tests.examples import Example, event
from tests.pipeline import Pipeline
from tests.security.hostile import ODD_TEXTS, ODD_TIMES, REFUSED_TEXTS, odd_files

FIRST = date(2018, 11, 1)
DATES = [FIRST + timedelta(days) for days in range(3)]
NOON = 1_541_073_600_000
STAGING = {"stage_events", "stage_songs"}
# Lines that no load takes, each for another reason.
BROKEN = (
    *(b"{broken}", b'{"ts": "noon"}', b'{"song": "x\\ud83d"}', b'{"page": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    *(b"\x1a", b",", b'\xef\xbb\xbf{"page": "Home"}', b'{"page": "\xff"}', b'{"page": "\x1b[31m"}', b"null"),
    *(b"{broken", b"[1, 2]", b'{"userId": 3000000000}', b'{"length": 100000}', b'{"status": true}'),
    b'{"level": "' + "é".encode() * 9 + b'"}',
    *(json.dumps(event(ts=ts, page="NextSong", level="paid")).encode() for ts in ODD_TIMES),
    *(json.dumps(event(page="NextSong", location=text)).encode() for text in REFUSED_TEXTS),
)
# Files that no load takes.
WRONG_FILES = {
    name: data
    for name, data in odd_files(event(page="NextSong", level="paid")).items()
    if name in ("UTF-16", "UTF-32", "bzip2", "packed twice.gz", "plain.gz", "cut off.gz", "something behind.gz")
}
DERIVED = {table.name for table in STAR}

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
broken_lines = st.lists(st.sampled_from(BROKEN), max_size=3)
songs = st.fixed_dictionaries(
    {
        "num_songs": st.just(1),
        "song_id": st.sampled_from(["SO1", "SO2", "SO3", "SO3", None]),
        "artist_id": st.sampled_from(["AR1", "AR1", "AR2", "", None]),
        "artist_name": st.just("X"),
        "title": st.sampled_from(["A", "A", "B", " ", None]),
        "duration": st.sampled_from([100.5, 100.5, 200.25, 0, -100.5, None]),
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
            st.one_of(st.just([]), broken_lines),
            st.sampled_from(["one file", "parts", "gzip"]),
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


@dataclass(frozen=True)
class Delivery:
    """A date's events as they were delivered, with lines among them that cannot be read."""

    log_date: date
    events: list[dict[str, Any]]
    broken: list[bytes]
    form: str

    def files(self) -> dict[str, bytes]:
        name = f"log_data/{self.log_date:%Y/%m}/{self.log_date}-events"
        if self.form in WRONG_FILES:
            return {f"{name}.json{'.gz' if self.form.endswith('.gz') else ''}": WRONG_FILES[self.form]}
        lines = [json.dumps(line).encode() for line in self.events]
        for number, line in enumerate(self.broken):
            lines.insert(2 * number, line)
        half = len(lines) // 2
        return {
            "one file": {f"{name}.json": b"\n".join(lines)},
            "parts": {f"{name}-1.json": b"\n".join(lines[:half]), f"{name}-2.json.gz": _zipped(lines[half:])},
            "gzip": {f"{name}.json.gz": _zipped(lines)},
        }[self.form]


class Story:
    """Deliveries and runs, and what the files were when each date was last staged."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.delivered: dict[date, Delivery | None] = dict.fromkeys(DATES)
        self.loaded: dict[date, Delivery] = {}
        self.songs: list[dict[str, Any]] = []
        self.unfinished: set[date] = set()
        # What a story that failed has left, or the one that shows the same failure in fewer steps differs.
        for left in pipeline.s3.list_objects_v2(Bucket=pipeline.bucket).get("Contents", ()):
            pipeline.remove(left["Key"])
        for log_date in DATES:
            self.deliver(log_date, [], [], "one file")

    def deliver(self, log_date: date, of_date: list[dict[str, Any]], broken: list[bytes], form: str) -> None:
        self.vanish(log_date)
        delivered = self.delivered[log_date] = Delivery(log_date, of_date, broken, form)
        self.pipeline.put(delivered.files())

    def vanish(self, log_date: date) -> None:
        delivered = self.delivered[log_date]
        for key in delivered.files() if delivered else ():
            self.pipeline.remove(key)
        self.delivered[log_date] = None

    def deliver_songs(self, catalogue: list[dict[str, Any]]) -> None:
        for key in Example("", {}, {}, self.songs).files():
            self.pipeline.remove(key)
        self.songs = catalogue
        self.pipeline.put(Example("", {}, {}, catalogue).files())

    def run(self, first: date, last: date, only: set[str]) -> None:
        self.pipeline.run(first, last, only=only, missing_file="skip", max_bad_lines=10)
        of_run = {log_date for log_date in DATES if first <= log_date <= last}
        if "stage_events" in only:
            staged = {log_date: delivered for log_date in of_run if (delivered := self.delivered[log_date])}
            self.loaded.update(staged)
            self.unfinished |= staged.keys()
        if only >= DERIVED:
            self.unfinished -= of_run

    def run_until_it_fails(self, log_date: date, max_bad_lines: int) -> None:
        """Run the DAG, checks and all. What is wrong with the date's own file fails it, where it should, and only that.

        A bad song, another date's failure or odd value: nothing of these fails this date.
        """
        delivered = self.delivered[log_date]
        assert delivered
        is_wrong = delivered.form in WRONG_FILES or len(delivered.broken) > max_bad_lines
        failing = "stage_events" if is_wrong else ""
        failing = failing or ("check_staging" if any(map(_is_refused, delivered.events)) else "")
        self.unfinished.add(log_date)
        for task, context in self.pipeline.tasks(log_date, missing_file="fail", max_bad_lines=max_bad_lines):
            # The catalogue's bad lines are counted by the same param, and there are none.
            if task.task_id == failing:
                with pytest.raises(DataError):
                    task.execute(context)
                return
            task.execute(context)
            if task.task_id == "stage_events":
                self.loaded[log_date] = delivered
        assert not failing
        self.unfinished.discard(log_date)

    def finish(self) -> None:
        """Let every date that was staged run to its end, the latest first, as a retry would; stage nothing more."""
        self.run(DATES[0], DATES[0], STAGING | DERIVED)
        for log_date in sorted(self.unfinished, reverse=True):
            self.run(log_date, log_date, DERIVED)

    def files(self) -> dict[str, bytes]:
        """What the tables follow from: the files, without the lines that cannot be read."""
        files = Example("", {}, {}, self.songs).files()
        for delivered in self.loaded.values():
            files |= replace(delivered, broken=[]).files()
        return files

    def refused_lines(self) -> list[tuple[date, int]]:
        """How many lines of each date could not be read."""
        refused = {log_date: len(delivered.broken) for log_date, delivered in self.loaded.items()}
        return sorted((log_date, lines) for log_date, lines in refused.items() if lines)

    def assert_kept(self) -> None:
        """The tables follow from the files, and each line that could not be read is kept."""
        files = self.files()
        self.pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))
        refused = "select log_date, count(*) from staging_rejects where table_name = 'staging_events' group by log_date"
        assert sorted(self.pipeline.rows(refused)) == self.refused_lines()


def _is_refused(one: dict[str, Any]) -> bool:
    """Whether check_staging refuses the event."""
    needed = (one.get(field) for field in ("sessionId", "itemInSession", "ts", "page"))
    level_counts = one.get("page") == "NextSong" or one.get("userId") not in (None, "")
    return any(value is None for value in needed) or (level_counts and one.get("level") not in ("free", "paid"))


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
    story.assert_kept()


# An event that check_staging refuses, or that is odd and loaded as it is.
NULLED = ("sessionId", "itemInSession", "ts", "page", "level", "song", "userId", "method")
oddities = st.sampled_from(
    [
        *({field: None} for field in NULLED),
        *({"level": level} for level in ("PAID", "", {"now": "free"}, True)),
        {"page": "nextsong"},
        {"song": ["A"], "artist": {"name": "X"}},
        *({"song": text, "location": text} for text in ODD_TEXTS if text not in REFUSED_TEXTS),
        {"location": "x" * 512},
        {"length": -1},
        {"length": "99999.99999"},
        {"sessionId": 2**63 - 1, "itemInSession": -(2**31)},
        {"ts": 946_684_800_000},
        {"ts": 4_102_444_799_999},
    ]
)
odd_events: st.SearchStrategy[dict[str, Any]] = st.one_of(st.builds(operator.or_, events, oddities), st.just({}))
acts = st.one_of(
    st.tuples(
        st.just("date"),
        st.integers(0, 2),
        st.lists(st.one_of(events, events, odd_events), max_size=4),
        st.one_of(st.just([]), broken_lines),
        st.sampled_from([0, 0, 10]),
        st.sampled_from([*["one file"] * 20, *WRONG_FILES]),
    ),
    st.tuples(st.just("songs"), st.lists(songs, min_size=1, max_size=3)),
)


@pytest.mark.story
@settings(
    max_examples=max(1, settings().max_examples // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(acts, min_size=3, max_size=6))
def test_one_date_never_breaks_another(pipeline: Pipeline, count_case: Callable[[], None], acts: list[Any]) -> None:
    count_case()
    pipeline.empty()
    story = Story(pipeline)
    for what, *how in acts:
        if what == "songs":
            story.deliver_songs(how[0])
        else:
            story.deliver(DATES[how[0]], how[1], how[2], form=how[4])
            story.run_until_it_fails(DATES[how[0]], max_bad_lines=how[3])
    # The last run of all, whatever it is of, also brings the songs that were delivered last.
    for log_date in sorted({*story.unfinished, DATES[0]}, reverse=True):
        story.deliver(log_date, [event(ts=NOON)], [], "one file")
        story.run_until_it_fails(log_date, max_bad_lines=0)
    assert story.unfinished == set()
    story.assert_kept()
