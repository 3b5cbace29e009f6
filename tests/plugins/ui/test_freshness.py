"""What is expected of the schedule by now: no date of a schedule that is off, and none before it began."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from sparkify.loading.log_dates import LogDates
from sparkify.loading.waiting import Waiting
from sparkify.ui import freshness
from sparkify.ui.freshness import freshness_of, missing
from sparkify.ui.records import Run, Schedule
from tests.plugins.ui.metadata import Made, Metadata
from tests.plugins.ui.test_app import days, text_of

ON, OFF = Schedule(is_paused=False), Schedule(is_paused=True)
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
YESTERDAY = date(2026, 11, 27)


def run(first: date, kind: str = "scheduled") -> Run:
    """A run of a date."""
    return Run(1, "run", kind, "success", LogDates(first, first), None, None, None)


@pytest.mark.parametrize(
    ("now", "hours", "expected"),
    [
        (NOON, 12, YESTERDAY),
        (NOON - timedelta(minutes=1), 12, YESTERDAY - timedelta(1)),
        (NOON, 0, YESTERDAY),
        (NOON, 36, YESTERDAY - timedelta(1)),
    ],
)
def test_a_date_is_expected_when_its_deadline_has_passed(now: datetime, hours: int, expected: date) -> None:
    found = freshness_of([run(date(2026, 11, 1))], None, ON, Waiting(arrive_by_hours=hours), now)
    assert found.expected == expected
    assert found.due_at is not None
    assert found.due_at <= now < found.due_at + timedelta(1)
    assert found.next_due_at == found.due_at + timedelta(1)


def test_a_schedule_that_is_off_or_has_never_run_expects_nothing() -> None:
    by_hand = [run(date(2018, 11, 1), "manual"), run(date(2018, 11, 2), "backfill")]
    for runs, schedule, why in ((by_hand, ON, "made no run yet"), ([run(YESTERDAY)], OFF, "paused")):
        found = freshness_of(runs, date(2018, 11, 2), schedule, Waiting(), NOON)
        assert found.expected is None
        assert why in found.why_not
        assert not found.is_late
        assert missing(found, []) == []


def test_dates_are_missing_from_the_first_scheduled_one_and_not_from_old_data_on() -> None:
    found = freshness_of(
        [run(date(2026, 11, 25)), run(date(2018, 11, 1), "manual")], date(2018, 11, 30), ON, Waiting(), NOON
    )
    assert missing(found, [date(2026, 11, 26)]) == [date(2026, 11, 25), YESTERDAY]
    assert (found.is_late, found.days_late) == (True, 3)


def test_the_first_scheduled_date_is_not_late_while_it_may_be_waited_for() -> None:
    found = freshness_of([run(YESTERDAY)], None, ON, Waiting(), NOON - timedelta(hours=1))
    assert missing(found, []) == []
    assert found.days_late == 0


@pytest.fixture
def yesterday(monkeypatch: pytest.MonkeyPatch) -> date:
    """The last date that is due where no file is waited for."""
    monkeypatch.setattr(freshness, "waiting", lambda: Waiting(arrive_by_hours=0))
    return datetime.now(UTC).date() - timedelta(1)


def test_due_dates_without_a_run_are_missing_on_the_calendar(
    client: TestClient, metadata: Metadata, yesterday: date
) -> None:
    start = yesterday - timedelta(3)
    metadata.add(Made(start, kind="scheduled", conf={}, logical=start), Made(start + timedelta(1)))
    assert list(days(client).values()) == ["loaded", "loaded"]
    assert "Expected nothing the schedule is off" in text_of(client, "/")
    metadata.know_the_dag(is_paused=False)
    assert list(days(client).values()) == ["loaded", "loaded", "missing", "missing"]
    text = text_of(client, "/")
    assert "2 dates late" in text
    assert "No run has loaded it, and it was due" in text
    assert "the schedule expected it by now" in text_of(client, f"/dates/{yesterday}")
    metadata.add(Made(yesterday))
    assert "late" not in text_of(client, "/")


def test_where_the_settings_cannot_be_read_the_default_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "_known", freshness._Known())
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "{no json")
    assert freshness.waiting() == Waiting()


def test_the_settings_are_those_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "_known", freshness._Known())
    extra = '{"service_config": {"s3": {"bucket_name": "source"}, "sparkify": {"arrive_by_hours": 3}}}'
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", f'{{"conn_type": "aws", "extra": {extra}}}')
    assert freshness.waiting().arrive_by_hours == 3
