"""How long a run waits: the settings, and how a mistake in them is told."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import Settings
from sparkify.loading.waiting import Waiting


def waiting(monkeypatch: pytest.MonkeyPatch, **sparkify: Any) -> Waiting:
    services = {"s3": {"bucket_name": "plays"}, "sparkify": sparkify}
    connection = {"conn_type": "aws", "extra": {"service_config": services}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    return Settings.of_connection("aws_default").waiting


def test_a_run_waits_for_half_a_day_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting(monkeypatch) == Waiting(arrive_by_hours=12, still_minutes=5, look_minutes=5, marker=None)
    given = waiting(monkeypatch, arrive_by_hours=0, still_minutes=30, look_minutes=1, marker=None)
    assert given == Waiting(0, 30, 1)


@pytest.mark.parametrize(
    ("marker", "key"),
    [
        ("raw/dt={log_date}/_SUCCESS", "raw/dt=2018-11-01/_SUCCESS"),
        ("log_data/{log_date:%Y/%m}/{log_date}.done", "log_data/2018/11/2018-11-01.done"),
        ("{log_date}", "2018-11-01"),
    ],
)
def test_a_marker_is_the_key_of_an_object_of_each_date(monkeypatch: pytest.MonkeyPatch, marker: str, key: str) -> None:
    found = waiting(monkeypatch, marker=marker).marker
    assert found is not None
    assert found.prefix(date(2018, 11, 1)) == key


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("arrive_by_hours", "12", "a whole number from 0 to 240, without quotes"),
        ("arrive_by_hours", 241, "a whole number"),
        ("arrive_by_hours", -1, "a whole number"),
        ("still_minutes", 1.5, "a whole number from 0 to 1,440"),
        ("still_minutes", True, "a whole number"),
        ("look_minutes", 0, "a whole number from 1 to 60"),
        ("marker", "_SUCCESS", "a key that names its whole date, such as raw"),
        ("marker", "raw/{log_date:%Y/%m}/_SUCCESS", "a key that names its whole date"),
        ("marker", "raw/{log_date}/*", "a key"),
        ("marker", "raw/{date}/_SUCCESS", "a key"),
        ("marker", "raw//{log_date}", "a key"),
        ("marker", "/raw/{log_date}", "a key"),
        ("marker", "raw/../{log_date}", "a key"),
        ("marker", 7, "a key"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, expected: str
) -> None:
    with pytest.raises(SettingsError, match=rf"sparkify\.{name} is .*; expected {expected}"):
        waiting(monkeypatch, **{name: value})
