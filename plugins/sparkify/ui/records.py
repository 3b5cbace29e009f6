"""What Airflow's metadata database holds of the daily DAG: its runs, and what their tasks published.

Each function runs one statement, whatever the number of runs, and finds its rows by an index that Airflow makes.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import Text, and_, cast, select

from sparkify.addresses import DAG_ID
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.log_dates import LogDates, parse_date
from sparkify.loading.published import (
    CHECKS,
    FAILURE,
    LOAD,
    BrokenCheck,
    DateCounts,
    PublishedChecks,
    PublishedLoad,
    read_checks,
    read_failure,
    read_load,
)

#: The tasks whose loads tell how much came for a log date, and what became of it.
EVENTS_TASK, PLAYS_TASK = "stage_events", "songplays"
CHECK_TASKS = ("check_staging", "check_warehouse")

# The newest; who keeps more runs than that in Airflow's database sees the rest in Airflow's own lists.
MOST_RUNS = 5_000
#: A range of more days is one entry of the page until it is loaded: with a slip of the pen in it, it is of centuries.
LONG_RANGE_DAYS = 400
# Up to so many runs are asked for by their numbers.
FEW = 200
# Of a long answer only so many rows are there at once: Python's garbage collector looks at all that is, and that of an
# API server takes longer than a page.
AT_ONCE = 100
UNFINISHED = ("queued", "running")
# Results of finished runs, which the calendar needs of all. A cleared run gets a new end, and so a new entry.
_OUTCOMES: dict[tuple[str, datetime | None], tuple[Any, ...]] = {}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Run:
    """A run of the DAG, and what its tasks published. ``dates`` is None where it was given none that it can load.

    ``refused_range`` is then the range that it was given, if it was a long one. ``checks`` is empty if only their
    outcome was read: how many passed, and which did not. ``failures`` are the sentences of failed tasks.
    ``unreadable`` counts what is of another version or shape.
    """

    number: int
    run_id: str
    kind: str
    state: str
    dates: LogDates | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    refused_range: str = ""
    loads: dict[str, PublishedLoad] = field(default_factory=dict)
    checks: dict[str, PublishedChecks] = field(default_factory=dict)
    checks_passed: int = 0
    broken_checks: Sequence[BrokenCheck] = ()
    failed_tasks: Sequence[str] = ()
    failures: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0

    @property
    def moved_at(self) -> datetime:
        """When it was last sent on its way: a run that was cleared is newer than one that was made since."""
        return max(self.queued_at or LONG_AGO, self.started_at or LONG_AGO)

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def duration(self) -> float | None:
        """Its seconds, once it has ended."""
        if self.started_at and self.ended_at and self.is_finished:
            return (self.ended_at - self.started_at).total_seconds()
        return None

    @property
    def has_long_range(self) -> bool:
        """Whether it is of more dates than are shown before they are loaded."""
        return bool(self.refused_range) or (self.dates is not None and len(self.dates) > LONG_RANGE_DAYS)

    def counts_of(self, log_date: date) -> DateCounts | None:
        """Files, lines and refused lines that this run found of the date; None if it has not said so."""
        load = self.loads.get(EVENTS_TASK)
        return None if load is None else load.dates.get(log_date)


@dataclass(frozen=True)
class Schedule:
    """The DAG's schedule; a DAG that Airflow does not know has none."""

    is_paused: bool


def read_schedule(session: Any) -> Schedule:
    """Whether the schedule is on."""
    return Schedule(session.execute(select(DagModel.is_paused).where(DagModel.dag_id == DAG_ID)).scalar() is not False)


_RUNS = select(
    DagRun.id,
    DagRun.run_id,
    DagRun.run_type,
    DagRun.state,
    # As text it is one object; and few dates are read of many runs.
    cast(DagRun.conf, Text).label("conf"),
    DagRun.logical_date,
    DagRun.queued_at,
    DagRun.start_date,
    DagRun.end_date,
).where(DagRun.dag_id == DAG_ID)


def read_runs(session: Any) -> list[Run]:
    """The DAG's runs, the one that moved last first, without what they published."""
    rows = session.execute(_RUNS.order_by(DagRun.id.desc()).limit(MOST_RUNS))
    runs = [_run(row) for row in itertools.chain.from_iterable(rows.partitions(AT_ONCE))]
    return sorted(runs, key=lambda run: (run.moved_at, run.number), reverse=True)


def add_published(session: Any, runs: Collection[Run]) -> None:
    """Give the runs all that their tasks published."""
    for run in runs:
        run.loads, run.checks = {}, {}
    for run, task_id, record in _published(session, runs):
        if isinstance(record, PublishedLoad):
            run.loads[task_id] = record
        else:
            run.checks[task_id] = record


def add_outcomes(session: Any, runs: Collection[Run]) -> None:
    """Give the runs what they read and loaded of the logs, how many checks passed, and which did not."""
    unknown = []
    for run in runs:
        if known := _OUTCOMES.get((run.run_id, run.ended_at)):
            run.dates, run.loads, run.checks_passed, run.broken_checks = known
        else:
            unknown.append(run)
    for run, task_id, record in _published(session, unknown, (EVENTS_TASK, PLAYS_TASK, *CHECK_TASKS)):
        if isinstance(record, PublishedLoad):
            run.loads[task_id] = record
    if len(_OUTCOMES) > 2 * MOST_RUNS:
        _OUTCOMES.clear()
    # A task of a run that somebody marked may still be telling, and what could not be read may be deleted.
    settled = datetime.now(UTC) - timedelta(minutes=1)
    for run in unknown:
        if run.is_finished and run.ended_at and run.ended_at < settled and not run.unreadable:
            _OUTCOMES[run.run_id, run.ended_at] = run.dates, run.loads, run.checks_passed, run.broken_checks


