"""What became of runs, as Airflow's metadata database has it: what failed and why, and which checks warn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from types import SimpleNamespace
from typing import Any

from airflow.models.backfill import Backfill
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import func, select

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import CHECKS, FAILURE, PublishedFailure, read_checks, read_failure

UNFINISHED = ("queued", "running")
#: A message names so many of a backfill's failed runs; the page shows all.
MOST_RUNS = 20
# A backfill's warnings are read so many runs at a time.
AT_ONCE = 200


@dataclass(frozen=True)
class FailedTask:
    """A task that failed after its last try. ``failure`` is None where it did not come to say why."""

    task_id: str
    tries: int
    failure: PublishedFailure | None


@dataclass(frozen=True)
class Warned:
    """A check of severity warn that found rows; how many, and in how many runs."""

    check: str
    proves: str
    rows: int
    runs: int = 1


@dataclass(frozen=True)
class Outcome:
    """A run that has ended. ``dates`` is None for a run that has no log date."""

    dag_id: str
    run_id: str
    kind: str
    dates: LogDates | None
    failed: bool
    tasks: Sequence[FailedTask] = ()
    warned: Sequence[Warned] = ()


@dataclass(frozen=True)
class BackfillOutcome:
    """A backfill whose last run has ended: how many runs it has, how many failed, and the first of these."""

    number: int
    dag_id: str
    first: str
    last: str
    runs: int
    failed: int
    shown: Sequence[Outcome]
    warned: Sequence[Warned] = ()


def read_outcome(session: Any, run: Any, *, has_log_date: bool) -> Outcome:
    """What became of a run.

    :param run: Airflow's model of it, or a row with its columns.
    """
    failed = str(run.state) == "failed"
    return Outcome(
        dag_id=run.dag_id,
        run_id=run.run_id,
        kind=_kind(run),
        dates=_dates(run) if has_log_date else None,
        failed=failed,
        tasks=_failed_tasks(session, run) if failed else (),
        warned=_warned(session, [run.id]),
    )


def is_last_of_backfill(session: Any, run: Any) -> bool:
    """Whether no other run of the run's backfill is queued or under way.

    Two schedulers that end the last two runs at once must not each take the other's for unfinished, so the second waits
    here until the first has committed.
    """
    session.execute(select(Backfill.id).where(Backfill.id == run.backfill_id).with_for_update())
    others = select(func.count()).where(
        DagRun.backfill_id == run.backfill_id, DagRun.id != run.id, DagRun.state.in_(UNFINISHED)
    )
    return not session.scalar(others)


def read_backfill(session: Any, run: Any) -> BackfillOutcome:
    """What became of all runs of the run's backfill."""
    found = session.execute(
        select(DagRun.id, DagRun.dag_id, DagRun.run_id, DagRun.run_type, DagRun.state, DagRun.conf, DagRun.logical_date)
        .where(DagRun.backfill_id == run.backfill_id)
        .order_by(DagRun.logical_date, DagRun.id)
    ).all()
    failed = [one for one in found if str(one.state) == "failed"]
    dates = sorted(str(_day(one)) for one in found)
    shown = [
        Outcome(one.dag_id, one.run_id, _kind(one), _dates(one), True, _failed_tasks(session, one))
        for one in failed[:MOST_RUNS]
    ]
    warned = _warned(session, [one.id for one in found])
    return BackfillOutcome(run.backfill_id, run.dag_id, dates[0], dates[-1], len(found), len(failed), shown, warned)


def _kind(run: Any) -> str:
    return str(run.run_type).rpartition(".")[2].lower()


def _day(run: Any) -> object:
    return run.logical_date.astimezone(UTC).date() if run.logical_date else None


def _dates(run: Any) -> LogDates | None:
    day = _day(run)
    asked = {
        "params": run.conf if isinstance(run.conf, dict) else {},
        "dag_run": SimpleNamespace(run_type=run.run_type),
        "ds": day and str(day),
    }
    try:
        return LogDates.of_run(asked)
    except SettingsError:
        return None


def _failed_tasks(session: Any, run: Any) -> list[FailedTask]:
    published = {
        task_id: read_failure(value)
        for task_id, value in session.execute(
            select(XComModel.task_id, XComModel.value).where(
                XComModel.dag_run_id == run.id, XComModel.key == FAILURE, XComModel.map_index == -1
            )
        )
    }
    failed = session.execute(
        select(TaskInstance.task_id, TaskInstance.try_number)
        .where(TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id, TaskInstance.state == "failed")
        .order_by(TaskInstance.task_id)
    )
    return [FailedTask(task_id, tries, published.get(task_id)) for task_id, tries in failed]


def _warned(session: Any, runs: Sequence[int]) -> list[Warned]:
    """The checks of severity warn that found rows in these runs, by name; the rows themselves stay where they are."""
    found: dict[str, Warned] = {}
    for start in range(0, len(runs), AT_ONCE):
        values = session.scalars(
            select(XComModel.value).where(
                XComModel.dag_run_id.in_(runs[start : start + AT_ONCE]), XComModel.key == CHECKS
            )
        )
        for checks in filter(None, map(read_checks, values)):
            for broken in checks.broken:
                if broken.fails or broken.offending is None:
                    continue
                before = found.get(broken.check, Warned(broken.check, broken.proves, 0, 0))
                found[broken.check] = Warned(
                    broken.check, broken.proves, before.rows + broken.offending, before.runs + 1
                )
    return [found[name] for name in sorted(found)]
