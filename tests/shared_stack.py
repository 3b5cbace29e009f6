"""A stack with Airflow that files of tests have one after the other, which saves its start."""

from __future__ import annotations

import shutil
import time

import psycopg
from psycopg import sql

from local.stack import connections, databases
from local.stack.airflow_api import AirflowApi
from local.stack.home import Home
from tests.command_line import CommandLine

GIVE_UP_SECONDS = 300.0
# Task instances, their XComs and what else belongs to a run go with it.
OF_RUNS = ("asset_dag_run_queue", "backfill_dag_run", "dag_run", "backfill", "asset_event")
RELATIONS = """
select c.relname, c.relkind = 'v' from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') order by c.relkind desc
"""


class SharedStack:
    """A stack, given to one file after the other as it is when it has just come up."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli
        self._used = False

    def emptied(self) -> CommandLine:
        """The running stack, without a run, a table or a file; what a file before killed runs again."""
        before, self._used = self._used, True
        self.cli.run("up")
        if before:
            home = Home(self.cli.home)
            _wait_for_runs(home)
            _forget_runs(home)
            _drop_tables(home)
            _delete_files(home)
        return self.cli

    def stop(self) -> None:
        """Stop the stack, if it runs, and forget it."""
        if self._used:
            self.cli.run("down", "--purge")
        self._used = False


def _wait_for_runs(home: Home) -> None:
    """A load makes the report's run, which may go on when the file's last test has ended."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while unfinished := AirflowApi(home).get("/dags/~/dagRuns?state=running&state=queued")["dag_runs"]:
        assert time.monotonic() < give_up, f"Runs do not end: {unfinished}"
        time.sleep(0.5)


def _forget_runs(home: Home) -> None:
    with psycopg.connect(databases.admin_dsn(home, databases.METADATA)) as connection:
        for table in OF_RUNS:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(table)))
    for folder in (home.airflow / "logs").glob("dag_id=*"):
        shutil.rmtree(folder)


def _drop_tables(home: Home) -> None:
    with psycopg.connect(databases.admin_dsn(home, databases.WAREHOUSE)) as connection:
        for name, is_view in connection.execute(RELATIONS).fetchall():
            kind = sql.SQL("view" if is_view else "table")
            connection.execute(sql.SQL("drop {} if exists public.{} cascade").format(kind, sql.Identifier(name)))


def _delete_files(home: Home) -> None:
    s3 = connections.s3_client(home)
    for bucket in (connections.SOURCE_BUCKET, connections.CONTROL_BUCKET):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
