"""A stack whose programs are killed and brought back, seen from outside its tasks."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

import psycopg
from psycopg import sql

from local.stack import databases
from local.stack.connections import redshift_arguments
from local.stack.stack import Stack
from local.stack.supervision import Supervisor
from tests import made_schema
from tests.conftest import RunningStack
from tests.faults.wire import Wire

PROGRAMS = ("postgres", "s3", "redshift")
GIVE_UP_SECONDS = 240.0
# The tables whose rows say when, and so are never the same.
RECORDING = ("load_history", "data_quality_results")


def wait_until(what: Callable[[], Any], why: str) -> Any:
    """What it gives, as soon as that is something; ``why`` is said if it never is."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.01)
    return found


class Ground:
    """The programs of a stack, and a wire before its stand-in by which every task goes.

    :param running: the stack; its connection to the warehouse is led over the wire in :attr:`running`.
    """

    def __init__(self, stack: Stack, running: RunningStack) -> None:
        self.stack = stack
        self._supervisor = Supervisor(running.home)
        self.wire = Wire(lambda: int(redshift_arguments(running.home)["port"]))
        connection = json.loads(running.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"]) | {"port": self.wire.port}
        env = {**running.env, "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(connection), "AWS_MAX_ATTEMPTS": "1"}
        self.running = dataclasses.replace(running, env=env)

    def pid(self, program: str) -> int:
        """The process of a program that runs."""
        pid = self._supervisor.programs()[program].pid
        assert pid
        return pid

    def kill(self, program: str) -> None:
        """Kill a program without a word and return when it is gone."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self._supervisor.programs()[program].runs, f"{program} outlived a kill -9")

    def clean_up_at_once(self) -> None:
        """Let PostgreSQL look each second, not each 15, for the temporary tables of killed sessions."""
        with self.postgres() as connection:
            connection.execute("alter system set autovacuum_naptime = 1")
            connection.execute("select pg_reload_conf()")

    def bring_back(self) -> None:
        """Start what does not run, as a user does; return when the warehouse answers."""
        if not all(self._supervisor.programs()[name].runs for name in PROGRAMS):
            self.stack.up(PROGRAMS)
        wait_until(lambda: databases.unreachable(self.running.home) is None, "PostgreSQL does not come back")

    @contextlib.contextmanager
    def postgres(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """PostgreSQL itself, behind the stand-in's back."""
        with psycopg.connect(databases.admin_dsn(self.running.home, databases.WAREHOUSE), autocommit=True) as found:
            yield found

    def backend(self, connection: psycopg.Connection[tuple[Any, ...]]) -> int | None:
        """PostgreSQL's process for the youngest session of a task."""
        found = connection.execute(
            "select pid from pg_stat_activity where usename = %s order by backend_start desc limit 1",
            [databases.WAREHOUSE_USER],
        ).fetchone()
        return None if found is None else int(found[0])

    def sessions(self, connection: psycopg.Connection[tuple[Any, ...]]) -> int:
        """How many sessions of tasks there are."""
        found = connection.execute(
            "select count(*) from pg_stat_activity where usename = %s", [databases.WAREHOUSE_USER]
        ).fetchone()
        assert found
        return int(found[0])

    def rows_on_their_way(self) -> int:
        """How many rows PostgreSQL has taken of the COPYs that are under way."""
        with self.postgres() as connection:
            found = connection.execute("select tuples_processed from pg_stat_progress_copy").fetchall()
        return sum(int(rows) for (rows,) in found)

    def wait_until_no_task_is_connected(self) -> None:
        """Return when the sessions of all tasks have ended, the killed ones' included."""
        with self.postgres() as connection:
            wait_until(lambda: not self.sessions(connection), "a dead task's session lives on in the warehouse")

    def wait_until_nothing_temporary_is_left(self) -> None:
        """Return when the temporary tables of all sessions are gone."""
        left = "select count(*) = 0 from pg_class where relpersistence = 't'"
        with self.postgres() as connection:
            wait_until(lambda: connection.execute(left).fetchone() == (True,), "a temporary table outlived its session")


class Records:
    """What is in a schema, kept to be put back: a scene that every case begins with."""

    def __init__(self, ground: Ground, schema: str) -> None:
        self.ground = ground
        self.schema = schema

    def fingerprint(self, without: Collection[str] = (), scene: str | None = None) -> dict[str, str]:
        """A digest of each table's rows, whatever their order; as they are, or as they were kept under a name."""
        schema = self.schema if scene is None else f"{self.schema}_{scene}"
        with self.ground.postgres() as connection:
            parts = [
                sql.SQL("select {}, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} as t").format(
                    name, sql.Identifier(schema, name)
                )
                for name in made_schema.tables(connection, self.schema)
                if name not in without
            ]
            return dict(connection.execute(sql.SQL(" union all ").join(parts)).fetchall())

    def save(self, scene: str) -> None:
        """Keep all rows under a name."""
        with self.ground.postgres() as connection:
            made_schema.keep(connection, self.schema, f"{self.schema}_{scene}")

    def restore(self, scene: str) -> None:
        """Put the rows back that were kept under that name; no task may be connected."""
        self.ground.wait_until_no_task_is_connected()
        with self.ground.postgres() as connection:
            made_schema.put_back(connection, self.schema, f"{self.schema}_{scene}")
