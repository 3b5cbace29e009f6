"""A run of the daily DAG, task by task and try by try: what a scheduler does of it, with a fault on the way."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import date
from typing import Any

import psutil
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.exceptions import Unavailable
from tests.faults.ground import GIVE_UP_SECONDS, Ground
from tests.faults.wire import Connection
from tests.pipeline import Pipeline, load_dag

TASKS = (
    "tables",
    "stage_events",
    "stage_songs",
    "check_staging",
    "songplays",
    "users",
    "songs",
    "artists",
    "time",
    "check_warehouse",
)
DAG_TASKS = load_dag("sparkify_daily").tasks
CHECKS = {task.task_id: len(task.files) for task in DAG_TASKS if task.task_id.startswith("check_")}
# The last statement of a task's transaction.
RECORDS = ("insert into load_history", "insert into data_quality_results")


def after(task_id: str) -> str:
    """The scene that a task leaves behind: the one before the next."""
    return [*TASKS, "end"][TASKS.index(task_id) + 1]


class Attempts:
    """The tries of one run's tasks.

    :param log_date: of the run.
    """

    def __init__(self, ground: Ground, pipeline: Pipeline, log_date: date) -> None:
        self.ground = ground
        self.pipeline = pipeline
        self.log_date = log_date
        pipeline.run_number += 1
        self.run_id = f"run_{pipeline.run_number}"
        self.tries = dict.fromkeys(TASKS, 0)
        #: The tries whose work the warehouse committed, whether or not the task lived to hear of it.
        self.committed: list[tuple[str, int]] = []

    def prepare(self, task_id: str) -> tuple[Any, Any]:
        """The next try of a task, and its context."""
        self.tries[task_id] += 1
        ((task, context),) = self.pipeline.tasks(self.log_date, only={task_id})
        context["ti"].run_id, context["ti"].try_number = self.run_id, self.tries[task_id]
        return task, context

    def work(self, task_id: str) -> int:
        """Run a task to its end; returns the number of its statements."""
        task, context = self.prepare(task_id)
        self.ground.wire.arm()
        task.execute(context)
        return self._account(task_id)

    def finish(self, first: str) -> None:
        """Run this task and all after it, but for checks: what they look at is then compared with the reference."""
        for task_id in TASKS[TASKS.index(first) :]:
            if task_id == first or task_id not in CHECKS:
                self.work(task_id)

    def kill_task(self, task_id: str, number: int, moment: str = "answered") -> bool:
        """Kill the process of a task with -9 at its n-th statement; False if it ended before that."""
        task, context = self.prepare(task_id)
        pids: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.ground.wire.arm(number, moment, lambda _: os.kill(pids.get(), signal.SIGKILL))
        pids.put(pid := fork(lambda: task.execute(context)))
        status = end_of(pid)
        self._account(task_id)
        killed = status == -signal.SIGKILL
        assert killed or status == 0, f"{task_id} failed by itself"
        assert not killed or self.ground.wire.struck.wait(60)
        return killed

    def kill_task_after(self, task_id: str, seconds: float) -> None:
        """Kill the process of a task with -9 so long after its start, if it still runs."""
        task, context = self.prepare(task_id)
        self.ground.wire.arm()
        pid = fork(lambda: task.execute(context))
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        end_of(pid)
        self.ground.wait_until_no_task_is_connected()
        # Nobody need have heard the answer to its commit.
        self.committed += recorded(self.pipeline, self.run_id)

    def strike(self, task_id: str, number: int, moment: str, blow: Callable[[Connection], None]) -> bool:
        """Let a blow fall at the n-th statement of a task, which must then fail so that it is tried again.

        False if the task did not mind.
        """
        task, context = self.prepare(task_id)
        fallen = threading.Event()

        def fall(connection: Connection) -> None:
            try:
                blow(connection)
            finally:
                fallen.set()

        self.ground.wire.arm(number, moment, fall)
        try:
            task.execute(context)
        except Unavailable:
            # The task hears of a server's end as soon as the wire does.
            assert fallen.wait(GIVE_UP_SECONDS)
            return True
        except AirflowFailException as error:
            pytest.fail(f"{task_id}, statement {number}, {moment}: would not be tried again: {error}")
        finally:
            self._account(task_id)
        return False

    def _account(self, task_id: str) -> int:
        answered = self.ground.wire.answered
        recorded = next((n for n, sql in enumerate(answered) if sql.startswith(RECORDS)), len(answered))
        if "commit" in answered[recorded:]:
            self.committed.append((task_id, self.tries[task_id]))
        return len(answered)


def fork(work: Callable[[], object]) -> int:
    """Do it in a process of its own, as a task is, and return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def end_of(pid: int) -> int:
    """Wait for a process; returns its exit code, or the signal that killed it as a negative number."""
    process = psutil.Process(pid)
    try:
        return int(process.wait(GIVE_UP_SECONDS))
    except psutil.TimeoutExpired:
        process.kill()
        pytest.fail(f"A task did not end in {GIVE_UP_SECONDS:.0f} seconds.")


def recorded(pipeline: Pipeline, run_id: str) -> list[tuple[str, int]]:
    """The tries of a run that the records have, as often as they have them; of a check all is there or nothing."""
    of_run = f"where run_id = '{run_id}'"
    with pipeline.session() as warehouse:
        loads = warehouse.rows(f"select task_id, try_number from load_history {of_run}")
        checked = warehouse.rows(
            "select task_id, try_number, count(*), count(distinct check_name) from data_quality_results"
            f" {of_run} group by task_id, try_number"
        )
    assert all(rows == checks == CHECKS[task] for task, _, rows, checks in checked)
    return sorted((str(task), int(number)) for task, number, *_ in [*loads, *checked])


def assert_recorded(run: Attempts) -> None:
    """The records have each try of a run that was committed, once, and no other."""
    assert recorded(run.pipeline, run.run_id) == sorted(run.committed)


def assert_nothing_is_left(pipeline: Pipeline) -> None:
    """No key waits to be worked out again."""
    pending = ("songplays_pending", "users_pending", "time_pending")
    with pipeline.session() as warehouse:
        left = {table: found for table in pending if (found := warehouse.rows(f"select * from {table}"))}
    assert not left
