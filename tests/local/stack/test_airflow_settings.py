"""What Airflow finds in a home, as far as it is other than anywhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from local.stack import environment
from local.stack.airflow_settings import _LOCAL_SETTINGS, settings, write_local_settings
from local.stack.home import PROJECT, Home

LOOK = """
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag("{dags}", bundle_path="{dags}", bundle_name="dags")
assert not bag.import_errors, bag.import_errors
print("wait:", bag.dags["sparkify_report"].get_task("wait_for_loads").poke_interval)
"""


def test_whoever_waits_for_the_report_at_a_laptop_waits_ten_seconds_at_most(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.airflow.mkdir(parents=True)
    write_local_settings(home)
    env = environment.of_programs(os.environ) | {
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    said = subprocess.run(
        [sys.executable, "-c", LOOK.format(dags=PROJECT / "dags")],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "wait: 10" in said.stdout, said.stderr


# What says where things are, who may come in, and what is secret.
OF_A_HOME = re.compile(r".*(_FOLDER|_KEY|_SECRET|_URL|_CONN|__HOST|__PORT|_USERS|_FILE)$")


def test_the_page_tells_of_every_setting_that_is_no_address_or_secret(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    for program in ("api-server", "s3", "redshift", "postgres"):
        home.choose_port(program, 1)
    chosen = {name for name in settings(home) if name.startswith("AIRFLOW__") and not OF_A_HOME.fullmatch(name)}
    page = (PROJECT / "docs" / "laptop.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+__\w+)` \|", page, re.MULTILINE)) == {
        name.removeprefix("AIRFLOW__") for name in chosen
    }


def test_it_replaces_one_method_of_airflow_alone() -> None:
    assert re.findall(r"^ *(\w+(?:\.\w+)+) = ", _LOCAL_SETTINGS, re.MULTILINE) == [
        "CronDataIntervalTimetable.next_dagrun_info",
        "task.poke_interval",
    ]
