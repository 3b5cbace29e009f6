"""Queues: what a change of a table leaves for the tables that follow.

A table's queue holds log dates and keys. A row with a log date says that the source's rows of that date were replaced;
a row without one holds a key that the source lost or changed. Both the writer of a source and the load of the
table hold the table's mutex, so neither misses what the other does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.loading.declarations import DerivedTable, Follower
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.warehouse import Warehouse


def selects(followers: Sequence[Follower]) -> list[str]:
    """The followers' own SELECT files, in their order, for an operator to render."""
    return [follower.select for follower in followers if follower.select]


def values(followers: Sequence[Follower]) -> list[str]:
    """The followers' SELECT files of values, one beside each of :func:`selects`; empty where there is none."""
    return [follower.values or "" for follower in followers if follower.select]


def add_dates(warehouse: Warehouse, table: DerivedTable, log_dates: Sequence[str]) -> None:
    """Queue these log dates for a table, each once, however often a task is cleared."""
    listed = ", ".join(f"'{log_date}'" for log_date in log_dates)
    warehouse.execute(f"delete from {table.queue_name} where log_date in ({listed})")
    rows = ", ".join(f"('{log_date}')" for log_date in log_dates)
    warehouse.execute(f"insert into {table.queue_name} (log_date) values {rows}")


def add_keys(warehouse: Warehouse, table: DerivedTable, select: str) -> int:
    """Queue the keys that a SELECT of the queue's columns gives; returns their number."""
    columns = ", ".join(table.queue)
    return warehouse.execute(f"insert into {table.queue_name} ({columns})\n{select.strip()}")


def keys_of(table: DerivedTable, *rows: str) -> str:
    """SELECT of a table's keys in these rows of a source, each a table with or without a condition."""
    columns = ", ".join(table.queue)
    return "\nunion\n".join(f"select {columns} from {found}" for found in rows)


def is_empty(warehouse: Warehouse, table: DerivedTable) -> bool:
    """Whether nothing waits for a table."""
    return not warehouse.rows(f"select 1 from {table.queue_name} limit 1")


def take(warehouse: Warehouse, table: DerivedTable, dates: LogDates | None) -> None:
    """Take all keys and a run's own dates off the queue. The dates of other runs are left to those."""
    own = f" or log_date between '{dates.first}' and '{dates.last}'" if dates else ""
    warehouse.execute(f"delete from {table.queue_name} where log_date is null{own}")
