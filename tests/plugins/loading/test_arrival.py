"""When a run whose files are late looks again, and when it gives up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from sparkify.loading.arrival import Arrival, deadline_of, waits
from sparkify.loading.log_dates import LogDates
from sparkify.loading.source_files import DatedFiles
from sparkify.loading.waiting import Waiting

DAY = date(2018, 11, 1)
DEADLINE = datetime(2018, 11, 2, 12, tzinfo=UTC)
WAITING = Waiting(arrive_by_hours=12, still_minutes=10, look_minutes=5)
MARKED = Waiting(12, 10, 5, DatedFiles("ready/{log_date}"))


def minutes(number: float) -> datetime:
    """So many minutes after the deadline."""
    return DEADLINE + timedelta(minutes=number)


@pytest.mark.parametrize(
    ("at", "changed", "look_at"),
    [
        (-60, None, -55),
        (-3, None, 0),
        (0, None, None),
        (1, None, None),
        (-60, -61, -55),
        (-60, -67, -57),
        (-3, -4, 0),
        (0, -4, 6),
        (1, 0, 10),
        (1, 0.5, None),
        (5, 3, None),
    ],
    ids=str,
)
def test_a_run_looks_every_few_minutes_at_its_deadline_and_when_parts_have_been_still(
    at: float, changed: float | None, look_at: float | None
) -> None:
    missing, unfinished = ([DAY], {}) if changed is None else ([], {DAY: minutes(changed)})
    found = Arrival(minutes(at), missing, unfinished).next_look(DEADLINE, WAITING)
    assert found == (None if look_at is None else minutes(look_at))


@pytest.mark.parametrize(("at", "look_at"), [(-60, -55), (0, None)])
def test_a_marker_is_looked_for_as_a_file_is(at: float, look_at: float | None) -> None:
    found = Arrival(minutes(at), [], {DAY: minutes(-400)}).next_look(DEADLINE, MARKED)
    assert found == (None if look_at is None else minutes(look_at))


def test_what_is_missing_of_one_date_is_not_there_by_the_stillness_of_another() -> None:
    both = Arrival(minutes(0), [DAY], {DAY + timedelta(1): minutes(-1)})
    assert both.next_look(DEADLINE, WAITING) is None


def test_no_look_comes_at_once() -> None:
    assert Arrival(minutes(-0.001), [DAY], {}).next_look(DEADLINE, WAITING) == minutes(-0.001) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("run_type", "missing_file", "expected"),
    [
        ("scheduled", "fail", True),
        ("DagRunType.SCHEDULED", "fail", True),
        ("scheduled", "skip", False),
        ("manual", "fail", False),
        ("backfill", "fail", False),
        ("asset_triggered", "fail", False),
        ("manual", "wait", True),
        ("backfill", "wait", True),
        ("manual", "skip", False),
    ],
)
def test_scheduled_runs_wait_and_others_that_are_told_to(run_type: str, missing_file: str, expected: bool) -> None:
    assert waits(missing_file, {"dag_run": SimpleNamespace(run_type=run_type)}) is expected


@pytest.mark.parametrize(
    ("run_type", "began", "expected"),
    [
        ("scheduled", minutes(6000), DEADLINE + timedelta(1)),
        ("manual", minutes(6000), minutes(6720)),
        ("backfill", minutes(6000), minutes(6720)),
        ("manual", minutes(0), DEADLINE + timedelta(1)),
        ("manual", None, DEADLINE + timedelta(1)),
    ],
)
def test_the_deadline_is_that_of_the_last_date_or_of_a_run_that_began_later(
    run_type: str, began: datetime | None, expected: datetime
) -> None:
    context = {"dag_run": SimpleNamespace(run_type=run_type, start_date=began)}
    assert deadline_of(LogDates(DAY, DAY + timedelta(1)), WAITING, context) == expected
