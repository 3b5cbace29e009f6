"""Airflow's own scheduler loads the month; the warehouse then holds what the reference says, row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.reference import read_log_files, read_song_files, star_schema
from local.stack.airflow_api import UNFINISHED, AirflowApi
from local.stack.connections import CONTROL_BUCKET, s3_client
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.e2e.loaded import assert_warehouse_equals_reference
from tests.e2e.side_by_side import backfill_beside_runs, isolation
from tests.month import month

pytestmark = pytest.mark.story

MONTH = month()
EXPECTED = star_schema(read_log_files(MONTH.files), read_song_files(MONTH.files))
LOG_DATES = [str(log_date) for log_date in sorted(read_log_files(MONTH.files))]
LATEST_DATA = "sparkify/reports/latest/report.json"
FIRST, LAST = str(MONTH.first), str(MONTH.last)


@pytest.fixture(scope="module")
def seeded(cli: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    MONTH.write_to(folder)
    cli.run("seed", str(folder))
    return folder


# How the warehouse isolates transactions, and from which end the month is loaded; without --every-statement only so.
BACKFILLS = (
    ("snapshot", "backwards"),
    ("serializable", "forwards"),
    ("snapshot", "forwards"),
    ("serializable", "backwards"),
)


def backfills(config: pytest.Config) -> Sequence[tuple[str, str]]:
    """Those of :data:`BACKFILLS` that this run has time for."""
    return BACKFILLS if config.getoption("every_statement") else BACKFILLS[:1]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "isolated" in metafunc.fixturenames:
        metafunc.parametrize(("isolated", "direction"), backfills(metafunc.config))


@pytest.fixture(scope="module")
def default_isolation(home: Home) -> str:
    """How the warehouse isolates transactions when it has just come up."""
    return isolation(home)


def test_a_backfill_of_sixteen_at_a_time_beside_runs_of_its_dates_gives_the_month(
    cli: CommandLine, seeded: Path, home: Home, default_isolation: str, isolated: str, direction: str
) -> None:
    cli.run("up", "--isolation", isolated)
    assert isolation(home) == isolated
    cli.run("trigger", "--dag", "sparkify_schema", "--param", "rebuild=public")
    backwards = ["--backwards"] if direction == "backwards" else []
    backfill_beside_runs(cli, home, LOG_DATES, "--reprocess", "completed", *backwards)
    assert_warehouse_equals_reference(home, EXPECTED)
    cli.run("up", "--isolation", default_isolation)


def test_a_backfill_makes_one_report_of_the_whole_month(
    cli: CommandLine, seeded: Path, home: Home, pytestconfig: pytest.Config
) -> None:
    api = AirflowApi(home)
    runs = "/dags/sparkify_report/dagRuns"
    states: list[str] = []
    give_up = time.monotonic() + 400
    waiting = True
    while waiting or "success" not in states or not set(states) <= {"success", "skipped"}:
        assert time.monotonic() < give_up, states
        time.sleep(1)
        made = api.get(runs)["dag_runs"]
        waiting = any(run["state"] in UNFINISHED for run in made)
        ids = [run["dag_run_id"] for run in made]
        tasks = [task for run in ids for task in api.get(f"{runs}/{run}/taskInstances")["task_instances"]]
        states = [str(task["state"]) for task in tasks if task["task_id"] == "report"]
        assert "failed" not in states
    # The next backfill may begin before the report of the one before.
    assert 1 <= states.count("success") <= len(backfills(pytestconfig))

    report = json.loads(s3_client(home).get_object(Bucket=CONTROL_BUCKET, Key=LATEST_DATA)["Body"].read())
    assert report["run_id"].startswith("asset_triggered")
    assert report["scope"]["log_dates"] == len(LOG_DATES)
    assert report["scope"]["plays"] == len(EXPECTED.songplays)
    assert cli.run("report").splitlines()[-1] == str(cli.home / "report.html")


def test_doing_it_again_gives_the_same(cli: CommandLine, seeded: Path, home: Home) -> None:
    before = cli.value("select count(*) from load_history where table_name = 'songplays'")
    cli.run("backfill", LOG_DATES[0], LOG_DATES[2], "--reprocess", "completed")
    assert cli.value("select count(*) from load_history where table_name = 'songplays'") == before + 3
    assert_warehouse_equals_reference(home, EXPECTED)


def test_one_run_over_the_range_gives_the_month_from_nothing(cli: CommandLine, seeded: Path, home: Home) -> None:
    cli.run("trigger", "--dag", "sparkify_schema", "--param", "rebuild=public")
    assert cli.value("select count(*) from songplays") == 0
    cli.run("trigger", FIRST, "--through", LAST)
    assert_warehouse_equals_reference(home, EXPECTED)
    assert cli.value("select count(*) from load_history where table_name = 'songplays'") == 1


def test_a_date_without_a_file_fails_at_once_and_says_which(cli: CommandLine, seeded: Path, home: Home) -> None:
    said = " ".join(cli.run("trigger", "2017-01-01", expect=1).split())
    assert "No file for log date 2017-01-01" in said
    assert "log_data/2017/01/2017-01-01-events.json" in said
    assert_warehouse_equals_reference(home, EXPECTED)


def test_a_run_without_a_date_says_what_to_give(cli: CommandLine, seeded: Path) -> None:
    said = " ".join(cli.run("trigger", expect=1).split())
    assert "This run has neither a log date nor a logical date" in said
    assert "log_date=2018-11-01" in said


def test_no_scheduled_run_was_made_besides(cli: CommandLine, seeded: Path) -> None:
    assert cli.value("select count(*) from load_history where run_id like 'scheduled%'") == 0
