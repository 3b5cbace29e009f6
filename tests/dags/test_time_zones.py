"""A deployment's ``core.default_timezone`` changes no log date: of a recipe, of a run's tasks, of a DAG's beginning."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.pipeline import PROJECT

ZONES = (
    "America/New_York",
    pytest.param("Asia/Shanghai", marks=pytest.mark.deployment),
    pytest.param("Pacific/Kiritimati", marks=pytest.mark.deployment),
)
NOVEMBER = [f"{date(2018, 11, 1) + timedelta(days)} 00:00:00+00:00" for days in range(30)]
PAGES = ("README.md", "docs/operations.md")
DAGS = [path.stem for path in (PROJECT / "dags").glob("*.py")]
PREPARE = (["db", "migrate"], ["dags", "reserialize"])
RENDER = ["tasks", "render", "sparkify_daily", "songplays", "2018-11-01T00:00Z"]
# Runs the commands that it reads, as JSON, by Airflow's own command line, and answers what each printed.
COMMANDS = """
import contextlib, io, json, os, sys
from airflow.cli import cli_parser

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
printed = []
for command in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        options = cli_parser.get_parser().parse_args(command)
        options.func(options)
    printed.append(said.getvalue())
json.dump(printed, answers)
"""


class Airflow:
    """A deployment of the project's DAGs in one time zone."""

    def __init__(self, home: Path, zone: str) -> None:
        foreign = ("AIRFLOW", "PYTHON", "TZ")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.home = home
        self.environment = inherited | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TIMEZONE": zone,
            "COLUMNS": "500",
        }

    def run(self, *commands: list[str]) -> list[str]:
        """What each of Airflow's commands prints."""
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS], cwd=self.home, env=self.environment, input=json.dumps(commands),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        printed: list[str] = json.loads(done.stdout)
        return printed

    def beginnings(self) -> dict[str, datetime]:
        """Each DAG's start date, as the scheduler has it: before it no task of a run is started."""
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db")) as database:
            kept = database.execute("select dag_id, data from serialized_dag").fetchall()
        return {dag_id: datetime.fromtimestamp(json.loads(data)["dag"]["start_date"], UTC) for dag_id, data in kept}


def recipes() -> list[list[str]]:
    """The arguments of every backfill of November that the pages tell to make."""
    found = []
    for page in PAGES:
        text = (PROJECT / page).read_text().replace("\\\n", " ")
        found += [shlex.split(command)[1:] for command in re.findall(r"airflow backfill create [^`\n]+", text)]
    return found


def test_the_pages_tell_to_make_backfills() -> None:
    assert len(recipes()) == 3


@pytest.mark.parametrize("zone", ZONES)
def test_a_default_time_zone_changes_no_log_date(tmp_path_factory: pytest.TempPathFactory, zone: str) -> None:
    airflow = Airflow(tmp_path_factory.mktemp("zone"), zone)
    dry = [[*recipe, "--dry-run"] for recipe in recipes()]
    naive = ["backfill", "create", "--dag-id", "sparkify_daily", "--from-date", "2018-11-01", "--to-date", "2018-11-30"]
    *_, rendered, without_zone, first, second, third = airflow.run(*PREPARE, RENDER, [*naive, "--dry-run"], *dry)
    assert dates(first) == NOVEMBER
    assert sorted(dates(second)) == NOVEMBER
    assert dates(third) == NOVEMBER
    # The zone is one that matters: without it in the dates, one is missing.
    assert len(dates(without_zone)) == 29
    assert airflow.beginnings() == dict.fromkeys(DAGS, datetime(2018, 11, 1, tzinfo=UTC))
    assert set(re.findall(r"\d{4}-\d\d-\d\d", rendered)) == {"2018-11-01"}


def dates(dry_run: str) -> list[str]:
    """The logical dates that a dry run shows, in its order."""
    return re.findall(r"^\| (\d{4}-\S+ \S+)", dry_run, re.MULTILINE)
