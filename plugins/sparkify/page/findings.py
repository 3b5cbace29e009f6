"""The results of the quality checks, run by run, and a reader's choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.page.records import Run

PASSED, BROKEN, NOT_RUN = "passed", "broken", "not-run"
#: How a check can have ended, with the words for it.
OUTCOMES = {BROKEN: "found rows", NOT_RUN: "could not run", PASSED: "passed"}


@dataclass(frozen=True)
class Finding:
    """What one check found in one run. ``sample`` holds some of the offending rows, each a value a column."""

    check: str
    severity: str
    outcome: str
    run: Run
    task_id: str
    checked_at: str
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

    check: str = ""
    severity: str = ""
    outcome: str = ""
    date: str = ""
    text: str = ""

    def takes(self, finding: Finding) -> bool:
        """Whether the finding is one of them."""
        if self.outcome == "any":
            outcome = True
        else:
            outcome = finding.outcome == self.outcome if self.outcome else finding.outcome != PASSED
        dates = finding.run.dates
        return (
            outcome
            and self.check in ("", finding.check)
            and self.severity in ("", finding.severity)
            and (not self.date or (dates is not None and str(dates.first) <= self.date <= str(dates.last)))
            and (not self.text or any(self.text.lower() in words.lower() for words in finding.words))
        )


def of_runs(runs: Iterable[Run]) -> list[Finding]:
    """Every finding of the runs, in the runs' order; those that did not pass before those that did."""
    return [finding for run in runs for finding in of_run(run)]


def of_run(run: Run) -> list[Finding]:
    """Every finding of one run."""
    broken = [_broken(run, task, found, check) for task, found in run.checks.items() for check in found["broken"]]
    passed = [
        Finding(check, severity, PASSED, run, task, found["checked_at"])
        for task, found in run.checks.items()
        for severity, checks in found["passed"].items()
        for check in checks
    ]
    return sorted(broken, key=lambda finding: not finding.fails) + passed


def _broken(run: Run, task_id: str, found: Mapping[str, Any], broken: Mapping[str, Any]) -> Finding:
    return Finding(
        check=broken["check"],
        severity=broken["severity"],
        outcome=NOT_RUN if broken["offending"] is None else BROKEN,
        run=run,
        task_id=task_id,
        checked_at=found["checked_at"],
        proves=broken["proves"],
        offending=broken["offending"],
        error=broken["error"],
        columns=broken["columns"],
        sample=broken["sample"],
        fails=broken["fails"],
    )
