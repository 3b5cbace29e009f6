"""Every task of every DAG has a time limit, and none that ends it before its own limits do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sparkify.loading import connecting, warehouse
from sparkify.loading.warehouse_operator import WarehouseOperator
from tests.pipeline import PROJECT, load_dag

TASKS = [task for file in sorted((PROJECT / "dags").glob("*.py")) for task in load_dag(file.stem).tasks]
# https://docs.aws.amazon.com/boto3/latest/guide/retries.html: a first try and four more, in the mode legacy.
BOTO_TRIES, BOTO_SECONDS = 5, 60 + 60
# More than that is no backstop: a worker would be held for days.
LONGEST = timedelta(days=2)


def waits(task: Any) -> timedelta:
    """How long the task may have to wait for others, by the limits that those have."""
    if isinstance(task, WarehouseOperator):
        statements = max(1, len(getattr(task, "checks", ())), len(getattr(task, "questions", ())))
        seconds = connecting.CONNECT_SECONDS + (warehouse.LOCK_TIMEOUT_MS + warehouse.STATEMENT_TIMEOUT_MS) / 1000
        return timedelta(seconds=seconds + (statements - 1) * warehouse.STATEMENT_TIMEOUT_MS / 1000)
    if getattr(task, "mode", "") == "poke":
        return timedelta(seconds=task.timeout)
    return timedelta(seconds=BOTO_TRIES * BOTO_SECONDS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.dag_id}.{task.task_id}")
def test_a_task_that_hangs_is_ended_and_one_that_waits_is_not(task: Any) -> None:
    assert task.execution_timeout is not None, "give it one of sparkify.loading.time_limits"
    assert waits(task) < task.execution_timeout <= LONGEST


def test_all_dags_are_looked_at() -> None:
    assert {task.dag_id for task in TASKS} == {file.stem for file in (PROJECT / "dags").glob("*.py")}
    assert len(TASKS) > 20
