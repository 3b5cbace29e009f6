"""The base class of LoadFactOperator and LoadDimensionOperator, which holds all they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading import lineage, queue
from sparkify.loading.derived_load import DerivedLoad
from sparkify.loading.history import Load, RunId
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.declarations import DerivedTable
    from sparkify.loading.lineage import Place


class LoadDerivedOperator(WarehouseOperator):
    """
    Brings a derived table in line with the rows that a SELECT gives for the keys that may have changed.

    These are the keys of the run's log dates and those in the table's queue. Rows that do not differ are not
    written. All happens in one transaction, which also queues what changed for the tables that follow.

    :param table: the table's declaration. (not templated)
    :param sql: SELECT of the rows of the temporary table ``keys``, by the table's column names. It may use
        ``bounds.x`` and ``bounds.x_is_missing`` of the declared bounds (:mod:`~sparkify.loading.bounds`). (templated)
    :param keys: SELECT of the keys of ``log_dates`` and of the table's queue; its columns are the table's key, the
        declared bounds, and whatever the SELECT of the rows needs. Default: the queue alone; then the table
        has no log dates, and a run with nothing queued does nothing. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the counts of the load, as XCom.
    """

    template_fields: Sequence[str] = ("sql", "keys", "queue_sql")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "keys": "sql", "queue_sql": "sql"}

    def __init__(self, *, table: DerivedTable, sql: str, keys: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.sql = sql
        self.keys = keys
        self.queue_sql = queue.selects(table.followers)
        self.uses_log_dates = keys is not None

    def execute(self, context: Context) -> dict[str, int]:
        """Load the table, unless nothing can have changed."""
        dates = self.log_dates(context)
        load = Load(self.table.name, dates)
        with self.session(context) as warehouse:
            if dates is None and queue.is_empty(warehouse, self.table):
                self.log.info("Nothing is queued for %s.", self.table.name)
            else:
                followers = (follower.table.name for follower in self.table.followers)
                with warehouse.transaction(self.table.name, *followers):
                    DerivedLoad(self.table, dates, self.keys, self.sql, self.queue_sql).run(warehouse, load)
                    load.record(warehouse, RunId.of(context))
        return self.report(context, load)

    def lineage(self, place: Place) -> Any:
        """The table, each column from those of its sources."""
        return lineage.of_load(place, self.table, self.loaded) if self.loaded else None
