"""The loads of the runs, as rows of a table like ``load_history``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sparkify.loading.history import COUNTED
from sparkify.ui.records import Run

#: The columns of counts, with their headings.
HEADINGS = {
    "files": "Files",
    "bytes": "Bytes",
    "rows_staged": "Read",
    "rows_refused": "Left out",
    "rows_inserted": "Inserted",
    "rows_updated": "Updated",
    "rows_deleted": "Deleted",
}


@dataclass(frozen=True)
class LoadRow:
    """One load: which table, by which task of which run, what it counted and how long it took."""

    run: Run
    task_id: str
    table: str
    counts: dict[str, int]
    started_at: datetime
    seconds: float


def of_runs(runs: Iterable[Run], table: str = "") -> list[LoadRow]:
    """The loads of the runs, of one table if it is named, the latest first within a run."""
    return [row for run in runs for row in _of_run(run) if table in ("", row.table)]


def _of_run(run: Run) -> list[LoadRow]:
    rows = [
        LoadRow(
            run=run,
            task_id=task_id,
            table=load.table,
            counts={name: getattr(load, name) for name in COUNTED},
            started_at=load.started_at,
            seconds=(load.ended_at - load.started_at).total_seconds(),
        )
        for task_id, load in run.loads.items()
    ]
    return sorted(rows, key=lambda row: row.started_at, reverse=True)
