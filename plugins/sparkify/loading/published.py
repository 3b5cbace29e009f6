"""What a task tells of its work as XCom. The page, the run's note and its links read it there, not in the warehouse."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkify.loading.checks import SEVERITIES
from sparkify.loading.history import utc_now

if TYPE_CHECKING:
    from sparkify.loading.checks import CheckResult
    from sparkify.loading.history import Load
    from sparkify.loading.log_dates import LogDates

#: The XCom keys. A task that is run again replaces what it told before.
LOAD = "sparkify_load"
CHECKS = "sparkify_checks"
# Airflow's metadata database is no place for long texts; all of them stand in data_quality_results.
LONGEST_SAMPLE = 4_000


def publish_load(context: Mapping[str, Any], load: Load) -> None:
    """Tell of a load: its row of ``load_history``, and the counts of each log date where it has them."""
    value = {
        "table": load.table,
        **_span(load.log_dates),
        **load.counts(),
        "started_at": f"{load.started_at.isoformat()}Z",
        "ended_at": f"{utc_now().isoformat()}Z",
        "dates": load.by_date,
    }
    context["ti"].xcom_push(key=LOAD, value=value)


def publish_checks(context: Mapping[str, Any], dates: LogDates, results: Sequence[CheckResult]) -> None:
    """Tell what the checks of a task found: the names of those that passed, and all about those that did not.

    The page reads the names of thousands of runs at once, and a text is one object where a list is one for each.
    """
    value = {
        **_span(dates),
        "checked_at": f"{utc_now().isoformat()}Z",
        "passed": {
            severity: " ".join(
                result.check.name for result in results if result.passed and result.check.severity == severity
            )
            for severity in SEVERITIES
        },
        "broken": [_broken(result) for result in results if not result.passed],
    }
    context["ti"].xcom_push(key=CHECKS, value=value)


def counted(number: int, what: str) -> str:
    """``1 file``, ``1,234 lines``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _span(dates: LogDates | None) -> dict[str, str | None]:
    return {"first": str(dates.first) if dates else None, "last": str(dates.last) if dates else None}


def _broken(result: CheckResult) -> dict[str, Any]:
    sample = [[_plain(value) for value in row] for row in result.shown_sample()]
    while len(json.dumps(sample)) > LONGEST_SAMPLE:
        sample.pop()
    return {
        "check": result.check.name,
        "severity": result.check.severity,
        "proves": result.check.proves,
        "offending": result.offending,
        "fails": result.fails_the_task,
        "error": result.error,
        "columns": list(result.columns),
        "sample": sample,
    }


def _plain(value: object) -> str | None:
    return None if value is None else str(value).replace("\0", "")
