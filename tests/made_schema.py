"""A warehouse schema seen from behind the stand-in: what is in it, kept, put back, and emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from local.stack import databases
from local.stack.home import Home
from sparkify.loading.migrations import TABLE

Connection = psycopg.Connection[tuple[Any, ...]]
Shape = Sequence[tuple[Any, ...]]
SHAPE = """
select c.relname, c.relkind, c.relacl::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), pg_get_viewdef(c.oid),
    array(select pg_get_constraintdef(o.oid) from pg_constraint as o where o.conrelid = c.oid order by 1)
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = to_regnamespace(%s) and c.relkind not in ('i', 't')
order by c.relname, a.attnum
"""
# A session that a test forgot may hold a lock: that fails the test, and does not keep it waiting.
LOCK_TIMEOUT = "30s"


def shape(connection: Connection, schema: str) -> Shape:
    """The tables and views of a schema with their columns, rules, rights and texts."""
    return connection.execute(SHAPE, [schema]).fetchall()


def tables(connection: Connection, schema: str) -> list[str]:
    """The schema's tables."""
    found = connection.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r' order by 1", [schema]
    )
    return [str(name) for (name,) in found]


def keep(connection: Connection, schema: str, copy: str) -> None:
    """Copy all rows into a schema of this name."""
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(copy)))
    for name in tables(connection, schema):
        connection.execute(
            sql.SQL("create table {} as table {}").format(sql.Identifier(copy, name), sql.Identifier(schema, name))
        )


def put_back(connection: Connection, schema: str, copy: str) -> None:
    """Replace all rows by those of a copy, in one transaction."""
    names = tables(connection, schema)
    with connection.transaction():
        all_tables = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
        connection.execute(sql.SQL("truncate {}").format(all_tables))
        for name in names:
            connection.execute(
                sql.SQL("insert into {} table {}").format(sql.Identifier(schema, name), sql.Identifier(copy, name))
            )


def drop(connection: Connection, schema: str) -> None:
    """Drop a schema with all that is in it, if it is there."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


@dataclass(frozen=True)
class MadeSchema:
    """A schema as the DAG made it, for tests to have one after the other: its name, by which tasks, and its shape."""

    home: Home
    name: str
    tasks: tuple[str, ...]
    shape: Shape

    @classmethod
    def from_warehouse(cls, home: Home, name: str, tasks: tuple[str, ...]) -> MadeSchema:
        """The schema as it is."""
        with psycopg.connect(databases.admin_dsn(home, databases.WAREHOUSE)) as connection:
            return cls(home, name, tasks, shape(connection, name))

    def empty(self) -> bool:
        """Delete every row but the schema's version; or drop a schema that is not as it was made, and return False."""
        with psycopg.connect(databases.admin_dsn(self.home, databases.WAREHOUSE)) as connection:
            connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
            if shape(connection, self.name) != self.shape:
                drop(connection, self.name)
                return False
            names = {name for name, kind, *_ in self.shape if kind == "r"} - {TABLE}
            tables = {name: sql.Identifier(self.name, name) for name in sorted(names)}
            any_row = sql.SQL(" union all ").join(
                sql.SQL("select {} where exists (select from {})").format(name, table) for name, table in tables.items()
            )
            if filled := [tables[name] for (name,) in connection.execute(any_row).fetchall()]:
                connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(filled)))
            return True
