"""What only Airflow's own scheduler can show: runs side by side, killed tasks and servers, and tasks that it stops."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from local.errors import LocalStackError
from local.reference import read_log_files, read_song_files, star_schema
from local.stack import databases
from local.stack.airflow_api import UNFINISHED, AirflowApi
from local.stack.connections import SOURCE_BUCKET, redshift_arguments, s3_client
from local.stack.home import Home
from local.stack.supervision import Supervisor
from tests.command_line import CommandLine
from tests.e2e.loaded import assert_warehouse_equals_reference
from tests.e2e.side_by_side import client
from tests.examples import play
from tests.faults.ground import wait_until
from tests.faults.survival import Survivals
from tests.month import month

pytestmark = pytest.mark.faults

THREE_DAYS = month().first_days(3)
DATES = [str(log_date) for log_date in sorted(read_log_files(THREE_DAYS.files))]
EXPECTED = star_schema(read_log_files(THREE_DAYS.files), read_song_files(THREE_DAYS.files))


@pytest.fixture(scope="module")
def loaded(cli: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three days' files, which are loaded."""
    folder = tmp_path_factory.mktemp("days")
    THREE_DAYS.write_to(folder)
    cli.run("seed", str(folder))
    cli.run("trigger", DATES[0], "--through", DATES[-1])
    return folder


@contextmanager
def postgres(home: Home) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """PostgreSQL itself, behind the stand-in's back."""
    with psycopg.connect(databases.admin_dsn(home, databases.WAREHOUSE), autocommit=True) as connection:
        yield connection


def test_runs_of_one_date_at_the_same_moment_do_not_fail_each_other(
    cli: CommandLine,
    home: Home,
    loaded: Path,
) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(cli.run, "trigger", DATES[0]) for _ in range(4)]:
            done.result()
    assert_warehouse_equals_reference(home, EXPECTED)


@contextmanager
def held(home: Home, mutex: str) -> Iterator[Callable[[], list[int]]]:
    """Hold a table's mutex, so that tasks stop in front of it; gives which sessions do."""
    with contextlib.ExitStack() as ending, postgres(home) as connection:
        holder = client(home, autocommit=True)
        # Whatever has become of it.
        ending.callback(holder.close)
        holder.execute("begin")
        holder.execute(f"lock mutex_{mutex}".encode())

        def waiting() -> list[int]:
            found = connection.execute(
                "select pid from pg_locks where relation = %s::regclass and not granted", [f"mutex_{mutex}"]
            )
            return [int(pid) for (pid,) in found]

        yield waiting


def tasks(home: Home) -> list[psutil.Process]:
    """The processes below the scheduler that are connected with the warehouse: those of tasks."""
    port = redshift_arguments(home)["port"]
    scheduler = psutil.Process(Supervisor(home).programs()["scheduler"].pid)
    found = []
    for process in scheduler.children(recursive=True):
        try:
            if any(peer.raddr and peer.raddr.port == port for peer in process.net_connections("tcp")):
                found.append(process)
        except psutil.Error:
            continue
    return found


def mark_failed(home: Home, run_id: str, task_id: str) -> None:
    """What the UI's button does."""
    path = f"/dags/sparkify_daily/dagRuns/{run_id}/taskInstances/{task_id}"
    AirflowApi(home)._request("PATCH", path, json={"new_state": "failed"})


def assert_ended_by_its_task(home: Home, run_id: str, pid: int) -> None:
    """The task ended its session itself, when Airflow told it to stop: not the stand-in, after it had been killed."""
    folder = home.airflow / "logs" / "dag_id=sparkify_daily" / f"run_id={run_id}" / "task_id=stage_events"
    log, ended = folder / "attempt=1.log", f"Ended the warehouse session {pid}, "
    wait_until(lambda: ended in log.read_text(), f"{log} does not say: {ended}")


