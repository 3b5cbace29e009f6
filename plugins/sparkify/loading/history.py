"""Counts what a load did, records it in ``load_history``, and puts it into one line of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.warehouse import Warehouse

COUNTED = ("files", "bytes", "rows_staged", "rows_refused", "rows_deleted", "rows_inserted", "rows_updated")


def utc_now() -> datetime:
    """Now, in UTC, without a zone: as the warehouse's timestamps are."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass
class Load:
    """The counts of one load; ``bytes`` as the files are stored. ``log_dates`` is None for the song catalogue."""

    table: str
    log_dates: LogDates | None
    files: int = 0
    bytes: int = 0
    rows_staged: int = 0
    rows_refused: int = 0
    rows_deleted: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    #: Of a load of log dates: files, lines read and lines refused of each date that had a file; of a fact table the
    #: rows of each of the run's dates that has any.
    by_date: dict[str, dict[str, int]] = field(default_factory=dict)
    #: Of a fact table: the rows of each other date of which some were written.
    elsewhere: dict[str, int] = field(default_factory=dict)
    started_at: datetime = field(default_factory=utc_now)

    def record(self, warehouse: Warehouse, run: RunId) -> None:
        """Write the load's row; to be the last statement of its transaction."""
        row: dict[str, object] = {
            "table_name": self.table,
            "first_log_date": self.log_dates and self.log_dates.first,
            "last_log_date": self.log_dates and self.log_dates.last,
            **asdict(run),
            **self.counts(),
            "started_at": self.started_at,
            "ended_at": utc_now(),
        }
        insert_row(warehouse, "load_history", row)

    def counts(self) -> dict[str, int]:
        """The counts alone, for XCom."""
        return {name: getattr(self, name) for name in COUNTED}

    def __str__(self) -> str:
        what = f"{self.table}, {self.log_dates}" if self.log_dates else self.table
        files = f"{self.files} file(s), {self.bytes:,} bytes, {self.rows_staged:,} rows read; " if self.files else ""
        refused = f", {self.rows_refused:,} refused" if self.rows_refused else ""
        return (
            f"{what}: {files}{self.rows_inserted:,} rows inserted, {self.rows_updated:,} updated, "
            f"{self.rows_deleted:,} deleted{refused}"
        )


@dataclass(frozen=True)
class RunId:
    """Which try of which task wrote a row."""

    dag_id: str
    run_id: str
    task_id: str
    try_number: int

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> RunId:
        """From Airflow's task context."""
        ti = context["ti"]
        return cls(ti.dag_id, ti.run_id, ti.task_id, int(ti.try_number))


def insert_row(warehouse: Warehouse, table: str, row: Mapping[str, object]) -> None:
    """Insert one row of values by name."""
    insert_rows(warehouse, table, list(row), [list(row.values())])


def insert_rows(warehouse: Warehouse, table: str, columns: list[str], rows: list[list[object]]) -> None:
    """Insert these rows by one statement; nothing if there are none."""
    if rows:
        marks = ", ".join("(" + ", ".join(["%s"] * len(columns)) + ")" for _ in rows)
        values = [value for row in rows for value in row]
        warehouse.execute(f"insert into {table} ({', '.join(columns)}) values {marks}", values)
