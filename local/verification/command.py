"""`python -m local verify`: parses its options, compares and prints."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from local import terminal
from local.errors import LocalStackError
from local.reference import COLUMNS, star_schema
from local.stack.home import Home
from local.verification import audit, files, warehouse
from sparkify.loading.shown import shown

DESCRIPTION = (
    "Compare a warehouse with the source files: work out all tables from the files alone, and say which rows are "
    "missing, surplus or different, with examples. Exit code 1 if any is. DIR stands for all files there are: a row "
    "that comes from none of them is surplus. Nothing is written."
)
_PORT = 5439


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `verify`."""
    parser.description = DESCRIPTION
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that holds log_data and song_data")
    parser.add_argument("--schema", default="public", help="the schema of the tables (default public)")
    parser.add_argument(
        "--skip-unreadable", action="store_true",
        help="leave out records of the files that cannot be loaded, as a run with max_bad_lines does",
    )  # fmt: skip
    parser.add_argument(
        "--examples", type=int, default=2, metavar="N", help="rows of each kind to show for a table (default 2)"
    )
    where = parser.add_argument_group(
        "which warehouse",
        f"Without any of these: the local stack's; if there is none, the one of AIRFLOW_CONN_"
        f"{warehouse.DEFAULT_CONNECTION.upper()}.",
    )
    where.add_argument(
        "--connection", metavar="CONN_ID",
        help="the one of this Airflow connection, reached as the DAGs reach it",
    )  # fmt: skip
    where.add_argument("--host", help="this one; the password is read from REDSHIFT_PASSWORD")
    where.add_argument("--port", type=int, help=f"with --host (default {_PORT})")
    where.add_argument("--database", help="with --host")
    where.add_argument("--user", help="with --host")
    where.add_argument("--no-ssl", action="store_true", help="with --host: connect without encryption")


def problem(options: argparse.Namespace) -> str | None:
    """What makes no sense about the options, in a sentence."""
    of_host = (options.port, options.database, options.user, options.no_ssl or None)
    if options.examples < 0:
        return "--examples must be at least 0."
    if options.host is None and any(value is not None for value in of_host):
        return "--port, --database, --user and --no-ssl say more about --host: give that too."
    if options.host is not None and options.connection is not None:
        return "--host and --connection both name a warehouse. Give one of them."
    if options.host is not None and (options.database is None or options.user is None):
        return "--host needs --database and --user, and the password in REDSHIFT_PASSWORD."
    return None


def run(home: Home, options: argparse.Namespace) -> int:
    """Verify; return 0 if all tables are equal, 1 if any differs."""
    with audit.no_cycle_search(), _warehouse(home, options) as target:
        slices = {table: target.slices(table) for table in COLUMNS}
        with terminal.bar("Reading files") as progress:
            source = files.read(options.folder, options.skip_unreadable, progress)
        with terminal.bar("Working out the tables"):
            expected = star_schema(source.events, source.songs)
        with terminal.bar("Comparing rows") as progress:
            findings = audit.compare(expected, target, slices, options.examples, progress)
    lines = [f"{options.folder} against {target.name}, schema {target.schema}"]
    if source.left_out:
        lines.append(f"Unreadable and left out: {len(source.left_out):,} record(s). The first: {source.left_out[0]}")
    lines += audit.report(findings)
    lines = [shown(line) for line in lines]
    if sys.stdout.isatty():
        lines = fitted(lines, *shutil.get_terminal_size())
    print("\n".join(lines))
    return 1 if any(one.differences for one in findings) else 0


def _warehouse(home: Home, options: argparse.Namespace) -> contextlib.AbstractContextManager[warehouse.Warehouse]:
    if options.connection is not None:
        return warehouse.by_airflow(options.connection, options.schema)
    if options.host is None:
        return warehouse.by_default(home, options.schema)
    password = os.environ.get("REDSHIFT_PASSWORD")
    if not password:
        raise LocalStackError(
            "There is no password for --host: it is read from the environment variable REDSHIFT_PASSWORD, so that it "
            "does not stand in the list of processes. Set it."
        )
    arguments = {
        "host": options.host,
        "port": options.port or _PORT,
        "database": options.database,
        "user": options.user,
        "password": password,
        "ssl": not options.no_ssl,
        "application_name": "sparkify",
    }
    return warehouse.by_arguments(arguments, options.schema, "Check host, port, database, user and password.")


def fitted(lines: Sequence[str], columns: int, rows: int) -> list[str]:
    """The lines, cut at the edge of the screen if the screen could not show them all otherwise."""
    shown = sum(max(1, math.ceil(len(line) / columns)) for line in lines)
    if shown < rows:
        return list(lines)
    return [line if len(line) <= columns else f"{line[: columns - 1]}…" for line in lines]
