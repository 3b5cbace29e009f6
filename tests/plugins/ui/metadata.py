"""An Airflow metadata database with runs of the daily DAG in it, as their tasks would have left them."""

from __future__ import annotations

import importlib
import pkgutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import airflow.models
from airflow.models.base import Base
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import Engine, create_engine, insert

from sparkify.addresses import DAG_ID
from sparkify.loading.published import CHECKS, LOAD, VERSION
from sparkify.tables import STAR

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LOADS = {
    "stage_events": "staging_events",
    "stage_songs": "staging_songs",
    **{table.name: table.name for table in STAR},
}
STAGING_CHECKS = tuple(f"staging_events.rule_number_{number}_of_many_holds" for number in range(14))
WAREHOUSE_CHECKS = tuple(f"songplays.rule_number_{number}_of_many_holds" for number in range(20))
BROKEN = {
    "check": "staging_events.page_is_known",
    "severity": "warn",
    "proves": "every page is a known one",
    "offending": 7,
    "fails": False,
    "error": "",
    "columns": ["log_date", "page"],
    "sample": [["2018-11-01", "Podcast <b>&"], ["2018-11-01", None]],
}


@dataclass
class Made:
    """A run to be: of ``first`` to ``last``, which its staging found as ``dates`` says, and what its checks found.

    ``plays`` are by log date, and ``elsewhere`` those of other dates; ``told`` are XComs in place of its own, by task
    and key; ``without`` are the tasks that it did not come to.
    """

    first: date
    last: date | None = None
    state: str = "success"
    kind: str = "manual"
    dates: Mapping[str, Mapping[str, int]] | None = None
    plays: Mapping[str, int] | None = None
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    broken: Sequence[Mapping[str, Any]] = ()
    failed_task: str = ""
    has_told: bool = True
    told: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    without: Sequence[str] = ()
    conf: Mapping[str, Any] | None = None
    logical: date | None = None
    run_id: str = field(default_factory=lambda: f"manual__{uuid.uuid4().hex}")


class Metadata:
    """The database; runs are added in the order in which they are sent on their way.

    :param url: where it is.
    :param has_tables: whether it is a copy of one that was made before, tables and all.
    """

    def __init__(self, url: str, *, has_tables: bool = False) -> None:
        self.engine: Engine = create_engine(url)
        if not has_tables:
            # Some tables refer to those of models that are imported only where they are needed.
            for module in pkgutil.iter_modules(airflow.models.__path__, "airflow.models."):
                importlib.import_module(module.name)
            Base.metadata.create_all(self.engine)
        self.number = 0

    def know_the_dag(self, *, is_paused: bool) -> None:
        """Insert the DAG, whose schedule is on or off."""
        with self.engine.begin() as connection:
            connection.execute(insert(DagBundleModel.__table__).values(name="dags"))
            connection.execute(
                insert(DagModel.__table__).values(
                    dag_id=DAG_ID,
                    is_paused=is_paused,
                    bundle_name="dags",
                    fileloc="",
                    max_active_tasks=16,
                    has_task_concurrency_limits=False,
                    max_consecutive_failed_dag_runs=0,
                )
            )

    def add(self, *runs: Made) -> None:
        """Insert these runs, with their tasks and what they published."""
        rows: dict[Any, list[dict[str, Any]]] = {DagRun: [], TaskInstance: [], XComModel: []}
        for made in runs:
            self.number += 1
            self._add(made, rows)
        with self.engine.begin() as connection:
            for model, values in rows.items():
                if values:
                    connection.execute(insert(model.__table__), values)

    def _add(self, made: Made, rows: dict[Any, list[dict[str, Any]]]) -> None:
        queued = LONG_AGO + timedelta(minutes=self.number)
        conf = {"log_date": str(made.first), "through": None if made.last is None else str(made.last)}
        logical = None if made.logical is None else datetime.combine(made.logical, time(), UTC)
        rows[DagRun].append(
            {
                "id": self.number, "dag_id": DAG_ID, "run_id": made.run_id, "run_type": made.kind, "state": made.state,
                "conf": conf if made.conf is None else made.conf, "logical_date": logical, "queued_at": queued,
                "start_date": None if made.state == "queued" else queued + timedelta(seconds=2),
                "end_date": queued + timedelta(seconds=30) if made.state in ("success", "failed") else None,
                "run_after": queued, "clear_number": 0,
            }
        )  # fmt: skip
        tasks = [*LOADS, "check_staging", "check_warehouse"]
        rows[TaskInstance] += [
            {
                "id": uuid.uuid4(), "dag_id": DAG_ID, "run_id": made.run_id, "task_id": task, "map_index": -1,
                "state": "failed" if task == made.failed_task else "success", "pool": "default_pool", "pool_slots": 1,
                "try_number": 1, "max_tries": 3, "end_date": queued,
            }
            for task in tasks
        ]  # fmt: skip
        published = (self._published(made, queued) if made.has_told else {}) | dict(made.told)
        rows[XComModel] += [
            {
                "dag_run_id": self.number, "task_id": task, "map_index": -1, "key": key, "dag_id": DAG_ID,
                "run_id": made.run_id, "value": value, "timestamp": queued,
            }
            for (task, key), value in published.items()
            if task not in made.without
        ]  # fmt: skip

    def _published(self, made: Made, when: datetime) -> dict[tuple[str, str], Any]:
        span = {"version": VERSION, "first": str(made.first), "last": str(made.last or made.first)}
        times = {"started_at": when.isoformat(), "ended_at": (when + timedelta(seconds=1.5)).isoformat()}
        found: dict[tuple[str, str], Any] = {
            (task, LOAD): {**span, **times, **_load(table, made)} for task, table in LOADS.items()
        }
        for task, names in (("check_staging", STAGING_CHECKS), ("check_warehouse", WAREHOUSE_CHECKS)):
            found[task, CHECKS] = {
                **span,
                "checked_at": when.isoformat(),
                "passed": {"error": " ".join(names), "warn": ""},
                "broken": list(made.broken) if task == "check_staging" else [],
            }
        return found


def _load(table: str, made: Made) -> dict[str, Any]:
    dates = made.dates if made.dates is not None else {str(made.first): {"files": 1, "lines": 495, "refused": 0}}
    of_events = table == "staging_events"
    return {
        "table": table,
        "files": sum(date["files"] for date in dates.values()) if of_events else 0,
        "bytes": 200_000 if of_events else 0,
        "rows_staged": sum(date["lines"] for date in dates.values()) if of_events else 0,
        "rows_refused": sum(date["refused"] for date in dates.values()) if of_events else 0,
        "rows_deleted": 0,
        "rows_inserted": 463,
        "rows_updated": 0,
        "dates": dates if of_events else {},
    } | _plays(table, made)


def _plays(table: str, made: Made) -> dict[str, Any]:
    if table != "songplays":
        return {}
    plays = made.plays if made.plays is not None else {str(made.first): 463}
    return {"dates": {log_date: {"rows": rows} for log_date, rows in plays.items()}, "elsewhere": made.elsewhere}
