"""An outage is tried again; wrong data, a mistake in the code and a time limit are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowTaskTimeout

from sparkify.loading.exceptions import TimeLimitError
from sparkify.loading.retries import RETRIES, RetriesOutagesOnly
from tests.airflow_process import AirflowProcess, DagRun, running_airflow
from tests.pipeline import PROJECT, load_dag

DAGS = [load_dag(file.stem) for file in sorted((PROJECT / "dags").glob("*.py"))]
TASKS = [task for dag in DAGS for task in dag.tasks]
# Airflow's own operator; all that it can meet is a wrong param.
OF_AIRFLOW = {"choose"}

FAILING = """\
from datetime import datetime, timedelta
from time import sleep

from airflow.sdk import DAG, BaseOperator, BaseSensorOperator
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.retries import RETRIES, RetriesOutagesOnly


class Failing(RetriesOutagesOnly, BaseOperator):
    def __init__(self, *, error, **kwargs):
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context):
        if self.error:
            raise self.error
        sleep(60)


class Sensing(RetriesOutagesOnly, BaseSensorOperator):
    def poke(self, context):
        raise KeyError("a mistake")


quick = RETRIES | {"retries": 1, "retry_delay": timedelta(0), "retry_exponential_backoff": False}
with DAG("failing", schedule=None, start_date=datetime(2018, 11, 1), default_args=quick):
    Failing(task_id="outage", error=Unavailable("away"))
    Failing(task_id="airflow_away", error=AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR)))
    Failing(task_id="data", error=DataError("a bad line"))
    Failing(task_id="settings", error=SettingsError("no bucket"))
    Failing(task_id="mistake", error=KeyError("a mistake"))
    Failing(task_id="limit", error=None, execution_timeout=timedelta(seconds=0.2))
    Sensing(task_id="sensor")
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowProcess]:
    """An Airflow with one DAG, whose tasks fail in all ways."""
    home = tmp_path_factory.mktemp("home")
    (home / "dags").mkdir()
    (home / "dags" / "failing.py").write_text(FAILING)
    with running_airflow(home, {"AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}) as process:
        yield process


@pytest.fixture(scope="module")
def run(airflow: AirflowProcess) -> DagRun:
    """A run of it, to its end."""
    return airflow.run("failing", {})


def test_an_outage_gets_another_try_and_nothing_else_does(run: DagRun) -> None:
    tries = Counter(task for task, _ in run.lines)
    assert {task for task, count in tries.items() if count == 2} == {"outage", "airflow_away"}
    assert {task for task, count in tries.items() if count == 1} == {"data", "settings", "mistake", "limit", "sensor"}
    assert set(run.tasks.values()) == {"failed"}


def test_the_session_of_a_task_at_its_limit_is_ended() -> None:
    killed = []

    class Hanging(RetriesOutagesOnly, BaseOperator):
        def execute(self, context: Any) -> None:
            raise AirflowTaskTimeout

        def on_kill(self) -> None:
            killed.append(self.task_id)

    with pytest.raises(TimeLimitError):
        Hanging(task_id="hangs").execute({})
    assert killed == ["hangs"]


def test_a_time_limit_and_a_mistake_say_what_to_do(run: DagRun) -> None:
    assert "ended after 0:00:00.200000, its execution_timeout. It is not tried again" in run.said("limit")
    for task in ("mistake", "sensor"):
        assert "KeyError: 'a mistake'. This is a mistake in the package" in run.said(task)
        assert "Report it with this log." in run.said(task)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.dag_id}.{task.task_id}")
def test_every_task_keeps_the_rule(task: Any) -> None:
    if task.task_id not in OF_AIRFLOW:
        assert isinstance(task, RetriesOutagesOnly)
    if task.dag_id == "sparkify_schema":
        # Somebody made the run by hand, and sees at once what is wrong.
        assert task.retries == 0
    else:
        assert {name: getattr(task, name) for name in RETRIES} == RETRIES
