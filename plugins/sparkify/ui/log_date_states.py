"""What became of each log date, worked out from the runs that were of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sparkify.loading.published import counted
from sparkify.ui.records import EVENTS_TASK, PLAYS_TASK, Run

# A range with a slip of the pen in it must not make a page of a thousand years.
MOST_DATES = 10_000


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
MISSING = State("missing", "Missing", "○", "between dates that are loaded, and never loaded itself", True)
RUNNING = State("running", "Running", "…", "a run of it is waiting or at work")
STATES = (LOADED, WARNED, BAD_LINES, FAILED, MISSING, RUNNING)


@dataclass
class LogDate:
    """A log date as its latest run left it; ``runs`` are all that were of it, the latest first."""

    log_date: date
    state: State = MISSING
    run: Run | None = None
    runs: list[Run] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[str, int]:
        """Files, lines and refused lines of the date, as far as its run told."""
        return (self.run.counts_of(self.log_date) if self.run else None) or {}

    @property
    def plays(self) -> int | None:
        """The plays of the date; None if its run was of several dates, whose plays were counted together."""
        if self.run is None or self.run.dates is None or len(self.run.dates) > 1:
            return None
        load = self.run.loads.get(PLAYS_TASK)
        return None if load is None else int(load.get("rows_inserted", 0))

    @property
    def broken_checks(self) -> Sequence[Mapping[str, Any]]:
        return self.run.broken_checks if self.run else ()

    @property
    def sentence(self) -> str:
        """All of it in words, for the tooltip and for those who listen to the page."""
        told = [f"{self.log_date:%A}, {self.log_date.day} {self.log_date:%B %Y}: {self.state.label.lower()}."]
        told += [f"{words}." for words in (self._files(), self._checks(), self._failure()) if words]
        return " ".join(told)

    def _files(self) -> str:
        if not self.counts:
            return ""
        words = [counted(self.counts.get("files", 0), "file"), counted(self.counts.get("lines", 0), "line")]
        if self.counts.get("refused"):
            words.append(f"{self.counts['refused']:,} left out")
        if self.plays is not None:
            words.append(counted(self.plays, "play"))
        return ", ".join(words)

    def _checks(self) -> str:
        passed = self.run.checks_passed if self.run else 0
        number = passed + len(self.broken_checks)
        return f"{passed} of {counted(number, 'check')} passed" if number else ""

    def _failure(self) -> str:
        if self.state is not FAILED or self.run is None or not self.run.failed_tasks:
            return ""
        return f"Failed at {', '.join(self.run.failed_tasks)}"


def of_runs(runs: Iterable[Run]) -> dict[date, LogDate]:
    """The state of every log date that a run was of, and of those missing in between, in order.

    :param runs: the latest first; their loads of events and plays, their checks and their failed tasks are known.
    """
    dates: dict[date, LogDate] = {}
    for run in runs:
        for log_date in run.dates or ():
            if len(dates) >= MOST_DATES and log_date not in dates:
                break
            dates.setdefault(log_date, LogDate(log_date)).runs.append(run)
    for found in dates.values():
        found.run = deciding(found.runs, found.log_date)
        found.state = state_of(found.run, found.log_date)
    return dict(sorted(_with_gaps(dates).items()))


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
    if (run.counts_of(log_date) or {}).get("refused"):
        return BAD_LINES
    return WARNED if run.broken_checks else LOADED


def _skipped(run: Run, log_date: date) -> bool:
    return run.state == "success" and EVENTS_TASK in run.loads and not run.counts_of(log_date)


def _with_gaps(dates: dict[date, LogDate]) -> dict[date, LogDate]:
    loaded = [log_date for log_date, found in dates.items() if found.state in (LOADED, WARNED, BAD_LINES)]
    if not loaded:
        return dates
    first, last = min(loaded), max(loaded)
    span = (first + timedelta(days) for days in range(min((last - first).days + 1, MOST_DATES)))
    return {**{log_date: LogDate(log_date) for log_date in span}, **dates}
