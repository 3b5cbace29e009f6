"""Backfills and triggered runs, by a real Airflow with a DAG of one task that fails on demand."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator

import pytest
import requests

from local.errors import LocalStackError, RunFailedError
from local.runs import Backfill, Runner
from local.stack.airflow_api import AirflowApi
from local.stack.connections import airflow_url
from local.stack.home import Home
from local.stack.programs import AIRFLOW
from local.stack.stack import Stack

pytestmark = pytest.mark.stack

DAG = """
import datetime
import time
from pathlib import Path

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime.datetime(2018, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    params={"log_date": Param(None, type=["null", "string"])},
)
def tiny():
    @task
    def work(ds=None, params=None):
        date = params["log_date"] or ds
        if date == "2018-11-13":
            print("before the failure")
            raise ValueError("\\n".join(["an unlucky day", *(f"reason {n}" for n in range(1000))]))
        while date == "2018-11-20" and not Path(__file__).with_name("go").exists():
            time.sleep(0.1)
        return date
    work()

tiny()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "dags").mkdir()
    (folder / "dags" / "tiny.py").write_text(DAG)
    home = Home(folder / "home")
    home.create()
    home.set_mark("dags", str(folder / "dags"))
    stack = Stack(home)
    try:
        stack.up(("postgres", *AIRFLOW))
        yield home
    finally:
        stack.down(purge=True)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def progress() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def runner(home: Home, told: list[str], progress: list[tuple[int, int]]) -> Runner:
    return Runner(AirflowApi(home), told.append, lambda done, total: progress.append((done, total)))


def _backfill(first: int, last: int, reprocess: str = "none") -> Backfill:
    return Backfill("tiny", datetime.date(2018, 11, first), datetime.date(2018, 11, last), reprocess=reprocess)


def _starts(home: Home, first: int, last: int) -> dict[str, str]:
    """Return when the last run of each date was started."""
    api = AirflowApi(home)
    span = (f"2018-11-{first:02}T00:00:00Z", f"2018-11-{last:02}T00:00:00Z")
    return {
        run.run_id: str(api._request("GET", f"/dags/tiny/dagRuns/{run.run_id}")["start_date"])
        for run in api.runs("tiny", *span)
    }


def test_a_backfill_runs_each_date_once_tells_what_failed_and_runs_again_only_when_told_to(
    home: Home, runner: Runner, progress: list[tuple[int, int]]
) -> None:
    with pytest.raises(RunFailedError) as failure:
        runner.backfill(_backfill(12, 14))
    assert "1 of 3 runs of tiny failed" in str(failure.value)
    assert "work failed at try 1" in str(failure.value)
    assert "ValueError: an unlucky day" in str(failure.value)
    assert progress[-1] == (3, 3)
    first = _starts(home, 12, 14)
    assert len(first) == 3

    assert runner.backfill(_backfill(12, 14)) == 0
    assert _starts(home, 12, 14) == first

    with pytest.raises(RunFailedError, match="1 of 3 runs"):
        runner.backfill(_backfill(12, 14, reprocess="completed"))
    again = _starts(home, 12, 14)
    assert again.keys() == first.keys()
    assert all(again[run] != first[run] for run in first)


def test_a_run_that_is_under_way_already_is_waited_for(home: Home) -> None:
    api = AirflowApi(home)
    while api.active_backfill("tiny") is not None:
        time.sleep(0.5)
    api.create_backfill(_backfill(20, 20).request())
    seen: list[tuple[int, int]] = []

    def let_go(done: int, total: int) -> None:
        seen.append((done, total))
        (home.dags / "go").touch()

    assert Runner(api, lambda _sentence: None, let_go).backfill(_backfill(20, 20)) == 0
    assert seen[0] == (0, 1)
    assert seen[-1] == (1, 1)


def test_a_triggered_run_gets_its_params_and_its_failure_is_told(runner: Runner) -> None:
    assert "2018-11-05" in runner.trigger("tiny", {"log_date": "2018-11-05"})
    with pytest.raises(RunFailedError, match="an unlucky day"):
        runner.trigger("tiny", {"log_date": "2018-11-13"})


def test_an_error_of_many_lines_is_told_from_its_first_on(runner: Runner) -> None:
    with pytest.raises(RunFailedError) as failure:
        runner.trigger("tiny", {"log_date": "2018-11-13"})
    told = [line.strip() for line in str(failure.value).splitlines()]
    first = told.index("ValueError: an unlucky day")
    assert told[first + 1 : first + 101] == [f"reason {n}" for n in range(100)]
    assert re.fullmatch(r"… and \d+ more lines; see them in Airflow's UI\.", told[-1])
    assert len(told) < 600


def test_a_param_that_the_dag_does_not_have_is_refused(runner: Runner) -> None:
    with pytest.raises(LocalStackError, match="tiny has no param logdate"):
        runner.trigger("tiny", {"logdate": "2018-11-05"})


def test_a_paused_dag_is_unpaused_and_that_is_told(home: Home, runner: Runner, told: list[str]) -> None:
    AirflowApi(home)._request("PATCH", "/dags/tiny", json={"is_paused": True})
    runner.trigger("tiny", {"log_date": "2018-11-06"})
    assert any("was paused" in sentence for sentence in told)


def test_no_run_is_scheduled_for_a_day_that_has_no_data(home: Home) -> None:
    answer = AirflowApi(home)._request("GET", "/dags/tiny/dagRuns", params={"run_type": "scheduled"})
    assert answer["total_entries"] == 0


def test_airflow_shows_nothing_without_signing_in(home: Home) -> None:
    assert requests.get(f"{airflow_url(home)}/api/v2/dags", timeout=30).status_code == 401
    answer = requests.post(
        f"{airflow_url(home)}/auth/token", json={"username": "admin", "password": "admin"}, timeout=30
    )
    assert answer.status_code == 401
