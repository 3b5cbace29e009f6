"""A run that waits for its file: what it holds meanwhile, and what becomes of it when the triggerer dies."""

from __future__ import annotations

import os
import signal

import pytest

from local.stack.airflow_api import AirflowApi
from local.stack.connections import SOURCE_BUCKET, s3_client
from local.stack.home import Home
from local.stack.supervision import Supervisor
from tests.command_line import CommandLine
from tests.faults.ground import wait_until
from tests.month import month

pytestmark = pytest.mark.faults

DAY = month().first_days(1)


def test_a_waiting_run_holds_no_worker_and_outlives_its_triggerer(cli: CommandLine, home: Home) -> None:
    ((key, data),) = ((key, data) for key, data in DAY.files.items() if key.startswith("log_data/"))
    log_date = key.rpartition("/")[2].removesuffix("-events.json")
    cli.run("up")
    api = AirflowApi(home)
    task = "/dags/sparkify_daily/dagRuns/late/taskInstances/stage_events"
    wait_until(lambda: api.dag("sparkify_daily"), "Airflow does not read the DAG")
    api.trigger("sparkify_daily", "late", {"log_date": log_date, "missing_file": "wait"})
    wait_until(lambda: api.get(task)["state"] == "deferred", "the task does not wait")
    wait_until(lambda: api.get(f"{task.rpartition('/')[0]}/stage_songs")["state"] == "success", "songs wait too")
    pool = api.get("/pools/default_pool")
    assert (pool["running_slots"], pool["queued_slots"], pool["deferred_slots"]) == (0, 0, 1)
    os.kill(Supervisor(home).programs()["triggerer"].pid, signal.SIGKILL)
    wait_until(lambda: not Supervisor(home).programs()["triggerer"].runs, "the triggerer outlived a kill -9")
    s3_client(home).put_object(Bucket=SOURCE_BUCKET, Key=key, Body=data)
    cli.run("up")
    wait_until(lambda: api.run("sparkify_daily", "late").finished, "the run does not go on")
    assert api.run("sparkify_daily", "late").state == "success"
    assert api.get(task)["try_number"] == 1
    log = home.airflow / "logs" / "dag_id=sparkify_daily" / "run_id=late" / "task_id=stage_events" / "attempt=1.log"
    assert f"No file for log date {log_date}: expected s3://{SOURCE_BUCKET}/{key}" in log.read_text()
    assert cli.value(f"select count(*) from staging_events where log_date = '{log_date}'") == len(data.splitlines())
