"""What became of each log date, worked out from the runs that were of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import BrokenCheck, DateCounts, PublishedLoad, counted
from sparkify.loading.waiting import Waiting
from sparkify.ui.freshness import Freshness, due_at, freshness_of, missing
from sparkify.ui.records import EVENTS_TASK, MOST_RUNS, PLAYS_TASK, Run, Schedule

OFF = Schedule(is_paused=True)

#: On the page; those that were loaded come first, and no failed run takes their place.
MOST_DATES = 10_000
#: Dates between two that are loaded are missing, but not the years between two deliveries.
LONGEST_GAP_DAYS = 400


@dataclass(frozen=True)
class State:
    """How a log date can stand. ``mark`` says it without colour; ``needs_a_look`` puts it on the list."""

    name: str
    label: str
    mark: str
    meaning: str
    needs_a_look: bool = False


LOADED = State("loaded", "Loaded", "✓", "loaded, and every check passed")
WARNED = State("warned", "With warnings", "!", "loaded, and a check of severity warn found rows", True)
BAD_LINES = State("bad-lines", "With bad lines", "≠", "loaded without the lines that could not be read", True)
FAILED = State("failed", "Failed", "✕", "its latest run failed", True)
MISSING = State("missing", "Missing", "○", "due, or between dates that are loaded, and never loaded itself", True)
RUNNING = State("running", "Running", "…", "a run of it is waiting or at work")
WORST_FIRST = (FAILED, MISSING, BAD_LINES, WARNED)
STATES = (LOADED, WARNED, BAD_LINES, FAILED, MISSING, RUNNING)


@dataclass
class LogDate:
    """A log date: how its latest run left it, and what the tables hold of it.

    ``runs`` are all that were of it, the latest first, and ``run`` is the one that decides. ``counts`` and ``plays``
    are of the last loads that replaced its events and its plays, be they of another run; None where no run has told.
    ``due_at`` is when the schedule expected it, if it is missing though it did.
    """

    log_date: date
    state: State = MISSING
    run: Run | None = None
    runs: list[Run] = field(default_factory=list)
    counts: DateCounts | None = None
    counts_run: Run | None = None
    plays: int | None = None
    plays_run: Run | None = None
    due_at: datetime | None = None

    @property
    def broken_checks(self) -> Sequence[BrokenCheck]:
        return self.run.broken_checks if self.run else ()

    @property
    def still_loaded(self) -> list[tuple[str, Run]]:
        """What the tables still hold of runs before the one that decides, in words, and those runs."""
        parts = (("events", self.counts, self.counts_run), ("plays", self.plays, self.plays_run))
        return [
            (words, run) for words, known, run in parts if known is not None and run is not None and run is not self.run
        ]

    @property
    def is_due(self) -> bool:
        """Whether it is missing though the schedule expected it."""
        return self.due_at is not None

    @property
    def since(self) -> datetime | None:
        """Since when it has needed a look: the first of the latest runs that left it so ended, or its file was due."""
        ended = self.due_at
        for run in self.runs:
            if run.is_finished and not _skipped(run, self.log_date):
                if state_of(run, self.log_date) is not self.state:
                    break
                ended = run.ended_at or ended
        return ended

    @property
    def is_loaded(self) -> bool:
        """Whether the tables hold it, be it of a run before the one that decides."""
        return self.state in (LOADED, WARNED, BAD_LINES) or self.counts is not None

    @property
    def why(self) -> str:
        """The sentence by which the run that decides failed; '' if it did not, or has not told."""
        return next(iter(self.run.failures.values()), "") if self.run else ""

    @property
    def sentence(self) -> str:
        """All of it in words, for the tooltip and for those who listen to the page."""
        told = [f"{self.log_date:%A}, {self.log_date.day} {self.log_date:%B %Y}: {self.state.label.lower()}."]
        told += [f"{words}." for words in (self._files(), self._checks(), self._failure()) if words]
        return " ".join(told)

    def _files(self) -> str:
        words = []
        if self.counts:
            words += [counted(self.counts.files, "file"), counted(self.counts.lines, "line")]
            if self.counts.refused:
                words.append(f"{self.counts.refused:,} left out")
        if self.plays is not None:
            words.append(counted(self.plays, "play"))
        if not words:
            return ""
        return f"{'Still loaded: ' if self.still_loaded and self.state is FAILED else ''}{', '.join(words)}"

    def _checks(self) -> str:
        passed = self.run.checks_passed if self.run else 0
        number = passed + len(self.broken_checks)
        return f"{passed} of {counted(number, 'check')} passed" if number else ""

    def _failure(self) -> str:
        if self.state is not FAILED or self.run is None or not self.run.failed_tasks:
            return ""
        return f"Failed at {', '.join(self.run.failed_tasks)}"


@dataclass(frozen=True)
class LongRange:
    """A run of more dates than are shown one by one, as long as it has not loaded them."""

    run: Run
    state: State

    @property
    def words(self) -> str:
        """Its range."""
        return str(self.run.dates or self.run.refused_range)


@dataclass(frozen=True)
class Calendar:
    """Every log date in order; the long ranges that are not loaded, the latest first; what is expected by now.

    ``unreadable`` runs published what cannot be read, and ``is_cut`` says that there may be older runs.
    """

    dates: dict[date, LogDate]
    ranges: list[LongRange]
    freshness: Freshness
    unreadable: int
    is_cut: bool

    @property
    def to_look_at(self) -> list[LogDate]:
        """The dates that need a look, the worst first, and of those that are as bad the oldest."""
        found = [log_date for log_date in self.dates.values() if log_date.state.needs_a_look]
        return sorted(found, key=lambda log_date: WORST_FIRST.index(log_date.state))

    @property
    def plays(self) -> int:
        """The plays that the warehouse has of all of these dates."""
        return sum(found.plays or 0 for found in self.dates.values())


def of_runs(runs: Sequence[Run], schedule: Schedule = OFF, waiting: Waiting | None = None) -> Calendar:
    """The state of every log date that a run was of, of those missing in between, and of those that are due.

    :param runs: the latest first; their loads of events and plays, their checks and their failed tasks are known.
    :param schedule: what dates are expected of.
    :param waiting: when they are due.
    """
    dates: dict[date, LogDate] = {}
    # A stable order: the latest first among those that succeeded, and then among the others.
    for run in sorted(runs, key=lambda run: run.state != "success"):
        for log_date in _dates_of(run):
            if len(dates) < MOST_DATES:
                dates.setdefault(log_date, LogDate(log_date))
    for run in runs:
        for log_date in _dates_of(run):
            if log_date in dates:
                dates[log_date].runs.append(run)
    _add_what_is_loaded(dates, runs)
    for found in dates.values():
        found.run = deciding(found.runs, found.log_date)
        found.state = state_of(found.run, found.log_date)
    fresh = freshness_of(runs, _latest_loaded(dates), schedule, waiting or Waiting(), datetime.now(UTC))
    deadlines = waiting or Waiting()
    due = {day: LogDate(day, due_at=due_at(day, deadlines)) for day in missing(fresh, list(dates))[-MOST_DATES:]}
    return Calendar(
        dates=dict(sorted((_with_gaps(dates) | due).items())),
        freshness=fresh,
        ranges=[LongRange(run, _state_of_range(run)) for run in _long_ranges(runs)],
        unreadable=sum(run.unreadable > 0 for run in runs),
        is_cut=len(runs) >= MOST_RUNS,
    )


def _latest_loaded(dates: Mapping[date, LogDate]) -> date | None:
    return max((found.log_date for found in dates.values() if found.is_loaded), default=None)


def deciding(runs: Sequence[Run], log_date: date) -> Run:
    """The latest run; but one that skipped the date for want of a file left it as the run before had."""
    return next((run for run in runs if not _skipped(run, log_date)), runs[0])


def state_of(run: Run, log_date: date) -> State:
    """How a run left a log date of its."""
    if not run.is_finished:
        return RUNNING
    if run.state == "failed":
        return FAILED
    if _skipped(run, log_date):
        return MISSING
    counts = run.counts_of(log_date)
    if counts and counts.refused:
        return BAD_LINES
    return WARNED if run.broken_checks else LOADED


def _dates_of(run: Run) -> Iterable[date]:
    """The dates that a run puts on the calendar: of a long range those alone that it has loaded."""
    if not run.has_long_range:
        return run.dates or ()
    return run.loads[EVENTS_TASK].dates if _has_loaded(run) else ()


def _has_loaded(run: Run) -> bool:
    return run.state == "success" and EVENTS_TASK in run.loads


def _long_ranges(runs: Sequence[Run]) -> list[Run]:
    """The runs of long ranges that are not loaded, be it by a later run."""
    found: list[Run] = []
    loaded: list[LogDates] = []
    for run in runs:
        if run.has_long_range and not _has_loaded(run):
            dates = run.dates
            # Each may be compared with every run: of long ranges there are few.
            if not dates or not any(later.first <= dates.first and dates.last <= later.last for later in loaded):
                found.append(run)
        if run.dates and run.state == "success":
            loaded.append(run.dates)
    return found


def _state_of_range(run: Run) -> State:
    if not run.is_finished:
        return RUNNING
    return LOADED if run.state == "success" else FAILED


def _add_what_is_loaded(dates: dict[date, LogDate], runs: Iterable[Run]) -> None:
    """Give the dates what the loads have left in the tables, in the order in which they were written.

    Each load of a table waits for the one before, so they end one after another.
    """
    for run, load in _in_order(runs, EVENTS_TASK):
        for log_date, counts in load.dates.items():
            if log_date in dates:
                dates[log_date].counts, dates[log_date].counts_run = counts, run
    for run, load in _in_order(runs, PLAYS_TASK):
        for log_date in _own_dates(load, dates):
            dates[log_date].plays, dates[log_date].plays_run = load.rows_of(log_date), run
        for log_date, rows in load.elsewhere.items():
            if log_date in dates:
                dates[log_date].plays = rows


def _own_dates(load: PublishedLoad, dates: Mapping[date, LogDate]) -> list[date]:
    """Those of the dates that a load is of."""
    span = load.log_dates
    if span is None:
        return []
    if len(span) <= len(dates):
        return [log_date for log_date in span if log_date in dates]
    return [log_date for log_date in dates if span.first <= log_date <= span.last]


def _in_order(runs: Iterable[Run], task_id: str) -> list[tuple[Run, PublishedLoad]]:
    loads = [(run, run.loads[task_id]) for run in runs if task_id in run.loads]
    return sorted(loads, key=lambda one: one[1].ended_at)


def _skipped(run: Run, log_date: date) -> bool:
    return run.state == "success" and EVENTS_TASK in run.loads and not run.counts_of(log_date)


def _with_gaps(dates: dict[date, LogDate]) -> dict[date, LogDate]:
    """The dates, and those that are missing between two that are loaded, the latest ones if there is no more room."""
    loaded = sorted(found.log_date for found in dates.values() if found.state in (LOADED, WARNED, BAD_LINES))
    missing: dict[date, LogDate] = {}
    for earlier, later in reversed(list(itertools.pairwise(loaded))):
        between = (later - earlier).days - 1
        if between > LONGEST_GAP_DAYS or len(dates) + len(missing) + between > MOST_DATES:
            continue
        for days in range(1, between + 1):
            log_date = earlier + timedelta(days)
            if log_date not in dates:
                missing[log_date] = LogDate(log_date)
    return missing | dates
