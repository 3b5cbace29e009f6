"""Bounds: conditions that are known only when a task runs, in SQL that Airflow rendered before.

A SELECT that reads a large table says between which values it looks. Only literals let the warehouse skip the blocks of
other values (https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-sort-key.html). A template writes
``{{ bounds.ts }}``; Airflow renders a name, and the task puts a condition in its place: ``ts between '…' and '…'``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sparkify.loading.exceptions import SettingsError

if TYPE_CHECKING:
    from sparkify.loading.warehouse import Warehouse

NAME = re.compile(r":bounds\.(\w+)")
# A number, a date or a timestamp, as the warehouse writes them.
BOUND = re.compile(r"-?\d{1,19}(\.\d{1,19})?|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?", re.ASCII)
ALWAYS, NEVER = "1 = 1", "1 = 0"
# As many values stand in one list, and as many spans beside it: a longer list takes longer than to read on.
MOST_VALUES = 2_000
MOST_SPANS = 8
# From so many buckets on they are looked at one by one.
FEW_BUCKETS = 8


class Names:
    """What a template sees as ``bounds``: each attribute is the name that :func:`filled` replaces."""

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f":bounds.{name}"


def between(column: str, first: object, last: object) -> str:
    """The condition that a column lies between two values of the warehouse, read as text.

    Without values no row is looked for. A value that is no number and no time of four digits a year is not made a
    literal: text comes from files, and stands in no statement; then every row is looked at.
    """
    if first is None or last is None:
        return NEVER
    if not (BOUND.fullmatch(str(first)) and BOUND.fullmatch(str(last))):
        return ALWAYS
    return f"{column} between '{first}' and '{last}'"


def among(column: str, values: Sequence[object]) -> str:
    """The condition that a column has one of these values, as :func:`between`; of very many, that it is between them.

    :param values: text, in the column's order.
    """
    if not values:
        return NEVER
    if len(values) > MOST_VALUES:
        return between(column, values[0], values[-1])
    if not all(BOUND.fullmatch(str(value)) for value in values):
        return ALWAYS
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


def read_bounds(
    warehouse: Warehouse, table: str, columns: Sequence[str], buckets: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str]]:
    """The number of a table's rows, and for each column ``x`` two conditions: ``x`` holds for every value of the
    table, and ``x_is_missing`` holds if some row has none.

    The values are read as text: drivers show a time after the year 9999 as that year's end, or not at all, and a bound
    made of it would leave its row out.

    :param buckets: for a column an expression that says which values are near each other, such as of one day. Values
        that lie alone in buckets of theirs are then named one by one, so that what lies between is not read.
    """
    buckets = buckets or {}
    asked = "".join(
        f", cast(min({column}) as varchar(64)), cast(max({column}) as varchar(64)), count({column})"
        f", count(distinct {buckets.get(column, '1')})"
        for column in columns
    )
    count, *found = warehouse.rows(f"select count(*){asked} from {table}")[0]
    bounds = {}
    for number, column in enumerate(columns):
        first, last, known, apart = found[4 * number : 4 * number + 4]
        near = between(column, first, last)
        if apart > FEW_BUCKETS and near not in (ALWAYS, NEVER):
            near = _scattered(warehouse, table, column, buckets[column]) or near
        bounds[column] = near
        bounds[f"{column}_is_missing"] = NEVER if known == count else ALWAYS
    return int(count), bounds


def _scattered(warehouse: Warehouse, table: str, column: str, bucket: str) -> str | None:
    """The condition for values of which most lie alone; None if they do not."""
    rows = warehouse.rows(
        f"select cast(min({column}) as varchar(64)), cast(max({column}) as varchar(64)), count(distinct {column})"
        f" from {table} where {column} is not null group by {bucket} order by min({column})"
    )
    # A bucket with two values has no others than its least and its greatest.
    alone = [value for first, last, values in rows if values <= 2 for value in dict.fromkeys((first, last))]
    spans = [(first, last) for first, last, values in rows if values > 2]
    if len(alone) > MOST_VALUES or len(spans) > MOST_SPANS:
        return None
    conditions = [among(column, alone), *(between(column, first, last) for first, last in spans)]
    if ALWAYS in conditions:
        return None
    return f"({' or '.join(condition for condition in conditions if condition != NEVER)})"


def read_values(warehouse: Warehouse, select: str) -> dict[str, str]:
    """The condition ``x`` that a column has one of the values, as text, of a SELECT's one column ``x``."""
    (column,), rows = warehouse.answer(select.strip())
    return {column: among(column, [value for (value,) in rows if value is not None])}


def read_spans(warehouse: Warehouse, select: str) -> dict[str, str]:
    """The condition ``x`` for the columns ``first_x`` and ``last_x``, which are text, of a SELECT's one row."""
    names, rows = warehouse.answer(select)
    values = dict(zip(names, rows[0], strict=True))
    columns = [name.removeprefix("first_") for name in names if name.startswith("first_")]
    return {column: between(column, values[f"first_{column}"], values[f"last_{column}"]) for column in columns}


def filled(sql: str, bounds: Mapping[str, str]) -> str:
    """The SQL with each name replaced by its condition."""

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in bounds:
            raise SettingsError(f"bounds.{found[1]} is unknown here. Known are {', '.join(bounds) or 'none'}.")
        return bounds[found[1]]

    return NAME.sub(replaced, sql)
