"""Reads the rows of a warehouse in slices, over the connection that the user names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import redshift_connector

from local.errors import LocalStackError
from local.reference import COLUMNS
from local.stack import connections
from local.stack.home import Home
from sparkify.loading.driver_errors import reason, sqlstate
from sparkify.tables import STAGING_EVENTS, STAR

DEFAULT_CONNECTION = "redshift_default"
# Amazon's driver keeps all rows of an answer; so many take about 150 MB.
SLICE_ROWS = 100_000
# Tables that grow by the day, and the column that tells the day; the others are read whole.
_SLICED_BY = {
    STAGING_EVENTS.name: STAGING_EVENTS.partition,
    **{table.name: column for table in STAR if (column := table.partition or table.sorted_by)},
}
# The days that Python can hold with the one after them. What lies before or after, drivers show cut or not at all.
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_UNDEFINED = {"42P01": "table", "42703": "column", "3F000": "schema"}


@dataclass(frozen=True)
class Slice:
    """A part of a table small enough to be read at once."""

    condition: str
    rows: int


class Warehouse:
    """A warehouse's tables at one moment; nothing is written, and no statement could.

    :param connection: a DB-API connection by any driver.
    :param name: what the user calls it.
    :param schema: where the tables are.
    """

    def __init__(self, connection: Any, name: str, schema: str) -> None:
        self.name, self.schema = name, schema
        self._connection = connection
        connection.autocommit = True
        # All that follows sees one snapshot, so that a load beside it is seen whole or not at all.
        self._query("begin read only", fetch=False)

    def slices(self, table: str) -> list[Slice]:
        """The parts that make up *table*, in order."""
        column = _SLICED_BY.get(table)
        if column is None:
            ((rows,),) = self._query(f"select count(*) from {self._qualified(table)}")
            return [Slice("1 = 1", rows)]
        first, last = f"{column} < '{_FIRST_DAY}'", f"{column} >= '{_LAST_DAY}'"
        apart = [f"{column} is null", first, last]
        (counts,) = self._query(
            f"select {', '.join(f'count(case when {condition} then 1 end)' for condition in apart)}"
            f" from {self._qualified(table)}"
        )
        counted = self._query(
            f"select cast({column} as date), count(*) from {self._qualified(table)}"
            f" where {column} >= '{_FIRST_DAY}' and {column} < '{_LAST_DAY}' group by 1 order by 1"
        )
        slices = [Slice(condition, rows) for condition, rows in zip(apart, counts, strict=True) if rows]
        return slices + _ranges(column, [(day, rows) for day, rows in counted])

    def rows(self, table: str, part: Slice) -> list[tuple[Any, ...]]:
        """The rows of this part of *table*, in the reference's columns."""
        columns = ", ".join(COLUMNS[table])
        return self._query(f"select {columns} from {self._qualified(table)} where {part.condition}")

    def _qualified(self, table: str) -> str:
        quoted = self.schema.replace('"', '""')
        return f'"{quoted}".{table}'

    def _query(self, sql: str, *, fetch: bool = True) -> list[tuple[Any, ...]]:
        try:
            with contextlib.closing(self._connection.cursor()) as cursor:
                cursor.execute(sql)
                return list(map(tuple, cursor.fetchall())) if fetch else []
        except Exception as error:
            code, message = sqlstate(error), reason(error)
            if code in _UNDEFINED:
                raise LocalStackError(
                    f"A {_UNDEFINED[code]} is missing in {self.name}, schema {self.schema}: {message}. "
                    "Run the DAG sparkify_schema, which creates what is missing, or name another --schema."
                ) from error
            if code == "42501":
                raise LocalStackError(
                    f"The user may not read schema {self.schema} in {self.name}: {message}. "
                    "Grant it USAGE on the schema and SELECT on its tables."
                ) from error
            raise LocalStackError(
                f"{self.name} could not be read: {message}. Nothing can be said of its rows; try again."
            ) from error


@contextlib.contextmanager
def by_arguments(arguments: dict[str, Any], schema: str, advice: str) -> Iterator[Warehouse]:
    """The warehouse that these arguments of Amazon's driver lead to."""
    name = f"{arguments['host']}:{arguments['port']}/{arguments['database']}"
    try:
        connection = redshift_connector.connect(**arguments)
    except Exception as error:
        raise LocalStackError(f"{name} refused the log-in ({reason(error)}). {advice}") from error
    with contextlib.closing(connection):
        yield Warehouse(connection, name, schema)


@contextlib.contextmanager
def by_airflow(conn_id: str, schema: str) -> Iterator[Warehouse]:
    """The warehouse of an Airflow connection, reached by the hook that the DAGs use."""
    # Imported here because Airflow takes seconds, which other ways to connect need not pay.
    from airflow.sdk import BaseHook

    name = f"connection {conn_id}"
    try:
        connection = BaseHook.get_connection(conn_id).get_hook().get_conn()
    except Exception as error:
        raise LocalStackError(
            f"The warehouse of {name} refused the log-in ({reason(error)}). Airflow must know the "
            f"connection, for example by the environment variable {_variable(conn_id)}."
        ) from error
    with contextlib.closing(connection):
        yield Warehouse(connection, name, schema)


def by_default(home: Home, schema: str) -> contextlib.AbstractContextManager[Warehouse]:
    """The home's own warehouse; where there is no home, that of the DAGs' connection in the environment."""
    if not home.exists and _variable(DEFAULT_CONNECTION) in os.environ:
        return by_airflow(DEFAULT_CONNECTION, schema)
    return by_arguments(connections.redshift_arguments(home), schema, "Start it with `python -m local up`.")


def _variable(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _ranges(column: str, counted: Sequence[tuple[date, int]]) -> list[Slice]:
    """Ranges of days of about :data:`SLICE_ROWS` rows each; a day that has more is a range by itself."""
    slices: list[Slice] = []
    days: list[date] = []
    rows = 0
    for day, of_day in counted:
        if days and rows + of_day > SLICE_ROWS:
            slices.append(_range(column, days[0], days[-1], rows))
            days, rows = [], 0
        days.append(day)
        rows += of_day
    if days:
        slices.append(_range(column, days[0], days[-1], rows))
    return slices


def _range(column: str, first: date, last: date, rows: int) -> Slice:
    return Slice(f"{column} >= '{first}' and {column} < '{last + timedelta(days=1)}'", rows)
