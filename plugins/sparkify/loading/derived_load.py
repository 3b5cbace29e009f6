"""Loads any derived table: works out the keys that may have changed, and replaces the rows that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.loading import queue
from sparkify.loading.bounds import ALWAYS, filled, read_bounds
from sparkify.loading.exceptions import DataError
from sparkify.loading.warehouse import quoted

if TYPE_CHECKING:
    from sparkify.loading.declarations import DerivedTable
    from sparkify.loading.history import Load
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.warehouse import Warehouse

# The drivers' numbers for text, varchar and char
# (https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat).
TEXT_TYPES = (25, 1043, 1042)


@dataclass(frozen=True)
class DerivedLoad:
    """One load of a derived table, to be run inside a transaction that holds its mutex and its followers'.

    It makes these temporary tables: ``keys``, the keys to work out; ``new_rows``, what the SELECT gives for them;
    ``old_rows``, what the table has of them; ``added`` and ``removed``, the rows that differ.

    :param keys: SELECT of the keys of the run's log dates and of the queue. None: the queue alone.
    :param sql: SELECT of the rows of ``keys``, by the table's column names.
    :param queued: the followers' own SELECTs of keys, rendered, in the followers' order.
    """

    table: DerivedTable
    dates: LogDates | None
    keys: str | None
    sql: str
    queued: Sequence[str] = ()

    def run(self, warehouse: Warehouse, load: Load) -> None:
        """Work out, compare, replace, queue for the followers; the counts go into ``load``."""
        table = self.table
        keys = self.keys or queue.keys_of(table, table.queue_name)
        warehouse.execute(f"create temp table keys as\n{keys.strip()}")
        number, bounds = read_bounds(warehouse, "keys", table.bounds if self.keys else (), table.buckets)
        if number:
            columns = self._compare(warehouse, bounds)
            self._replace(warehouse, load, columns, bounds)
            self._count_by_date(warehouse, load)
        self._queue(warehouse, has_rows=number > 0)
        queue.take(warehouse, table, self.dates)

    def _compare(self, warehouse: Warehouse, bounds: Mapping[str, str]) -> list[str]:
        """Make ``added`` and ``removed``; returns the table's columns."""
        table, key = self.table, self.table.key
        warehouse.execute(f"create temp table new_rows as\n{filled(self.sql, bounds).strip()}")
        self._refuse_repeated_keys(warehouse)
        warehouse.execute(f"create temp table old_rows as {self._old_rows(bounds)}")
        described = warehouse.described("old_rows")
        columns = [quoted(column) for column in described]
        same = " and ".join(_is_same(column, is_text=kind in TEXT_TYPES) for column, kind in described.items())
        # A key that the table has twice, by whatever accident, is written again.
        warehouse.execute(
            f"create temp table added as select {_of('new_rows', columns)} from new_rows left join ("
            f"select old_rows.{key} as known_key, count(*) as copies, sum(case when {same} then 1 else 0 end) as same"
            f" from old_rows inner join new_rows on old_rows.{key} = new_rows.{key} group by old_rows.{key}"
            f") as known on new_rows.{key} = known.known_key"
            " where known.known_key is null or known.copies <> 1 or known.same <> 1"
        )
        if table.newest:
            newest = table.newest
            warehouse.execute(
                f"delete from added using old_rows where added.{key} = old_rows.{key}"
                f" and (old_rows.{newest} > added.{newest}"
                f" or (old_rows.{newest} is not null and added.{newest} is null))"
                f" and added.{key} not in (select {key} from {table.queue_name} where {key} is not null)"
            )
        warehouse.execute(
            f"create temp table removed as select {_of('old_rows', columns)} from old_rows"
            f" left join new_rows on old_rows.{key} = new_rows.{key}"
            f" left join added on old_rows.{key} = added.{key}"
            f" where new_rows.{key} is null or added.{key} is not null"
        )
        return columns

    def _old_rows(self, bounds: Mapping[str, str]) -> str:
        """SELECT of what the table has of the keys, and of the log dates, so that no stray row of theirs stays."""
        table, key = self.table, self.table.key
        wanted = "wanted.wanted_key is not null"
        if table.partition and self.dates:
            wanted = f"({wanted} or {table.partition} between '{self.dates.first}' and '{self.dates.last}')"
        return (
            f"select {table.name}.* from {table.name}"
            f" left join (select distinct {key} as wanted_key from keys) as wanted"
            f" on {table.name}.{key} = wanted.wanted_key"
            f" where {wanted}{self._near(bounds)}"
        )

    def _near(self, bounds: Mapping[str, str]) -> str:
        column = self.table.sorted_by
        if column is None or column not in bounds:
            return ""
        near = bounds[column]
        if bounds[f"{column}_is_missing"] == ALWAYS:
            near = f"({near} or {column} is null)"
        return f" and {near}"

    def _refuse_repeated_keys(self, warehouse: Warehouse) -> None:
        key = self.table.key
        repeated = warehouse.rows(f"select {key}, count(*) from new_rows group by {key} having count(*) > 1 limit 5")
        if repeated:
            keys = ", ".join(f"{value} ({count} times)" for value, count in repeated)
            began = f"The SELECT for {self.table.name} gives a {key} more than once"
            cure = f"Nothing was written. Make it give one row a {key}."
            raise DataError(f"{began}: {keys}. {cure}", told=f"{began}. {cure}")

    def _replace(self, warehouse: Warehouse, load: Load, columns: Sequence[str], bounds: Mapping[str, str]) -> None:
        name, key = self.table.name, self.table.key
        replaced = warehouse.execute(
            f"delete from {name} where {key} in (select {key} from removed){self._near(bounds)}"
        )
        listed = ", ".join(columns)
        written = warehouse.execute(f"insert into {name} ({listed}) select {listed} from added")
        if replaced:
            rewritten = f"select count(*) from added where {key} in (select {key} from removed)"
            load.rows_updated = int(warehouse.rows(rewritten)[0][0])
        load.rows_deleted = replaced - load.rows_updated
        load.rows_inserted = written - load.rows_updated

    def _queue(self, warehouse: Warehouse, *, has_rows: bool) -> None:
        own = iter(self.queued)
        for follower in self.table.followers:
            if has_rows:
                if follower.select:
                    select = next(own)
                else:
                    select = queue.keys_of(follower.table, "removed", f"added{self._of_other_dates()}")
                queue.add_keys(warehouse, follower.table, select)
            if self.dates:
                queue.add_dates(warehouse, follower.table, [str(log_date) for log_date in self.dates])

    def _of_other_dates(self) -> str:
        if not (self.table.partition and self.dates):
            return ""
        return f" where {self.table.partition} not between '{self.dates.first}' and '{self.dates.last}'"

    def _count_by_date(self, warehouse: Warehouse, load: Load) -> None:
        """Count the rows that each of the run's dates has now, and those of other dates that have more or fewer.

        All rows of the run's dates are in ``new_rows``; of other dates the table has more.
        """
        dates, partition, name = self.dates, self.table.partition, self.table.name
        if not (dates and partition):
            return
        counted = warehouse.rows(
            f"select {partition}, sum(all_rows), sum(change) from ("
            f"select {partition}, count(*) as all_rows, 0 as change from new_rows group by {partition}"
            f" union all select {partition}, 0, count(*) from added group by {partition}"
            f" union all select {partition}, 0, -count(*) from removed group by {partition}"
            f") as counted where {partition} is not null group by {partition}"
        )
        others = []
        for log_date, all_rows, change in counted:
            if dates.first <= log_date <= dates.last:
                if all_rows:
                    load.by_date[str(log_date)] = {"rows": int(all_rows)}
            elif change:
                others.append(str(log_date))
        if others:
            listed = ", ".join(f"'{log_date}'" for log_date in others)
            found = warehouse.rows(
                f"select {partition}, count(*) from {name} where {partition} in ({listed}) group by {partition}"
            )
            load.elsewhere = dict.fromkeys(others, 0) | {str(log_date): int(rows) for log_date, rows in found}


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


def _is_same(column: str, *, is_text: bool) -> str:
    """Null equals null. Redshift ignores trailing blanks where it compares texts, unless something follows them."""
    old, new = f"old_rows.{quoted(column)}", f"new_rows.{quoted(column)}"
    end = " || '|'" if is_text else ""
    return f"({old}{end} = {new}{end} or ({old} is null and {new} is null))"
