"""Loads a fact table from staging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkify.operators.load_derived import LoadDerivedOperator

if TYPE_CHECKING:
    from sparkify.loading.declarations import DerivedTable


class LoadFactOperator(LoadDerivedOperator):
    """
    Loads a fact table: the rows of the run's log dates, and of the keys that other loads have queued.

    It loads as every derived table is loaded; see :class:`~sparkify.operators.load_derived.LoadDerivedOperator`. A
    fact table belongs to log dates: its declaration names the ``partition`` that holds a row's date.

    :param table: the fact table's declaration. (not templated)
    :param sql: SELECT of the rows of ``keys``. (templated)
    :param keys: SELECT of the keys of ``log_dates`` and of the table's queue. (templated)
    """

    ui_color = "#f4b183"

    def __init__(self, *, table: DerivedTable, sql: str, keys: str, **kwargs: Any) -> None:
        if not table.partition:
            raise ValueError(f"{table.name} declares no partition. Give the column that holds a row's log date.")
        super().__init__(table=table, sql=sql, keys=keys, **kwargs)
