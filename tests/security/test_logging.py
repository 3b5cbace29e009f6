"""What a task logs at level DEBUG, where drivers say all they know."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from sparkify.loading.exceptions import SettingsError
from tests.examples import NOV_1, event
from tests.pipeline import Pipeline

pytestmark = pytest.mark.security

SECRET, TOKEN = "a-secret-access-key-" + "k" * 20, "a-session-token-" + "t" * 60


@pytest.fixture
def pipeline(stack: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Pipeline]:
    """A pipeline whose connection has a session token, everything being logged."""
    pipeline = Pipeline(stack, monkeypatch.setenv)
    pipeline.put_events(NOV_1, [event()])
    aws = pipeline.aws | {"password": SECRET}
    aws["extra"] = aws["extra"] | {"aws_session_token": TOKEN}
    pipeline.set_connection("aws_default", aws)
    level = logging.getLogger("botocore").level
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    yield pipeline
    logging.getLogger("botocore").setLevel(level)


def test_a_load_shows_neither_key_nor_token_nor_password(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    password = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])["password"]
    pipeline.run(NOV_1, only=("tables", "stage_events"))
    pipeline.drop()
    assert "DEBUG    redshift_connector" in caplog.text
    assert [secret for secret in (SECRET, TOKEN, password) if secret in caplog.text] == []


def test_a_refused_log_in_shows_no_password(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    wrong = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"]) | {"password": "mistyped-password"}
    pipeline.set_connection("redshift_default", wrong)
    with pytest.raises(SettingsError, match="refused the log-in") as refused:
        pipeline.run(dag_id="sparkify_schema")
    assert "mistyped-password" not in caplog.text + str(refused.value)