def test_a_task_that_is_marked_failed_leaves_no_session_waiting_in_the_warehouse(
    cli: CommandLine,
    home: Home,
    loaded: Path,
) -> None:
    with held(home, "staging_events") as waiting:
        AirflowApi(home).trigger("sparkify_daily", "stopped_waiting", {"log_date": DATES[0]})
        (pid,) = wait_until(waiting, "no task stops in front of the mutex")
        mark_failed(home, "stopped_waiting", "stage_events")
        wait_until(lambda: not waiting(), "the session of a task that was stopped still waits for the mutex")
    assert_ended_by_its_task(home, "stopped_waiting", pid)
    assert_warehouse_equals_reference(home, EXPECTED)


def test_a_task_that_is_marked_failed_ends_its_copy_although_s3_does_not_answer(
    cli: CommandLine,
    home: Home,
    loaded: Path,
) -> None:
    line = json.dumps(play(page="Home")).encode() + b"\n"
    key = "log_data/2001/01/2001-01-01-events.json"
    s3 = s3_client(home)
    s3.put_object(Bucket=SOURCE_BUCKET, Key=key, Body=line * 300_000)
    program = psutil.Process(Supervisor(home).programs()["s3"].pid)
    with postgres(home) as connection:

        def copying() -> list[int]:
            found = connection.execute(
                "select pid from pg_stat_activity where state = 'active' and query like 'COPY %incoming%FROM STDIN%'"
            )
            return [int(pid) for (pid,) in found]

        AirflowApi(home).trigger("sparkify_daily", "stopped_copying", {"log_date": "2001-01-01"})
        (pid,) = wait_until(copying, "no task copies")
        program.suspend()
        try:
            assert copying() == [pid], "the COPY had ended before S3 was suspended"
            mark_failed(home, "stopped_copying", "stage_events")
            wait_until(lambda: not copying(), "the COPY of a task that was stopped goes on")
            assert_ended_by_its_task(home, "stopped_copying", pid)
        finally:
            program.resume()
    s3.delete_object(Bucket=SOURCE_BUCKET, Key=key)
    assert_warehouse_equals_reference(home, EXPECTED)


def make_retries_due(home: Home) -> None:
    """Let the tasks that are to be tried again have failed some minutes ago: Airflow tries them at once."""
    with psycopg.connect(databases.admin_dsn(home, databases.METADATA), autocommit=True) as connection:
        connection.execute(
            "update task_instance set end_date = end_date - interval '2 minutes' where state = 'up_for_retry'"
        )


def test_runs_recover_from_the_kill_of_a_task_of_the_stand_in_and_of_postgresql(
    cli: CommandLine,
    home: Home,
    loaded: Path,
    survived: Survivals,
) -> None:
    api = AirflowApi(home)
    with held(home, "songplays") as waiting:
        runs = [api.trigger("sparkify_daily", f"killed_{date}", {"log_date": date}).run_id for date in DATES]
        wait_until(lambda: len(waiting()) == 3, "three tasks do not stop in front of the mutex")
        tasks(home)[0].kill()
        wait_until(lambda: len(waiting()) == 2, "a killed task's session still waits for the mutex")
        survived("songplays", "lock", "kill")
        os.kill(Supervisor(home).programs()["redshift"].pid, signal.SIGKILL)
        wait_until(lambda: not Supervisor(home).programs()["redshift"].runs, "the stand-in outlived a kill -9")
    cli.run("up")
    survived("songplays", "lock", "stand-in")
    with held(home, "time") as waiting:

        def begins_again() -> list[int]:
            make_retries_due(home)
            time.sleep(0.5)
            return waiting()

        wait_until(begins_again, "no task stops in front of the mutex")
        os.kill(Supervisor(home).programs()["postgres"].pid, signal.SIGKILL)
        wait_until(lambda: not Supervisor(home).programs()["postgres"].runs, "PostgreSQL outlived a kill -9")
    states: set[str] = set()
    give_up = time.monotonic() + 600
    while not states or states & UNFINISHED:
        assert time.monotonic() < give_up, states
        # Airflow's programs may take the loss of their database for their own end, and that while others are started.
        with contextlib.suppress(AssertionError, LocalStackError):
            cli.run("up")
            make_retries_due(home)
            states = {AirflowApi(home).run("sparkify_daily", run_id).state for run_id in runs}
        time.sleep(1)
    assert states == {"success"}
    survived("time", "lock", "PostgreSQL")
    assert "tables are equal to the files." in cli.run("verify", str(loaded))
