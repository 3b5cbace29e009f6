"""Each service's own Airflow installs what make dist made for it, and its scheduler loads a date by it.

docs/compatibility.md holds what was found; a run of all versions with WRITE_COMPATIBILITY set writes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.stack.airflow_api import AirflowApi
from local.stack.airflow_settings import NOTED, PYTHON
from local.stack.connections import AIRFLOW_USER, SOURCE_BUCKET, airflow_url, s3_client
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.deploy import compatibility
from tests.deploy.services import Installed, Service, install, services
from tests.examples import event
from tests.faults.ground import wait_until
from tests.month import month
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment

DAGS = {path.stem for path in (PROJECT / "dags").glob("*.py")}
DAY = month().first_days(1)
DATE = str(DAY.first)
LATE = "2018-12-24"
# Most differs from the version of the lock; the others take as long each.
OLDEST = next(services())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All services with --every-airflow, or that of the oldest Airflow."""
    if "service" in metafunc.fixturenames:
        chosen = list(services()) if metafunc.config.getoption("every_airflow") else [OLDEST]
        metafunc.parametrize("service", chosen, ids=str, scope="module")


@pytest.fixture(scope="module")
def installed(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The service's Airflow, with the project."""
    return install(service, tmp_path_factory.mktemp(str(service)))


@pytest.fixture(scope="module")
def running(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A stack whose Airflow is the service's."""
    cli = CommandLine(tmp_path_factory.mktemp("running") / "home")
    home = Home(cli.home)
    home.create()
    home.set_mark(PYTHON, str(installed.python))
    home.set_mark("dags", str(installed.folder / "dags"))
    home.set_mark(NOTED, json.dumps({"AIRFLOW__CORE__PLUGINS_FOLDER": str(installed.folder / "plugins")}))
    try:
        cli.run("up")
        yield cli
    finally:
        cli.run("down", "--purge")


def test_its_own_scheduler_loads_a_date_and_all_of_the_package_works(
    installed: Installed, running: CommandLine, tmp_path: Path
) -> None:
    DAY.write_to(tmp_path)
    running.run("seed", str(tmp_path))
    running.run("trigger", DATE)
    assert "tables are equal to the files." in running.run("verify", str(tmp_path))

    home = Home(running.home)
    api = AirflowApi(home)
    assert api.get("/version")["version"] == installed.service.version
    assert api.import_errors() == []
    assert {dag["dag_id"] for dag in api.get("/dags")["dags"]} == DAGS
    assert api.get("/plugins/importErrors")["import_errors"] == []
    assert "sparkify" in {plugin["name"] for plugin in api.get("/plugins")["plugins"]}
    assert DATE in page(home, f"/sparkify/dates/{DATE}")
    running.run("trigger", "--dag", "sparkify_report")
    assert DATE in Path(running.run("report").split()[-1]).read_text()
    if os.environ.get("WRITE_COMPATIBILITY"):
        version = installed.service.version
        compatibility.write(version, compatibility.row(installed.service, installed.versions()))


def test_its_own_triggerer_wakes_a_run_that_waits_for_its_file(running: CommandLine) -> None:
    home = Home(running.home)
    api = AirflowApi(home)
    api.trigger("sparkify_daily", "late", {"log_date": LATE, "missing_file": "wait"})
    task = "/dags/sparkify_daily/dagRuns/late/taskInstances/stage_events"
    wait_until(lambda: api.get(task)["state"] == "deferred", "the task does not wait")
    s3_client(home).put_object(
        Bucket=SOURCE_BUCKET, Key=f"log_data/2018/12/{LATE}-events.json", Body=json.dumps(event()).encode()
    )
    wait_until(lambda: api.run("sparkify_daily", "late").finished, "the run does not go on")
    assert api.get(task)["state"] == "success"


def page(home: Home, path: str) -> str:
    """What Airflow's API server answers to a signed-in user."""
    with requests.Session() as session:
        session.trust_env = False
        credentials = {"username": AIRFLOW_USER, "password": home.secret("airflow_password")}
        token: Any = session.post(f"{airflow_url(home)}/auth/token", json=credentials, timeout=60).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        answer = session.get(f"{airflow_url(home)}{path}", headers=headers, timeout=60)
    assert answer.ok, answer.text
    return answer.text