def add_checks(session: Any, runs: Collection[Run]) -> None:
    """Give the runs what their checks found."""
    for run, task_id, record in _published(session, runs, CHECK_TASKS):
        if isinstance(record, PublishedChecks):
            run.checks[task_id] = record


def _published(
    session: Any, runs: Collection[Run], tasks: Collection[str] = ()
) -> Iterator[tuple[Run, str, PublishedLoad | PublishedChecks]]:
    """What these tasks of the runs published, by run and task; that of all tasks, if none is named.

    What this version cannot read is left out and counted.
    """
    if not runs:
        return
    by_number = {run.number: run for run in runs}
    for run in runs:
        run.checks_passed, run.broken_checks, run.unreadable = 0, (), 0
    wanted = [
        XComModel.dag_id == DAG_ID,
        XComModel.key.in_((LOAD, CHECKS)),
        # A list of all would be longer than the answer; of a few it spares reading the others'.
        XComModel.dag_run_id.in_(by_number)
        if len(by_number) <= FEW
        else XComModel.dag_run_id.between(min(by_number), max(by_number)),
    ]
    if tasks:
        wanted.append(XComModel.task_id.in_(tasks))
    found = select(XComModel.dag_run_id, XComModel.task_id, XComModel.key, XComModel.value).where(*wanted)
    for number, task_id, key, value in itertools.chain.from_iterable(session.execute(found).partitions(AT_ONCE)):
        if number not in by_number:
            continue
        run = by_number[number]
        # A deployment may keep XCom elsewhere than in its database: then there is no more than a reference here.
        record = read_load(value) if key == LOAD else read_checks(value)
        if record is None:
            run.unreadable += 1
            continue
        if isinstance(record, PublishedChecks):
            run.checks_passed += record.number_passed
            run.broken_checks = (*run.broken_checks, *record.broken)
        elif task_id == EVENTS_TASK and record.log_dates:
            # Its params may be read otherwise by now.
            run.dates = record.log_dates
        yield run, task_id, record


def add_failed_tasks(session: Any, runs: Collection[Run]) -> None:
    """Give the runs the names of their tasks that failed, and why."""
    by_id = {run.run_id: run for run in runs}
    failed = (
        select(TaskInstance.run_id, TaskInstance.task_id, XComModel.value)
        .outerjoin(
            XComModel,
            and_(
                XComModel.dag_id == TaskInstance.dag_id,
                XComModel.run_id == TaskInstance.run_id,
                XComModel.task_id == TaskInstance.task_id,
                XComModel.map_index == TaskInstance.map_index,
                XComModel.key == FAILURE,
            ),
        )
        .where(TaskInstance.dag_id == DAG_ID, TaskInstance.state == "failed")
        .order_by(TaskInstance.end_date)
    )
    if len(by_id) <= FEW:
        failed = failed.where(TaskInstance.run_id.in_(by_id))
    for run_id, task_id, told in session.execute(failed):
        if run_id in by_id:
            run = by_id[run_id]
            run.failed_tasks = (*run.failed_tasks, task_id)
            if told is not None and (failure := read_failure(told)):
                run.failures[task_id] = failure.told


def read_run(session: Any, run_id: str) -> Run | None:
    """One run with all it published; None if there is none of this id."""
    row = session.execute(_RUNS.where(DagRun.run_id == run_id)).one_or_none()
    if row is None:
        return None
    run = _run(row)
    add_published(session, [run])
    add_failed_tasks(session, [run])
    return run


def covering(runs: Collection[Run], log_date: date) -> Iterator[Run]:
    """Those of the runs that are of the log date, in their order."""
    return (run for run in runs if run.dates and run.dates.first <= log_date <= run.dates.last)


def _run(row: Any) -> Run:
    ds = row.logical_date.date().isoformat() if row.logical_date else None
    dates, refused_range = _dates(row.conf, row.run_type, ds)
    return Run(
        number=row.id,
        run_id=row.run_id,
        kind=str(row.run_type),
        state=str(row.state),
        dates=dates,
        queued_at=row.queued_at,
        started_at=row.start_date,
        ended_at=row.end_date,
        refused_range=refused_range,
    )


@functools.lru_cache(2 * MOST_RUNS)
def _dates(conf: str | None, run_type: Any, ds: str | None) -> tuple[LogDates | None, str]:
    """The run's log dates as its tasks work them out: of its params, else its logical date; or the range refused."""
    try:
        found = json.loads(conf or "{}")
    except (ValueError, RecursionError):
        found = None
    params = found if isinstance(found, dict) else {}
    run = SimpleNamespace(run_type=run_type)
    try:
        return LogDates.of_run({"params": params, "dag_run": run, "ds": ds}), ""
    except SettingsError:
        return None, _refused_range(params)


def _refused_range(params: Mapping[str, Any]) -> str:
    """The range that params name and no run can load, in words; '' where they name none, or a short one."""
    try:
        first, last = (parse_date(name, params.get(name)) for name in ("log_date", "through"))
    except SettingsError:
        return ""
    return f"{first} to {last}" if (last - first).days >= LONG_RANGE_DAYS else ""
