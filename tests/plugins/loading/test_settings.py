"""A deployment's settings, and the sentence for each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import Settings, json_object


def define(monkeypatch: pytest.MonkeyPatch, services: Any, **extra: Any) -> None:
    connection = {"conn_type": "aws", "extra": {"service_config": services, **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


def test_only_the_bucket_must_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}})
    assert Settings.of_connection("aws_default") == Settings(
        bucket="plays",
        schema="public",
        copy_role="default",
        control_bucket="plays",
        control_prefix="sparkify",
        region=None,
    )


def test_everything_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    role = "arn:aws:iam::123456789012:role/service/copy"
    sparkify = {"schema": "music", "copy_role": role, "control_bucket": "notes", "control_prefix": "/a/b/"}
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": sparkify}, region_name="eu-central-1")
    settings = Settings.of_connection("aws_default")
    assert (settings.schema, settings.copy_role, settings.control_bucket) == ("music", role, "notes")
    assert (settings.control_prefix, settings.region) == ("a/b", "eu-central-1")


def test_a_missing_connection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AWS_DEFAULT", raising=False)
    with pytest.raises(SettingsError, match="connection aws_default is not defined.*AIRFLOW_CONN_AWS_DEFAULT"):
        Settings.of_connection("aws_default")


def test_a_missing_bucket_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"sparkify": {"schema": "public"}})
    with pytest.raises(SettingsError, match=r"aws_default, extra service_config: s3\.bucket_name is missing"):
        Settings.of_connection("aws_default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "Public"),
        ("schema", 'public"; drop schema public; --'),
        ("schema", 7),
        ("schema", ""),
        ("schema", "pg_catalog"),
        ("schema", "pg_temp_3"),
        ("schema", "information_schema"),
        ("copy_role", "arn:aws:iam::1:role/x"),
        ("copy_role", "arn:aws:iam::123456789012:role/x' credentials '"),
        ("control_bucket", "Bucket"),
        ("control_prefix", "a'b"),
        ("control_prefix", ""),
        ("control_prefix", "/"),
        ("control_prefix", "//"),
        ("control_prefix", "a//b"),
        ("control_prefix", "//a"),
        ("control_prefix", "a//"),
        ("control_prefix", "a/../b"),
        ("control_prefix", "."),
        ("control_prefix", "a" * 201),
        ("control_prefix", "song_data"),
        ("control_prefix", "/log_data/notes"),
        ("control_bucket", "a..b"),
    ],
)
def test_a_value_that_could_not_be_one_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": {name: value}})
    with pytest.raises(SettingsError, match=f"sparkify.{name} is .*; expected "):
        Settings.of_connection("aws_default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "pgx"), ("schema", "information_schema_2"), ("control_prefix", "a/b.c/song_data"),
        ("control_prefix", "log_data_notes"), ("control_prefix", "..a/b"), ("control_prefix", "a" * 200),
    ],
)  # fmt: skip
def test_a_value_that_only_looks_like_a_reserved_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": {name: value}})
    assert getattr(Settings.of_connection("aws_default"), name) == value


@pytest.mark.parametrize(("services", "meant"), [({"S3": {}}, "s3"), ({"s3": {}, "sparkfy": {}}, "sparkify")])
def test_a_misspelt_part_of_the_settings_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, services: dict[str, Any], meant: str
) -> None:
    define(monkeypatch, services)
    with pytest.raises(SettingsError, match=rf"extra service_config: '\w+' is unknown\. Did you mean {meant}\?"):
        Settings.of_connection("aws_default")


@pytest.mark.parametrize("role", ["aws_access_key_id=AKIA;aws_secret_access_key=Hidden-1", ["Hidden-1"]])
def test_a_role_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch, role: object) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": {"copy_role": role}})
    with pytest.raises(SettingsError, match=r"sparkify\.copy_role is .*; expected 'default' or the ARN") as refused:
        Settings.of_connection("aws_default")
    assert "Hidden" not in str(refused.value)


def test_a_setting_that_holds_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": {"schema": "Public"}})
    with pytest.raises(SettingsError, match=r"sparkify\.schema is 'Public'; expected a lower-case identifier"):
        Settings.of_connection("aws_default")


@pytest.mark.parametrize("text", ['{"password": "Hidden-1"', '["Hidden-1"]', '"Hidden-1"', "Hidden-1", "[" * 100_000])
def test_a_param_that_is_no_json_object_is_not_shown(text: str) -> None:
    with pytest.raises(SettingsError, match=r"The param is a \w+ and no JSON object.*Give it as") as refused:
        json_object("The param", text, "{}")
    assert "Hidden" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_region_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}}, region_name="x' or")
    with pytest.raises(SettingsError, match="region_name is .*; expected a region such as us-west-2"):
        Settings.of_connection("aws_default")


def test_a_misspelt_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, {"s3": {"bucket_name": "plays"}, "sparkify": {"shema": "public"}})
    with pytest.raises(SettingsError, match=r"sparkify\.shema is unknown\. Known are schema, copy_role"):
        Settings.of_connection("aws_default")


@pytest.mark.parametrize("services", ["plays", {"s3": "plays"}, {"s3": {"bucket_name": "plays"}, "sparkify": ["x"]}])
def test_what_is_no_json_object_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, services: object) -> None:
    define(monkeypatch, services)
    with pytest.raises(SettingsError, match=r"service_config.* is a (text|list); expected a JSON object, for example"):
        Settings.of_connection("aws_default")
