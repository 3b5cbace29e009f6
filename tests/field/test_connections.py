"""Connections with one mistake each: a sentence names connection and field, at once, and the log has no secret."""

from __future__ import annotations

import json
import time
import traceback
from typing import Any

import pytest

from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.log_dates import LogDates
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from sparkify.tables import EVENT_FILES
from tests.examples import NOV_1
from tests.local.redshift.conftest import free_port
from tests.pipeline import Pipeline

# An AWS key id and secrets that no sentence may hold.
KEY_ID = "AKIAABCDEFGHIJKLMNOP"
SECRET = "Hidden-1/pw"
SOON = 5.0


@pytest.fixture
def pipeline(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Connections of the test's own; nothing is loaded by them."""
    return Pipeline(stack, monkeypatch.setenv)


def refused(pipeline: Pipeline, use: Any) -> str:
    """The sentence with which the package refuses to use a connection; its log holds no secret."""
    began = time.monotonic()
    with pytest.raises(SettingsError) as caught:
        use()
    assert time.monotonic() - began < SOON
    logged = "".join(traceback.format_exception(caught.value))
    known = json.loads(pipeline.stack.env["AIRFLOW_CONN_AWS_DEFAULT"])
    for secret in (KEY_ID, "Hidden-1", known["login"], known["password"], "Signature=A", "Signature=b"):
        assert secret not in logged, logged
    return str(caught.value)


def redshift(pipeline: Pipeline, changes: dict[str, Any]) -> str:
    """What is said when a session is opened by a redshift_default with these fields."""
    known = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    text = changes.pop("text", None) or json.dumps({**known, **changes})
    pipeline.set_environment("AIRFLOW_CONN_REDSHIFT_DEFAULT", text)

    def use() -> None:
        with pipeline.session():
            pass

    return refused(pipeline, use)


def aws(pipeline: Pipeline, changes: dict[str, Any], extra: dict[str, Any]) -> str:
    """What is said when the source is listed by an aws_default with these fields and extras."""
    merged = {**pipeline.aws, "extra": {**pipeline.aws["extra"], **extra}, **changes}
    pipeline.set_environment("AIRFLOW_CONN_AWS_DEFAULT", changes.get("text") or json.dumps(merged))

    def use() -> None:
        Source("aws_default", Settings.of_connection("aws_default")).dated_files(EVENT_FILES, LogDates(NOV_1, NOV_1))

    said = refused(pipeline, use)
    pipeline.set_connection("aws_default", pipeline.aws)
    return said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": {"ssl": False, "keepalives_idle": 200}}, ["keepalives_idle", "Did you mean tcp_keepalive_idle?"]),
        ({"extra": {"ssl": False, "tcp_keepalive_idle": "200"}}, ["tcp_keepalive_idle is the text '200'"]),
        ({"extra": {"ssl": False, "timeout": "30"}}, ["timeout is the text '30'; expected a whole number"]),
        ({"password": f"{SECRET}\n"}, ["password begins or ends with a blank, a line break"]),
        ({"extra": [1]}, ["extra", "is a list; expected a JSON object, for example"]),
        ({"extra": {"iam": True}}, ["You must specify a region. Set region_name in the extra of the AWS connection"]),
        ({"host": "127.0.0.1:5439/dev"}, ["host is '127.0.0.1:5439/dev'; expected the name of the endpoint alone"]),
        ({"host": f"jdbc:redshift://x:5439/dev?password={SECRET}"}, ["host is not shown, as it may hold a secret"]),
        ({"host": "127.0.0.1 "}, ["host begins or ends with a blank", "('127.0.0.1 ')"]),
        ({"extra": {"ssl": True}}, ["127.0.0.1:", "the server there speaks no SSL"]),
        ({"text": '{"conn_type": "redshift", "host": "x"'}, ["AIRFLOW_CONN_REDSHIFT_DEFAULT", "not JSON", "column 38"]),
        ({"hots": "x"}, ["AIRFLOW_CONN_REDSHIFT_DEFAULT", "Airflow knows no field hots"]),
    ],
    ids=lambda value: None if isinstance(value, list) else json.dumps(value),
)
def test_a_mistake_in_the_warehouses_connection_is_named_at_once(
    pipeline: Pipeline, changes: dict[str, Any], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    if "iam" in str(changes):
        del pipeline.aws["extra"]["region_name"]
        pipeline.set_connection("aws_default", pipeline.aws)
    said = redshift(pipeline, changes)
    for expected in ("redshift_default", *words):
        assert expected in said


@pytest.mark.parametrize(
    ("changes", "extra", "words"),
    [
        ({"extra": "{x"}, {}, ["extra", "is not JSON", "line 1, column 2"]),
        ({"extra": [1]}, {}, ["extra", "is a list; expected a JSON object"]),
        ({}, {"config_kwargs": "x"}, ["config_kwargs is a text; expected a JSON object"]),
        ({"login": f"{KEY_ID}\n"}, {}, ["login begins or ends with a blank, a line break"]),
        ({}, {"profile_name": "no-such-profile"}, ["no-such-profile", "Correct profile_name in the extra"]),
        ({}, {"role_arn": "sparkify-airflow"}, ["role_arn is 'sparkify-airflow'; expected the ARN of a role"]),
        ({}, {"service_config": '{"s3": {}}'}, ["service_config is a text", "URI's parameter __extra__"]),
    ],
    ids=lambda value: None if isinstance(value, list) else json.dumps(value),
)
def test_a_mistake_in_the_aws_connection_is_named_at_once(
    pipeline: Pipeline, changes: dict[str, Any], extra: dict[str, Any], words: list[str]
) -> None:
    said = aws(pipeline, changes, extra)
    for expected in ("aws_default", *words):
        assert expected in said


def test_a_warehouse_that_is_away_is_tried_again(pipeline: Pipeline, pauses: list[float]) -> None:
    known = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**known, "port": free_port()})
    with pytest.raises(Unavailable, match=r"by redshift_default \(127\.0\.0\.1:\d+\): .*refused"), pipeline.session():
        pass
    assert pauses == [1, 2, 4, 8]
