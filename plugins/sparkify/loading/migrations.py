"""Migrations: numbered scripts that bring the tables of an earlier version to this version's, each once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from airflow.providers.common.sql.hooks.sql import DbApiHook

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.history import insert_rows, utc_now

if TYPE_CHECKING:
    from sparkify.loading.warehouse import Warehouse

#: The table that records which migrations a schema has had.
TABLE = "schema_version"
MUTEX = "mutex_"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql", re.ASCII)
_HEADER = re.compile(r"--\s*(makes|transaction):\s*(.*)")


@dataclass(frozen=True)
class Migration:
    """One script.

    :param number: its place in the order, from 1.
    :param name: the file's name.
    :param reason: what it does and why, on one line.
    :param statements: what it runs, in order.
    :param makes: a table, or a column as ``table.column``, that is there once it has run; '' if there is none. Where
        it is there already, as in a schema that a later version created, the script does not run.
    :param in_transaction: whether all of it is one transaction. What Redshift refuses in one, such as changing a
        column's type, runs statement by statement, and from the first again after a kill.
    """

    number: int
    name: str
    reason: str
    statements: tuple[str, ...]
    makes: str = ""
    in_transaction: bool = True

    @classmethod
    def from_text(cls, file: str, text: str) -> Migration:
        """Read a file: comments at its beginning, then statements.

        A line ``-- makes: …`` and a line ``-- transaction: none`` say more; the other comments are the reason.

        :raises SettingsError: its name, its header or its statements are not those of a migration.
        """
        name = PurePath(file).name
        number = _NAME.fullmatch(name)
        if not number:
            raise SettingsError(f"{file} is no name of a migration. Expected NNNN_name.sql, such as 0001_name.sql.")
        comments = []
        for line in text.strip().splitlines():
            if not line.startswith("--"):
                break
            comments.append(line)
        header = {found[1]: found[2].strip() for line in comments if (found := _HEADER.fullmatch(line.strip()))}
        reason = " ".join(line.lstrip("- ").strip() for line in comments if not _HEADER.fullmatch(line.strip()))
        body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
        statements = tuple(one.strip().rstrip(";") for one in DbApiHook.split_sql_string(body) if one.strip(" \n;"))
        if not reason or not statements:
            raise SettingsError(f"{file}: expected comments that say what it does and why, then statements.")
        if header.get("transaction", "none") != "none":
            raise SettingsError(f"{file}: transaction is {header['transaction']!r}. Expected none, or no such line.")
        return cls(int(number[1]), name, reason, statements, header.get("makes", ""), "transaction" not in header)


@dataclass(frozen=True)
class State:
    """What a schema lacks: the scripts that are to run, in order; and whether it has a record of every one."""

    missing: Sequence[Migration] = ()
    is_recorded: bool = False


class Migrations:
    """All scripts of this version, in order.

    :param scripts: by file, what each holds.
    :raises SettingsError: the numbers are not 1, 2, 3 ….
    """

    def __init__(self, scripts: Sequence[Migration]) -> None:
        self._scripts = sorted(scripts, key=lambda script: script.number)
        for expected, script in enumerate(self._scripts, 1):
            if script.number != expected:
                raise SettingsError(
                    f"The migration {script.name} has the number {script.number}; expected {expected:04}. Number them "
                    "without a gap, each number once."
                )

    @property
    def newest(self) -> int:
        """The number of the last; 0 if there is none."""
        return len(self._scripts)

    def state(self, warehouse: Warehouse, existing: Collection[str]) -> State:
        """Which of them a schema has had.

        :param existing: the tables of the schema.
        :raises SettingsError: the schema has had migrations that this version does not know.
        """
        recorded = _recorded(warehouse) if TABLE in existing else set()
        if recorded and max(recorded) > self.newest:
            raise SettingsError(
                f"Schema {warehouse.settings.schema} is of version {max(recorded)}, made by a later version of this "
                f"package than the one installed, which knows {self.newest}. Nothing was changed. Install the later "
                "version again; or rebuild the schema, which drops what is in it."
            )
        unrecorded = [script for script in self._scripts if script.number not in recorded]
        made = _tables_and_columns(warehouse) if any(script.makes for script in unrecorded) else set()
        return State([script for script in unrecorded if script.makes not in made], is_recorded=not unrecorded)

    def record(self, warehouse: Warehouse) -> None:
        """Record all as done, where no statement is missing any more."""
        with warehouse.transaction():
            # Taken before anything is read: the transaction's snapshot comes after it.
            warehouse.execute(f"lock {TABLE}")
            recorded = _recorded(warehouse)
            _insert(warehouse, [script for script in self._scripts if script.number not in recorded])

    def apply(self, warehouse: Warehouse, script: Migration, existing: Collection[str]) -> None:
        """Run one script and record it, unless another session has.

        In a transaction no load writes meanwhile.
        """
        if not script.in_transaction:
            for statement in script.statements:
                warehouse.execute(statement)
        mutexes = [name.removeprefix(MUTEX) for name in existing if name.startswith(MUTEX)]
        with warehouse.transaction(*mutexes):
            warehouse.execute(f"lock {TABLE}")
            if script.number in _recorded(warehouse):
                return
            for statement in script.statements if script.in_transaction else ():
                warehouse.execute(statement)
            _insert(warehouse, [script])


def _recorded(warehouse: Warehouse) -> set[int]:
    return {int(number) for (number,) in warehouse.rows(f"select version from {TABLE}")}


def _insert(warehouse: Warehouse, scripts: Sequence[Migration]) -> None:
    rows: list[list[object]] = [[script.number, script.name, utc_now()] for script in scripts]
    insert_rows(warehouse, TABLE, ["version", "name", "applied_at"], rows)


def _tables_and_columns(warehouse: Warehouse) -> set[str]:
    def names() -> Iterator[str]:
        for table, column in warehouse.rows(
            "select c.relname, a.attname from pg_catalog.pg_class c"
            " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
            " join pg_catalog.pg_attribute a on a.attrelid = c.oid"
            f" where n.nspname = '{warehouse.settings.schema}' and c.relkind = 'r' and a.attnum > 0"
        ):
            yield str(table)
            yield f"{table}.{column}"

    return set(names())
