"""Makes Airflow run a DAG for log dates, waits for the runs, and reports what failed and why."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.errors import LocalStackError, RunFailedError, UsageError
from local.stack.airflow_api import AirflowApi, ApiConflictError, DagRun, wait_for_dag

#: As the DAG's own limit of its param `through`, so that a slip ends here and makes no run.
LONGEST_RANGE_DAYS = 3_660
_POLL_SECONDS = 1.0
_LOG_LINES = 15
# An error is told as a whole, if it is not that of something gone wild.
_ERROR_LINES = 500
_LINE_LENGTH = 2000
_REPORTED_RUNS = 5


@dataclass(frozen=True)
class Backfill:
    """What to backfill; both dates are included."""

    dag_id: str
    first: datetime.date
    last: datetime.date
    max_active_runs: int = 4
    backwards: bool = False
    reprocess: str = "none"

    def request(self) -> dict[str, Any]:
        """Return the body of Airflow's request."""
        return {
            "dag_id": self.dag_id,
            "from_date": _midnight(self.first),
            "to_date": _midnight(self.last),
            "run_backwards": self.backwards,
            "max_active_runs": self.max_active_runs,
            "reprocess_behavior": self.reprocess,
        }


class Runner:
    """Runs a DAG and waits. `tell` gets sentences, `progress` how many runs of how many are done."""

    def __init__(self, api: AirflowApi, tell: Callable[[str], None], progress: Callable[[int, int], None]) -> None:
        self._api = api
        self._tell = tell
        self._progress = progress

    def backfill(self, backfill: Backfill) -> int:
        """Run a backfill to its end and return how many runs it made; RunFailedError if any failed.

        Runs of its dates that are under way already, as those of an interrupted command are, are waited for too.
        """
        self._make_ready(backfill.dag_id)
        dates = set(self._create(backfill))
        runs = self._follow(backfill, dates | self._under_way(backfill))
        self._fail_if_any_failed(backfill.dag_id, runs)
        return len(dates)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Make one run with these params, wait for it and return its id; RunFailedError if it failed."""
        self._make_ready(dag_id)
        unknown = conf.keys() - self._api.params(dag_id)
        if unknown:
            raise LocalStackError(
                f"{dag_id} has no param {', '.join(sorted(unknown))}, and would ignore it. It has "
                f"{', '.join(sorted(self._api.params(dag_id))) or 'none'}."
            )
        now = datetime.datetime.now(datetime.UTC)
        parts = ("manual", str(conf["log_date"])) if "log_date" in conf else ("manual",)
        run = self._api.trigger(dag_id, "__".join((*parts, now.isoformat())), conf)
        self._progress(0, 1)
        while not run.finished:
            time.sleep(_POLL_SECONDS / 2)
            run = self._api.run(dag_id, run.run_id)
        self._progress(1, 1)
        self._fail_if_any_failed(dag_id, [run])
        return run.run_id

    def _make_ready(self, dag_id: str) -> None:
        if wait_for_dag(self._api, dag_id)["is_paused"]:
            self._tell(f"{dag_id} was paused, and a paused DAG runs nothing: it is unpaused now.")
            self._api.unpause(dag_id)

    def _create(self, backfill: Backfill) -> list[str]:
        told = False
        while True:
            active = self._api.active_backfill(backfill.dag_id)
            dates = self._api.backfill_dates(backfill.request())
            # A date whose run is under way needs no other one, unless it is to be run again when it has ended.
            if not dates and (active is None or backfill.reprocess != "completed"):
                return []
            if active is None:
                try:
                    self._api.create_backfill(backfill.request())
                except ApiConflictError:
                    continue
                return dates
            if not told:
                self._tell(
                    f"Backfill {active} of {backfill.dag_id} is not yet completed for Airflow, which runs one at a "
                    "time and looks every half a minute whether it is over: waiting for it."
                )
                told = True
            time.sleep(_POLL_SECONDS)

    def _under_way(self, backfill: Backfill) -> set[str]:
        return {str(run.logical_date) for run in self._runs(backfill) if not run.finished}

    def _follow(self, backfill: Backfill, dates: set[str]) -> list[DagRun]:
        while True:
            runs = [run for run in self._runs(backfill) if run.logical_date in dates]
            finished = sum(run.finished for run in runs)
            self._progress(finished, len(dates))
            if finished == len(dates):
                return runs
            time.sleep(_POLL_SECONDS)

    def _runs(self, backfill: Backfill) -> Iterator[DagRun]:
        return self._api.runs(backfill.dag_id, _midnight(backfill.first), _midnight(backfill.last))

    def _fail_if_any_failed(self, dag_id: str, runs: Sequence[DagRun]) -> None:
        failed = [run for run in runs if run.state != "success"]
        if not failed:
            return
        lines = [f"{len(failed)} of {len(runs)} runs of {dag_id} failed."]
        for run in failed[:_REPORTED_RUNS]:
            lines.append(f"\nRun {run.run_id} ({run.state}):")
            for task in self._api.failed_tasks(dag_id, run.run_id, _LOG_LINES):
                lines.append(f"  {task.task_id} failed at try {task.tries}; its log ends:")
                lines += [f"    {_shortened(line)}" for line in task.log[:_ERROR_LINES]]
                if len(task.log) > _ERROR_LINES:
                    lines.append(f"    … and {len(task.log) - _ERROR_LINES} more lines; see them in Airflow's UI.")
        if len(failed) > _REPORTED_RUNS:
            lines.append(f"\n{len(failed) - _REPORTED_RUNS} more runs failed; see them in Airflow's UI.")
        raise RunFailedError("\n".join(lines))


def parse_date(text: str) -> datetime.date:
    """Return the log date that a user wrote as YYYY-MM-DD."""
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.isoformat() != text:
        raise LocalStackError(f"{text!r} is not a date. Write one as YYYY-MM-DD, for example 2018-11-01.")
    return date


def check_range(first: datetime.date, last: datetime.date) -> None:
    """Refuse a range of log dates that no run could load: backwards, too long, or ending after tomorrow (UTC)."""
    if last < first:
        raise UsageError(f"{last} is before {first}. Give the earlier date first.")
    days = (last - first).days
    if days > LONGEST_RANGE_DAYS:
        raise UsageError(
            f"{first} and {last} lie {days:,} days apart; at most {LONGEST_RANGE_DAYS:,} are possible. "
            "Check the years of both dates, or load the range in parts."
        )
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(1)
    if last > tomorrow:
        raise UsageError(
            f"{last} lies after tomorrow ({tomorrow} UTC), and no file of that day can be there yet. Check its year."
        )


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]} …"


def _midnight(date: datetime.date) -> str:
    return f"{date.isoformat()}T00:00:00Z"
