"""What the tasks publish of their work: the counts of each log date, and what the checks found; and how it is read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sparkify.loading.checks import Check, CheckResult
from sparkify.loading.exceptions import DataError
from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import (
    CHECKS,
    FAILURE,
    LOAD,
    LONGEST_SAMPLE,
    LONGEST_TEXT,
    VERSION,
    DateCounts,
    PublishedChecks,
    PublishedLoad,
    publish_checks,
    read_checks,
    read_failure,
    read_load,
)
from tests.examples import AT, event, play
from tests.pipeline import WRITING, Pipeline
from tests.security import hostile

FIELDS = sorted({field.name for record in (PublishedLoad, PublishedChecks) for field in dataclasses.fields(record)})
FIRST, SECOND = date(2018, 11, 1), date(2018, 11, 2)


def test_a_load_tells_its_counts_of_each_log_date(pipeline: Pipeline) -> None:
    pipeline.put_events(FIRST, [event(itemInSession=1), event(itemInSession=2)])
    pipeline.put({"log_data/2018/11/2018-11-02-events.json": b'{"page": "Home"}\n{oops\n'})
    pipeline.run(FIRST, SECOND, only=WRITING, max_bad_lines=1)
    load = read_load(pipeline.published["stage_events", LOAD])
    assert load is not None
    assert load.dates == {FIRST: DateCounts(files=1, lines=2), SECOND: DateCounts(files=1, lines=2, refused=1)}
    assert (load.first, load.last, load.rows_staged) == (FIRST, SECOND, 3)
    assert timedelta(0) <= load.ended_at - load.started_at < timedelta(minutes=5)
    plays = read_load(pipeline.published["songplays", LOAD])
    assert plays is not None
    assert plays.table == "songplays"


def test_a_task_that_fails_tells_why_with_file_line_and_cure(pipeline: Pipeline) -> None:
    pipeline.put({"log_data/2018/11/2018-11-02-events.json": b'{"page": "Home"}\n{oops\n'})
    pipeline.run(SECOND, only=("tables",))
    ((stage_events, context),) = pipeline.tasks(SECOND, only=("stage_events",))
    with pytest.raises(DataError):
        # As Airflow calls it.
        stage_events.execute(context=context)
    failure = read_failure(pipeline.published["stage_events", FAILURE])
    assert failure is not None
    assert "2018-11-02-events.json, line 2" in failure.told


def test_a_load_of_a_fact_table_tells_its_rows_of_each_date_and_of_others_that_it_wrote(pipeline: Pipeline) -> None:
    twice = play(sessionId=2, ts=AT)
    pipeline.put_events(SECOND, [twice, play(sessionId=3)])
    pipeline.run(SECOND, only=WRITING)
    pipeline.put_events(FIRST, [twice, play(sessionId=4), event(sessionId=5)])
    for elsewhere in ({SECOND: 1}, {}):
        pipeline.run(FIRST, only=WRITING)
        load = read_load(pipeline.published["songplays", LOAD])
        assert load is not None
        assert [load.rows_of(log_date) for log_date in (FIRST, SECOND)] == [2, None]
        assert load.elsewhere == elsewhere
    assert pipeline.rows("select log_date, count(*) from songplays group by log_date order by log_date") == [
        (FIRST, 2),
        (SECOND, 1),
    ]


def test_a_date_that_was_skipped_is_not_among_those_told_of(pipeline: Pipeline) -> None:
    pipeline.run(FIRST, only=("tables", "stage_events"), missing_file="skip")
    load = read_load(pipeline.published["stage_events", LOAD])
    assert load is not None
    assert load.dates == {}


def test_checks_that_fail_their_task_have_told_before(pipeline: Pipeline) -> None:
    pipeline.put_events(FIRST, [event(itemInSession=1), event(itemInSession=2) | {"sessionId": None}])
    pipeline.run(FIRST, only=("tables", "stage_events"))
    with pytest.raises(DataError):
        pipeline.run(FIRST, only=("check_staging",))
    told = read_checks(pipeline.published["check_staging", CHECKS])
    assert told is not None
    broken = {check.check: check for check in told.broken}["staging_events.identity_is_complete"]
    assert (broken.severity, broken.offending, broken.fails) == ("error", 1, True)
    assert dict(zip(broken.columns, broken.sample[0], strict=True))["session_id"] is None
    assert "staging_events.page_is_present" in told.passed["error"]


def published(*results: CheckResult) -> PublishedChecks:
    """What the results are once they are published, kept as JSON by PostgreSQL, and read again."""
    pushed: dict[str, str] = {}

    class Told:
        @staticmethod
        def xcom_push(key: str, value: Any) -> None:
            pushed[key] = json.dumps(value, allow_nan=False)

    publish_checks({"ti": Told}, LogDates(FIRST, FIRST), results)
    assert "\\u0000" not in pushed[CHECKS]
    found = read_checks(json.loads(pushed[CHECKS]))
    assert found is not None
    return found


CHECK = Check("songs.id_is_unique", "warn", "a song is one row", "select 1")


def test_a_sample_is_cut_to_what_airflows_database_should_hold() -> None:
    rows = [["x" * 150] * 10 for _ in range(5)]
    (broken,) = published(CheckResult(CHECK, 5, [f"column_{n}" for n in range(10)], rows)).broken
    assert 1 <= len(broken.sample) < len(rows)
    assert len(str(broken.sample)) < LONGEST_SAMPLE * 1.1


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 100_000, "\x1b[31m", "", *hostile.TEXTS])
def test_no_text_of_a_file_or_of_a_driver_keeps_a_task_from_publishing(text: str) -> None:
    row = CheckResult(CHECK, 1, ["title"], [[text]])
    failed = CheckResult(CHECK, None, error=text)
    found = published(row, failed).broken
    assert [len(check.sample) for check in found] == [1, 0]
    assert len(found[1].error) <= LONGEST_TEXT


def changed(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What another version, or somebody else, may have written in place of a record."""
    for key in value:
        yield {name: kept for name, kept in value.items() if name != key}
        others: tuple[Any, ...] = (
            None, [], {}, "", "x", -1.5, True, 10**400, {"nothing": "here"}, [[[]]], "9999-99-99",
        )  # fmt: skip
        for other in others:
            if other != value[key] or type(other) is not type(value[key]):
                yield value | {key: other}
    yield value | {"more": 1}
    yield value | {"version": 2}
    yield value | {"first": "1024-11-01"}
    yield value | {"first": "2018-11-02", "last": "2018-11-01"}


