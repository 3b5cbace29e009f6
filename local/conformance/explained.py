"""Explains every query of the package on empty tables, to find what a planner refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jinja2

from local.conformance.statements import Statement
from local.stack.home import PROJECT
from sparkify.loading import queue
from sparkify.loading.bounds import Names, filled
from sparkify.loading.checks import Check
from sparkify.loading.declarations import DerivedTable, StagingTable
from sparkify.loading.log_dates import LogDates
from sparkify.tables import STAGING, STAR, dated_tables, schema_statements

SQL = PROJECT / "include" / "sql"
DATES = LogDates(date(2018, 11, 1), date(2018, 11, 2))
# As a load puts them in, of keys of which some have no time.
BOUNDS = {
    "ts": "ts between '1541030400000' and '1541116799999'",
    "ts_is_missing": "1 = 1",
    "start_time": "(start_time in ('2018-10-01', '2018-10-02') or start_time between '2018-11-01' and '2018-11-02')",
    "length": "length in ('180.12345', '200')",
}
QUESTIONS = ("bounds", "analytics", "report")


def statements(schema: str) -> list[Statement]:
    """What makes the tables and explains every SELECT of the package, in this order, for a session in the schema."""
    return [*_tables(), *_views(schema), *_questions(), *_checks(), *_loads()]


def _tables() -> Iterator[Statement]:
    for file in _files("schema"):
        for number, statement in enumerate(_rendered(file).split(";"), start=1):
            if statement.strip():
                yield Statement(f"make the tables of {file}, {number}", statement, "ok")
    for statement in schema_statements():
        yield Statement(statement.partition("(")[0].strip(), statement, "ok")


def _views(schema: str) -> Iterator[Statement]:
    for file in _files("schema/views"):
        yield Statement(f"make the view of {file}", _rendered(file, schema=schema).strip().rstrip(";"), "ok")
        # A late-binding view is looked at when it is read.
        yield Statement(f"explain the view of {file}", f"explain select * from {Path(file).stem}", "ok")


def _questions() -> Iterator[Statement]:
    for folder in QUESTIONS:
        for file in _files(folder):
            yield Statement(f"explain {file}", f"explain {_rendered(file)}", "ok")


def _checks() -> Iterator[Statement]:
    """Each check counted, as the task asks it; some planners refuse a query only inside another."""
    for file in _files("quality/*"):
        check = Check.parse(file, filled(_rendered(file), BOUNDS))
        yield Statement(f"explain {file}", f"explain select count(*) from ({check.sql}\n) as offending", "ok")


def _loads() -> Iterator[Statement]:
    """The keys of each derived table, the rows of these keys, and what a change queues for the tables that follow."""
    for table in STAR:
        keys = f"keys/{table.name}.sql"
        is_file = (SQL / keys).is_file()
        select = _rendered(keys) if is_file else queue.keys_of(table, table.queue_name)
        yield Statement(f"explain the keys of {table.name}", f"explain {select}", "ok")
        yield Statement(f"make the keys of {table.name}", f"create temp table keys as {select}", "ok")
        (file,) = [*_files("facts", table.name), *_files("dimensions", table.name)]
        rows = filled(_rendered(file), BOUNDS)
        yield Statement(f"explain {file}", f"explain {rows}", "ok")
        yield Statement(f"make the rows of {table.name}", f"create temp table new_rows as {rows}", "ok")
        for temporary in ("keys", "new_rows"):
            yield Statement(f"drop the {temporary} of {table.name}", f"drop table {temporary}", "ok")
    sources: list[StagingTable | DerivedTable] = [*STAGING, *STAR]
    for source in sources:
        if not source.followers:
            continue
        for temporary in ("added", "removed"):
            yield Statement(
                f"make {temporary} of {source.name}", f"create temp table {temporary} (like {source.name})", "ok"
            )
        for follower in source.followers:
            if follower.select:
                select = filled(_rendered(follower.select), BOUNDS)
            else:
                select = queue.keys_of(follower.table, "added", "removed")
            name = f"{follower.table.name} of {source.name}"
            if follower.values:
                yield Statement(f"explain the values of {name}", f"explain {_rendered(follower.values)}", "ok")
            yield Statement(f"explain the queue of {name}", f"explain {select}", "ok")
        for temporary in ("added", "removed"):
            yield Statement(f"drop {temporary} of {source.name}", f"drop table {temporary}", "ok")


def _files(folder: str, name: str = "*") -> list[str]:
    return sorted(str(file.relative_to(SQL)) for file in SQL.glob(f"{folder}/{name}.sql"))


def _rendered(file: str, schema: str = "public") -> str:
    """The file as Airflow renders it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
    )
    return environment.get_template(file).render(
        log_dates=DATES, schema=schema, bounds=Names(), dated_tables=dated_tables()
    )
