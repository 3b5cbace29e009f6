"""The results of the quality checks, run by run, and a reader's choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query

from sparkify.loading.published import BrokenCheck, PublishedChecks
from sparkify.ui.answers import LONGEST_ECHO
from sparkify.ui.records import Run

Asked = Annotated[str, Query(max_length=LONGEST_ECHO)]

PASSED, BROKEN, NOT_RUN = "passed", "broken", "not-run"
#: How a check can have ended, with the words for it.
OUTCOMES = {BROKEN: "found rows", NOT_RUN: "could not run", PASSED: "passed"}


# A long history has tens of thousands of them: slots are cheap, and so is not being frozen.
@dataclass(slots=True)
class Finding:
    """What one check found in one run. ``sample`` holds some of the offending rows, each a value a column."""

    check: str
    severity: str
    outcome: str
    run: Run
    task_id: str
    checked_at: datetime
    proves: str = ""
    offending: int | None = 0
    error: str = ""
    columns: Sequence[str] = ()
    sample: Sequence[Sequence[str | None]] = ()
    fails: bool = False

    @property
    def words(self) -> Iterator[str]:
        """All that a search looks through."""
        yield from (self.check, self.proves, self.error, *self.columns, str(self.run.dates or ""))
        yield from (value for row in self.sample for value in row if value)


@dataclass(frozen=True)
class Choice:
    """Which findings a reader asked for; '' is any. Without an outcome only those that did not pass are shown."""

    check: Asked = ""
    severity: Asked = ""
    outcome: Asked = ""
    date: Asked = ""
    text: Asked = ""

    @property
    def wants_passed(self) -> bool:
        return self.outcome in (PASSED, "any")

    def of_runs(self, runs: Iterable[Run]) -> Iterator[Finding]:
        """Those findings of the runs that are among them, in the runs' order."""
        return (
            finding
            for run in runs
            if self.takes_run(run)
            for finding in of_run(run, passed=self.wants_passed)
            if self._takes(finding)
        )

    def takes_run(self, run: Run) -> bool:
        """Whether the run is of the date that was asked for."""
        return not self.date or bool(run.dates and str(run.dates.first) <= self.date <= str(run.dates.last))

    def _takes(self, finding: Finding) -> bool:
        return (
            self.outcome in ("", "any", finding.outcome)
            and self.check in ("", finding.check)
            and self.severity in ("", finding.severity)
            and (not self.text or any(self.text.lower() in words.lower() for words in finding.words))
        )


def names(runs: Iterable[Run]) -> list[str]:
    """The names of all checks in the runs' results."""
    found: set[str] = set()
    for run in runs:
        for told in run.checks.values():
            found.update(" ".join(told.passed.values()).split(), (broken.check for broken in told.broken))
    return sorted(found)


def of_run(run: Run, *, passed: bool = True) -> list[Finding]:
    """The findings of one run: those that failed it first; those that passed last, or not at all."""
    broken = [_broken(run, task, found, check) for task, found in run.checks.items() for check in found.broken]
    broken.sort(key=lambda finding: not finding.fails)
    if not passed:
        return broken
    return broken + [
        Finding(check, severity, PASSED, run, task, found.checked_at)
        for task, found in run.checks.items()
        for severity, checks in found.passed.items()
        for check in checks.split()
    ]


def _broken(run: Run, task_id: str, found: PublishedChecks, broken: BrokenCheck) -> Finding:
    return Finding(
        check=broken.check,
        severity=broken.severity,
        outcome=NOT_RUN if broken.offending is None else BROKEN,
        run=run,
        task_id=task_id,
        checked_at=found.checked_at,
        proves=broken.proves,
        offending=broken.offending,
        error=broken.error,
        columns=broken.columns,
        sample=broken.sample,
        fails=broken.fails,
    )