@pytest.mark.parametrize(("key", "read"), [(LOAD, read_load), (CHECKS, read_checks)])
def test_what_is_of_another_shape_or_version_is_not_read(pipeline: Pipeline, key: str, read: Any) -> None:
    pipeline.put_events(FIRST, [play(), event(page="Podcast", itemInSession=1)])
    pipeline.run(FIRST, only=(*WRITING, "check_staging"))
    for (_, published_as), value in pipeline.published.items():
        if published_as != key:
            continue
        assert read(value) is not None
        for other in changed(value):
            found = read(other)
            # What may be missing, or be empty, is the same record.
            assert found is None or json.loads(TypeAdapter(type(found)).dump_json(found)).keys() >= {"version"}
        for name in ("version", "first", "last"):
            assert read({kept: value[kept] for kept in value if kept != name}) is None
        # Half a surrogate: no page that shows it can be sent.
        assert (
            read(value | {"table" if key == LOAD else "passed": "\ud83d" if key == LOAD else {"warn": "\ud83d"}})
            is None
        )
        for wrong in ({"version": 2}, {"more": 1}, {"first": "1024-11-01"}, {"last": "2018-10-31"}):
            assert read(value | wrong) is None
        if value.get("dates"):
            assert read(value | {"dates": {"2018-11-02": {}}}) is None
            assert read(value | {"dates": {"2018-11-01": {"files": "1"}}}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner),
    )
)
def test_no_value_of_an_xcom_stops_its_reader(value: Any) -> None:
    for read in (read_load, read_checks):
        found = read(value)
        assert found is None or found.version == VERSION
