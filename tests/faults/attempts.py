"""A run of the daily DAG, task by task and try by try: what a scheduler does of it, with a fault on the way."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import psutil
import pytest

from sparkify.loading.exceptions import Unavailable
from sparkify.tables import STAR
from tests.faults.ground import GIVE_UP_SECONDS, Ground, Records
from tests.faults.survival import TASKS
from tests.faults.wire import Connection
from tests.pipeline import Pipeline, load_dag

DAG_TASKS = load_dag("sparkify_daily").tasks
CHECKS = {task.task_id: len(task.files) for task in DAG_TASKS if task.task_id.startswith("check_")}


def after(task_id: str) -> str:
    """The scene that a task leaves behind: the one before the next."""
    return [*TASKS, "end"][TASKS.index(task_id) + 1]


class Stage(NamedTuple):
    """A run that was done once: its pipeline, the rows before each of its tasks, and what each task asked."""

    pipeline: Pipeline
    records: Records
    statements: Mapping[str, Sequence[str]]


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

    def kill_task(self, task_id: str, number: int, moment: str) -> bool:
        """Kill the process of a task with -9 at its n-th statement; False if it ended before that."""
        task, context = self.prepare(task_id)
        killed = kill_at(self.ground, lambda: task.execute(context), number, moment)
        self._account(task_id)
        return killed

    def kill_task_after(self, task_id: str, seconds: float) -> bool:
        """Kill the process of a task with -9 so long after its start; False if it ended before that."""
        task, context = self.prepare(task_id)
        self.ground.wire.arm()
        pid = fork(lambda: task.execute(context))
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        killed = was_killed(pid)
        self.ground.wait_until_no_task_is_connected()
        # Nobody need have heard the answer to its commit.
        self.committed += recorded(self.pipeline, self.run_id)
        return killed

    def seconds_of(self, task_id: str) -> float:
        """Run a task to its end, as what :meth:`kill_task_after` kills is run; returns how long that took."""
        task, context = self.prepare(task_id)
        self.ground.wire.arm()
        started = time.monotonic()
        assert not was_killed(fork(lambda: task.execute(context)))
        return time.monotonic() - started

    def strike(self, task_id: str, number: int, moment: str, blow: Callable[[Connection], None]) -> bool:
        """Let a blow fall at the n-th statement of a task, which must then fail so that it is tried again.

        False if the task did not mind.
        """
        task, context = self.prepare(task_id)
        self.ground.wire.arm(number, moment, blow)
        failure: Exception | None = None
        try:
            task.execute(context)
        except Exception as error:
            failure = error
        # The task hears of a server's end as soon as the wire does.
        struck = self.ground.wire.settle()
        self._account(task_id)
        if failure is None:
            return False
        if not (struck and isinstance(failure, Unavailable)):
            raise AssertionError(f"{task_id}, statement {number}, {moment}: would not be tried again") from failure
        return True

    def _account(self, task_id: str) -> int:
        answered = self.ground.wire.answered
        recorded = next((n for n, sql in enumerate(answered) if sql.startswith("insert into load_history")), None)
        checked = any(sql.startswith("insert into data_quality_results") for sql in answered)
        if checked or (recorded is not None and "commit" in answered[recorded:]):
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


def was_killed(pid: int) -> bool:
    """Wait for a process, which may have been killed with -9 but must not fail by itself."""
    status = end_of(pid)
    assert status in (0, -signal.SIGKILL), "A task failed by itself."
    return status != 0


def kill_at(ground: Ground, work: Callable[[], object], number: int, moment: str) -> bool:
    """Do it in a process of its own, killed with -9 at its n-th statement; False if it ended before that."""
    pids: queue.SimpleQueue[int] = queue.SimpleQueue()

    def kill(connection: Connection) -> None:
        os.kill(pids.get(), signal.SIGKILL)
        if moment == "asked":
            # The server does not hear what a dead task has asked.
            connection.drop()

    ground.wire.arm(number, moment, kill)
    pids.put(pid := fork(work))
    status = end_of(pid)
    struck = ground.wire.settle()
    assert status == (-signal.SIGKILL if struck else 0), "A task failed by itself."
    return struck


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
    """Nothing is queued."""
    queues = tuple(table.queue_name for table in STAR)
    with pipeline.session() as warehouse:
        left = {table: found for table in queues if (found := warehouse.rows(f"select * from {table}"))}
    assert not left
