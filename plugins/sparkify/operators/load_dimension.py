"""From staging, or from a fact table, into a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading.exceptions import DataError
from sparkify.loading.history import Load, RunId
from sparkify.loading.pending import SUFFIX
from sparkify.loading.warehouse import between, quoted
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.warehouse import Warehouse

METHODS = ("upsert", "append", "replace")


class LoadDimensionOperator(WarehouseOperator):
    """
    Brings a dimension in line with the rows that a SELECT gives, and writes no row that would not change.

    All in one transaction. If the dimension has a pending table, the SELECT is the whole truth about the keys in it:
    they are written even if older, and deleted if the SELECT does not give them.

    :param table: the dimension. (not templated)
    :param sql: SELECT of the rows, by the table's column names. (templated)
    :param key: the column that identifies a row; the SELECT gives each once.
    :param method: ``upsert`` (default): insert new keys, rewrite changed rows; ``append``: only insert new keys;
        ``replace``: also delete the keys that the SELECT does not give.
    :param only_if_newer: with ``upsert``, a column: a row whose value there is lower than the one in the table stays.
    :param pending: whether ``<table>_pending`` holds keys left to this task by others; default False.
    :param uses_log_dates: whether the SELECT is of the run's ``log_dates``; default True.
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the counts of the load, as XCom.
    """

    template_fields: Sequence[str] = ("sql",)
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#c5e0b4"

    def __init__(
        self,
        *,
        table: str,
        sql: str,
        key: str,
        method: str = "upsert",
        only_if_newer: str | None = None,
        pending: bool = False,
        uses_log_dates: bool = True,
        **kwargs: Any,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method={method!r} is unknown. Use one of {', '.join(METHODS)}.")
        if only_if_newer and method != "upsert":
            raise ValueError(f"only_if_newer goes with method='upsert', not with {method!r}.")
        super().__init__(**kwargs)
        self.table = table
        self.sql = sql
        self.key = key
        self.method = method
        self.only_if_newer = only_if_newer
        self.pending = pending
        self.uses_log_dates = uses_log_dates

    def execute(self, context: Context) -> dict[str, int]:
        """Work out, compare, write what differs, record."""
        load = Load(self.table, self.log_dates(context))
        with self.session(context) as warehouse, warehouse.transaction(self.table):
            warehouse.execute(f"create temp table incoming as\n{self.sql.strip()}")
            self._refuse_repeated_keys(warehouse)
            self._find_changed(warehouse)
            load.rows_deleted = self._delete_absent(warehouse)
            if self.method != "append":
                load.rows_updated = warehouse.execute(
                    f"delete from {self.table} using changed where {self._same_key('changed')}"
                )
            columns = warehouse.column_list(self.table)
            written = warehouse.execute(f"insert into {self.table} ({columns}) select {columns} from changed")
            load.rows_inserted = written - load.rows_updated
            if self.pending:
                warehouse.execute(f"delete from {self.table}{SUFFIX}")
            load.record(warehouse, RunId.of(context))
        return self.report(context, load)

    def _refuse_repeated_keys(self, warehouse: Warehouse) -> None:
        repeated = warehouse.rows(
            f"select {self.key}, count(*) from incoming group by {self.key} having count(*) > 1 limit 5"
        )
        if repeated:
            keys = ", ".join(f"{key} ({count} times)" for key, count in repeated)
            raise DataError(
                f"The SELECT for {self.table} gives a {self.key} more than once: {keys}. Nothing was written. "
                f"Make it give one row a {self.key}."
            )

    def _find_changed(self, warehouse: Warehouse) -> None:
        columns = warehouse.column_list(self.table)
        near = between(warehouse, "incoming", self.key)
        where = f" where {near}" if near else ""
        if self.method == "append":
            given = ", ".join(f"incoming.{quoted(column)}" for column in warehouse.columns(self.table))
            warehouse.execute(
                f"create temp table changed as select {given} from incoming"
                f" left join (select {self.key} as known_key from {self.table}{where}) as known"
                f" on incoming.{self.key} = known.known_key where known.known_key is null"
            )
            return
        warehouse.execute(
            f"create temp table changed as"
            f" select {columns} from incoming except select {columns} from {self.table}{where}"
        )
        if self.only_if_newer:
            newer = self.only_if_newer
            kept = (
                f" and changed.{self.key} not in (select {self.key} from {self.table}{SUFFIX})" if self.pending else ""
            )
            warehouse.execute(
                f"delete from changed using {self.table} where {self._same_key('changed')}"
                f" and ({self.table}.{newer} > changed.{newer}"
                f" or ({self.table}.{newer} is not null and changed.{newer} is null)){kept}"
            )

    def _delete_absent(self, warehouse: Warehouse) -> int:
        absent = f"{self.key} not in (select {self.key} from incoming)"
        if self.method == "replace":
            return warehouse.execute(f"delete from {self.table} where {absent}")
        if self.pending:
            return warehouse.execute(
                f"delete from {self.table} where {absent}"
                f" and {self.key} in (select {self.key} from {self.table}{SUFFIX})"
            )
        return 0

    def _same_key(self, other: str) -> str:
        return f"{self.table}.{self.key} = {other}.{self.key}"
