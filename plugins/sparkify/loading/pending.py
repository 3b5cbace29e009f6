"""What a change leaves for a later task to work out again, whichever dates that task is run for.

A table ``X_pending`` holds keys of table ``X``. It is written in the transaction of the change and emptied in that of
the load of ``X``; both hold the mutex of ``X``, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sparkify.loading.exceptions import SettingsError

if TYPE_CHECKING:
    from sparkify.loading.warehouse import Warehouse

SUFFIX = "_pending"


def split_pending(pending: Mapping[str, str] | None) -> tuple[list[str], list[str]]:
    """The pending tables and, in the same order, the SQL that selects their keys."""
    for table in pending or {}:
        if not table.endswith(SUFFIX):
            raise SettingsError(f"pending: {table!r} is no pending table. Expected a name such as songplays{SUFFIX}.")
    return list(pending or {}), list((pending or {}).values())


def owner(pending_table: str) -> str:
    """The table that the pending keys belong to."""
    return pending_table.removesuffix(SUFFIX)


def note_pending(warehouse: Warehouse, tables: Iterable[str], selects: Iterable[str]) -> int:
    """Write what each SELECT gives into its table; returns the number of keys."""
    noted = 0
    for table, select in zip(tables, selects, strict=True):
        columns = warehouse.column_list(table)
        noted += warehouse.execute(f"insert into {table} ({columns})\n{select.strip()}")
    return noted
