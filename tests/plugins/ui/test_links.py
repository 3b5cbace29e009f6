"""The buttons on a task's page lead where they say."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sparkify.addresses import console_url, run_path
from sparkify.loading.log_dates import LogDates
from sparkify.ui.links import FilesInS3, LatestReport, LogDateOnThePage
from tests.pipeline import load_dag

TASK = SimpleNamespace(dag_id="sparkify_daily")
EXTRA = {"region_name": "eu-west-1", "service_config": {"s3": {"bucket_name": "my-logs"}}}


@pytest.fixture(autouse=True)
def _deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/team")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "extra": EXTRA}))


def task(task_id: str, first: date | None, last: date | None = None) -> Any:
    """A task of the daily DAG, rendered for these dates."""
    found: Any = load_dag("sparkify_daily").get_task(task_id).prepare_for_execution()
    found.rendered_dates = LogDates(first, last or first) if first else None
    return found


@pytest.mark.parametrize(
    ("task_id", "first", "last", "folder"),
    [
        ("stage_events", date(2018, 11, 15), None, "log_data/2018/11/"),
        ("stage_events", date(2018, 11, 15), date(2018, 11, 30), "log_data/2018/11/"),
        ("stage_events", date(2018, 11, 15), date(2018, 12, 1), "log_data/"),
        ("stage_songs", None, None, "song_data/"),
    ],
)
def test_the_files_are_those_of_the_runs_dates(task_id: str, first: date, last: date, folder: str) -> None:
    address = urlsplit(FilesInS3().get_link(task(task_id, first, last), ti_key=TASK))
    assert (address.scheme, address.netloc) == ("https", "console.aws.amazon.com")
    assert address.path == "/s3/buckets/my-logs"
    assert parse_qs(address.query) == {"prefix": [folder], "region": ["eu-west-1"]}


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        (None, "console.aws.amazon.com"),
    ],
)
def test_each_partition_of_aws_has_its_console(region: str | None, console: str) -> None:
    assert urlsplit(console_url("b", "p/", region)).netloc == console


def test_a_connection_that_is_wrong_gives_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    assert FilesInS3().get_link(task("stage_songs", None), ti_key=TASK) == ""


def test_the_log_date_and_the_report_are_shown_inside_airflow() -> None:
    found = task("songplays", date(2018, 11, 15))
    page = "https://airflow.example.com/team/plugin/sparkify/team/sparkify"
    assert LogDateOnThePage().get_link(found, ti_key=TASK) == f"{page}/dates/2018-11-15"
    assert LatestReport().get_link(found, ti_key=TASK) == f"{page}/report"


def test_a_task_that_failed_before_it_knew_its_date_gives_no_button() -> None:
    assert LogDateOnThePage().get_link(task("songplays", None), ti_key=TASK) == ""


def test_every_task_that_loads_or_checks_has_its_links() -> None:
    for each in load_dag("sparkify_daily").tasks:
        names = {link.name for link in each.operator_extra_links}
        assert names >= ({"Log date", "Report"} if each.task_id != "tables" else set()), each.task_id


def test_a_run_ids_signs_do_not_break_its_address() -> None:
    assert (
        run_path("d", "manual__2018-11-01T00:00:00+00:00/x")
        == "/dags/d/runs/manual__2018-11-01T00%3A00%3A00%2B00%3A00%2Fx"
    )
