"""Whether the log dates that should be loaded by now are.

A date is expected of the schedule alone: of a DAG that is paused, or that was only ever triggered by hand, nobody
expects anything. It is due when its files are, ``arrive_by_hours`` after its end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sparkify.loading.settings import Settings
from sparkify.loading.waiting import Waiting
from sparkify.ui.records import Run, Schedule

AWS_CONN_ID = "aws_default"
SCHEDULED = "scheduled"
#: A schedule that came by no earlier than this many days ago expects no more dates than these.
MOST_DAYS = 400
# A secrets backend is asked that seldom, and by one reader at a time: the others take what was known before.
KNOWN_SECONDS = 300.0


@dataclass(frozen=True)
class Freshness:
    """What is loaded and what should be, by log date.

    :param latest: the latest date that is loaded; None if none is.
    :param first: the first date that the schedule is known to have come by; None if it expects nothing.
    :param expected: the latest date that is due; None if none is.
    :param due_at: when that was due.
    :param next_due_at: when the date after it will be.
    :param why_not: in words, why nothing is expected; '' if something is.
    """

    latest: date | None
    first: date | None = None
    expected: date | None = None
    due_at: datetime | None = None
    next_due_at: datetime | None = None
    why_not: str = ""

    @property
    def next(self) -> date | None:
        """The date that is due next."""
        return self.expected + timedelta(1) if self.expected else None

    @property
    def is_late(self) -> bool:
        """Whether the latest date that is due is not loaded, nor a later one."""
        return self.expected is not None and (self.latest is None or self.latest < self.expected)

    @property
    def days_late(self) -> int:
        """How many dates after the latest one that is loaded are due."""
        if not self.is_late or self.expected is None or self.first is None:
            return 0
        since = self.first - timedelta(1) if self.latest is None else max(self.latest, self.first - timedelta(1))
        return (self.expected - since).days

    def is_due(self, log_date: date) -> bool:
        """Whether the date should be loaded by now."""
        return self.first is not None and self.expected is not None and self.first <= log_date <= self.expected


def freshness_of(
    runs: Iterable[Run], latest: date | None, schedule: Schedule, waiting: Waiting, now: datetime
) -> Freshness:
    """What is expected at a moment, by the runs that the schedule made."""
    if schedule.is_paused:
        return Freshness(latest, why_not="the schedule is off: the DAG is paused")
    scheduled = [run.dates.first for run in runs if run.kind == SCHEDULED and run.dates]
    if not scheduled:
        return Freshness(latest, why_not="the schedule has made no run yet")
    # The date that ended last before the deadlines of today.
    expected = (now.astimezone(UTC) - waiting.patience).date() - timedelta(1)
    first = max(min(scheduled), expected - timedelta(MOST_DAYS))
    if first > expected:
        # The first scheduled date is still waited for.
        expected = first - timedelta(1)
    return Freshness(latest, first, expected, due_at(expected, waiting), due_at(expected + timedelta(1), waiting))


def due_at(log_date: date, waiting: Waiting) -> datetime:
    """When a date's files are due."""
    midnight = datetime(log_date.year, log_date.month, log_date.day, tzinfo=UTC)
    return midnight + timedelta(1) + waiting.patience


def missing(freshness: Freshness, known: Sequence[date]) -> list[date]:
    """The dates that are due, and of which no run is known."""
    if freshness.first is None or freshness.expected is None:
        return []
    there = set(known)
    days = (freshness.first + timedelta(number) for number in range((freshness.expected - freshness.first).days + 1))
    return [day for day in days if day not in there]


class _Known:
    """The deployment's settings for waiting, as they were when last looked up."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self.until = 0.0
        self.turn = threading.Lock()


_known = _Known()


def waiting() -> Waiting:
    """How long files are waited for; the default where the connection does not say so, or cannot be read."""
    if time.monotonic() >= _known.until and _known.turn.acquire(blocking=False):
        try:
            _known.waiting = Settings.of_connection(AWS_CONN_ID).waiting
        except Exception:
            # Whatever a secrets backend raises: the page shows the runs all the same.
            _known.waiting = Waiting()
        finally:
            _known.until = time.monotonic() + KNOWN_SECONDS
            _known.turn.release()
    return _known.waiting
