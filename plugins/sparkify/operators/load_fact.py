"""From staging into a fact table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading.history import Load, RunId
from sparkify.loading.log_dates import LogDates
from sparkify.loading.pending import SUFFIX, note_pending, owner, split_pending
from sparkify.loading.warehouse import between
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.warehouse import Warehouse


class LoadFactOperator(WarehouseOperator):
    """
    Replaces what the run's log dates touch in a fact table by the rows that a SELECT gives.

    Touched are the rows of the dates, and those of the keys that ``touched`` gives: an event that the dates deliver
    may have its row from another date, and may have none any more. All in one transaction.

    :param table: the fact table; ``<table>_pending`` holds the keys left to it by other tasks. (not templated)
    :param sql: SELECT of the rows, by the table's column names, with ``log_dates.first`` and ``.last``. (templated)
    :param touched: SELECT of ``key`` and ``sort_key`` of all rows that the dates, and the table's pending table, have
        to do with, whether or not they are rows any more. (templated)
    :param key: the column that identifies a row.
    :param sort_key: the table's sort key; bounds the search for the keys, so that history costs nothing.
    :param partition: the column of the source partition; default ``log_date``.
    :param pending: SELECT files of the keys that other tables must work out again, by pending table; they see
        ``incoming`` and ``outgoing``, the rows that come and go. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the counts of the load, as XCom.
    """

    template_fields: Sequence[str] = ("sql", "touched", "pending_sql")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "touched": "sql", "pending_sql": "sql"}
    ui_color = "#f4b183"

    def __init__(
        self,
        *,
        table: str,
        sql: str,
        touched: str,
        key: str,
        sort_key: str,
        partition: str = "log_date",
        pending: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.sql = sql
        self.touched = touched
        self.key = key
        self.sort_key = sort_key
        self.partition = partition
        self.pending_tables, self.pending_sql = split_pending(pending)

    def execute(self, context: Context) -> dict[str, int]:
        """Work out, replace, record."""
        dates = LogDates.of_run(context)
        load = Load(self.table, dates)
        with (
            self.session(context) as warehouse,
            warehouse.transaction(self.table, *(owner(table) for table in self.pending_tables)),
        ):
            self._work_out(warehouse, dates)
            note_pending(warehouse, self.pending_tables, self.pending_sql)
            load.rows_deleted = self._delete(warehouse)
            columns = warehouse.column_list(self.table)
            load.rows_inserted = warehouse.execute(
                f"insert into {self.table} ({columns}) select {columns} from incoming"
            )
            self._count(warehouse, load, dates)
            warehouse.execute(f"delete from {self.table}{SUFFIX}")
            load.record(warehouse, RunId.of(context))
        return self.report(context, load)

    def _work_out(self, warehouse: Warehouse, dates: LogDates) -> None:
        warehouse.execute(f"create temp table incoming as\n{self.sql.strip()}")
        warehouse.execute(f"create temp table touched as\n{self.touched.strip()}")
        warehouse.execute(
            f"create temp table outgoing as"
            f" select * from {self.table} where {self.partition} between '{dates.first}' and '{dates.last}'"
            f" union select * from {self.table}"
            f" where {self.key} in (select {self.key} from touched){self._near(warehouse, 'touched')}"
        )

    def _delete(self, warehouse: Warehouse) -> int:
        near = self._near(warehouse, "outgoing")
        return warehouse.execute(
            f"delete from {self.table} where {self.key} in (select {self.key} from outgoing){near}"
        )

    def _count(self, warehouse: Warehouse, load: Load, dates: LogDates) -> None:
        """Count the rows that each of the run's dates has now, and those of other dates of which rows were written.

        Of the run's dates all rows have come just now; of others the table has more.
        """
        partition = self.partition
        written = warehouse.rows(
            f"select {partition}, sum(came) from ("
            f"select {partition}, count(*) as came from incoming group by {partition}"
            f" union all select {partition}, 0 from outgoing group by {partition}"
            f") as written group by {partition}"
        )
        counts = {str(log_date): int(came) for log_date, came in written if isinstance(log_date, date)}
        for log_date in dates:
            if str(log_date) in counts:
                load.by_date[str(log_date)] = {"rows": counts.pop(str(log_date))}
        if counts:
            others = ", ".join(f"'{log_date}'" for log_date in sorted(counts))
            found = warehouse.rows(
                f"select {partition}, count(*) from {self.table} where {partition} in ({others}) group by {partition}"
            )
            load.elsewhere = dict.fromkeys(counts, 0) | {str(log_date): int(rows) for log_date, rows in found}

    def _near(self, warehouse: Warehouse, other: str) -> str:
        near = between(warehouse, other, self.sort_key)
        return f" and {near}" if near else ""
