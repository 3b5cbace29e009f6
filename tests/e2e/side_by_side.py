"""A backfill beside runs of its own dates, and beside those who read what it loads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psutil
import psycopg

from local.reference import ROW_TYPES
from local.stack import databases
from local.stack.airflow_api import AirflowApi
from local.stack.connections import redshift_arguments
from local.stack.home import Home
from local.stack.supervision import Supervisor
from tests.command_line import CommandLine
from tests.test_docs import created_tables

CONFLICT = "isolation violation"
HELD_SECONDS = 60.0
# Between two counts, which would otherwise take a processor from the loads.
PAUSE_SECONDS = 0.1
GIVE_UP_SECONDS = 60.0


def client(home: Home, **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """A client of the warehouse, as an analyst's tool is one."""
    to = redshift_arguments(home)
    return psycopg.connect(
        host=to["host"], port=to["port"], dbname=to["database"], user=to["user"], password=to["password"], **more
    )


def task_logs(home: Home) -> Iterator[str]:
    """What the tasks of all runs have logged."""
    for path in (home.airflow / "logs").rglob("attempt=*.log"):
        yield path.read_text(errors="replace")


class Reader(threading.Thread):
    """Counts the rows of every table, again and again, and must not wait for a lock over a second."""

    def __init__(self, home: Home) -> None:
        super().__init__(name="reader", daemon=True)
        self.home = home
        self.enough = threading.Event()
        self.counted = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with client(self.home, autocommit=True, options="-c lock_timeout=1000") as connection:
                while not self.enough.is_set():
                    for table in created_tables():
                        connection.execute(f"select count(*) from {table}".encode())
                        self.counted += 1
                        self.enough.wait(PAUSE_SECONDS)
        except Exception as error:
            self.failure = error

    def __enter__(self) -> Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.join(GIVE_UP_SECONDS)
        assert not self.is_alive(), "A count does not end."


def isolation(home: Home) -> str:
    """How the warehouse that runs isolates transactions."""
    command = psutil.Process(Supervisor(home).programs()["redshift"].pid).cmdline()
    return command[command.index("--isolation") + 1]


def waits_for(connection: psycopg.Connection[Any], pid: int) -> list[str]:
    """The statements that wait for a lock of this session."""
    waiting = connection.execute(
        "select query from pg_stat_activity where wait_event_type = 'Lock' and %s = any(pg_blocking_pids(pid))", [pid]
    ).fetchall()
    return [str(query) for (query,) in waiting]


def most_backfills_at_once(home: Home) -> int:
    """How many runs of backfills were active at the same moment, at most."""
    answer = AirflowApi(home).get("/dags/sparkify_daily/dagRuns?run_type=backfill&limit=100")
    assert answer["total_entries"] == len(answer["dag_runs"])
    changes = []
    for run in answer["dag_runs"]:
        changes += [(datetime.fromisoformat(run["start_date"]), 1), (datetime.fromisoformat(run["end_date"]), -1)]
    active = most = 0
    for _, change in sorted(changes):
        active += change
        most = max(most, active)
    return most


def backfill_beside_runs(cli: CommandLine, home: Home, dates: Sequence[str], *options: str) -> None:
    """Load the dates by sixteen runs at a time, beside a run of one of them and a run of a range of them.

    No reader waits while it counts, none delays a load by holding a transaction and a query open since before, for
    more than a minute, and no task hears of a conflict.
    """
    with (
        client(home) as holder,
        psycopg.connect(databases.admin_dsn(home, databases.WAREHOUSE), autocommit=True) as postgres,
        Reader(home) as reader,
        ThreadPoolExecutor(3) as threads,
    ):
        holder.execute("begin read only")
        before = {table: holder.execute(f"select count(*) from {table}".encode()).fetchone() for table in ROW_TYPES}
        holder.execute("declare plays cursor for select * from songplays")
        holder.execute("fetch forward 1 from plays")
        (pid,) = holder.execute("select pg_backend_pid()").fetchone() or ()
        held_since = time.monotonic()
        loads = [
            threads.submit(cli.run, "backfill", dates[0], dates[-1], "--max-active-runs", "16", *options),
            threads.submit(cli.run, "trigger", dates[len(dates) // 2]),
            threads.submit(cli.run, "trigger", dates[1], "--through", dates[4]),
        ]
        while not all(load.done() for load in loads):
            assert not waits_for(postgres, pid)
            time.sleep(0.5)
        for load in loads:
            load.result()
        while time.monotonic() - held_since < HELD_SECONDS:
            cli.run("trigger", dates[0])
        after = {table: holder.execute(f"select count(*) from {table}".encode()).fetchone() for table in ROW_TYPES}
    assert after == before
    assert reader.failure is None
    assert reader.counted
    assert most_backfills_at_once(home) >= 3
    logs = list(task_logs(home))
    assert len(logs) > len(dates)
    assert not [log for log in logs if CONFLICT in log]
