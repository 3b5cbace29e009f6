"""Airflow's connections: why one cannot be read, and which of their fields cannot be meant."""

from __future__ import annotations

import json
import traceback
from typing import Any

import boto3
import pytest
from airflow.sdk import configuration
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ErrorResponse

from sparkify.loading.connections import check_kind, check_text, closest, extra_of, get_connection, shown_value
from sparkify.loading.exceptions import SettingsError, Unavailable
from tests.local.redshift.conftest import free_port

SECRET = "Hidden-1"


def refused(monkeypatch: pytest.MonkeyPatch, text: str, conn_id: str = "odd") -> str:
    """What is said of a connection whose environment variable holds this text; the log has no secret."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", text)
    with pytest.raises(SettingsError) as caught:
        extra_of(get_connection(conn_id), "{}")
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"password": "Hidden-1"', "it is not JSON (Expecting ',' delimiter at line 1, column 24). Correct it."),
        ('{"a": ' * 100_000, "it is not JSON (it is nested too deeply). Correct it."),
        ('{"pasword": "Hidden-1"}', "Airflow knows no field pasword. Known are conn_type,"),
        ('{"port": "54x9"}', "its port is not a number."),
        ('{"port": [5439]}', "it is neither a JSON object of Airflow's fields nor a URI."),
        ("redshift://u:Hidden-1@h:54x9/dev", "its port is not a number."),
        ("redshift://u:Hidden-1/2@h/dev", "its port is not a number. In a URI that is also so if the user or the pass"),
        ("a://b://c://u:Hidden-1@h", "it is neither a JSON object of Airflow's fields nor a URI."),
    ],
    ids=lambda text: text[:40],
)
def test_a_text_that_airflow_cannot_read_is_told_from_a_connection_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    said = refused(monkeypatch, text)
    assert f"The connection odd cannot be read from the environment variable AIRFLOW_CONN_ODD: {words}" in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"login": 7}, "Connection odd: login is a number; expected text."),
        ({"password": 12345}, "Connection odd: password is a number; expected text."),
        ({"host": ["h"]}, "Connection odd: host is a list; expected text."),
        ({"schema": {}}, "Connection odd: schema is a JSON object; expected text."),
        ({"schema": True}, "Connection odd: schema is true; expected text."),
        ({"host": " h"}, "Connection odd: host begins or ends with a blank, a line break"),
        ({"host": "h\u200b"}, "Connection odd: host begins or ends with a blank"),
        ({"host": "\ufeffh"}, "Connection odd: host begins or ends with a blank"),
        ({"schema": "dev\r\n"}, "Connection odd: schema begins or ends with a blank"),
        ({"login": "Hidden-1\n"}, "Connection odd: login begins or ends with a blank"),
        ({"password": "Hidden-1\u00a0"}, "Connection odd: password begins or ends with a blank"),
        ({"password": "Hidden-1\x00x"}, "Connection odd: password holds a line break or another control character."),
        ({"schema": "a\nb"}, "Connection odd: schema holds a line break or another control character (not shown"),
        ({"port": 70000}, "Connection odd: port is 70000; expected a number from 1 to 65535."),
        ({"port": -1}, "Connection odd: port is -1; expected a number from 1 to 65535."),
        ({"extra": '{"password": "Hidden-1"'}, "The extra of connection odd is not JSON (Expecting"),
        ({"extra": '["Hidden-1"]'}, "The extra of connection odd is a list; expected a JSON object, for example {}."),
        ({"extra": '"Hidden-1"'}, "The extra of connection odd is a text; expected a JSON object"),
        ({"extra": "7"}, "The extra of connection odd is a number; expected a JSON object"),
        ({"extra": "null"}, "The extra of connection odd is null; expected a JSON object"),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
def test_a_field_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], words: str
) -> None:
    assert words in refused(monkeypatch, json.dumps({"conn_type": "redshift", **fields}))


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "7", '\ufeff{"conn_type": "redshift"}'])
def test_a_text_that_is_no_connection_and_that_airflow_takes_for_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    said = refused(monkeypatch, text)
    assert said.startswith("Connection odd has no type: it is neither a JSON object, which begins with {, nor a URI.")


def test_a_connection_that_is_not_there_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODD", raising=False)
    with pytest.raises(SettingsError, match="The connection odd is not defined. Add it under Admin, Connections"):
        get_connection("odd")


def test_an_empty_extra_is_an_empty_object(monkeypatch: pytest.MonkeyPatch) -> None:
    for extra in ("", "{}", None):
        monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps({"conn_type": "aws", "extra": extra}))
        assert extra_of(get_connection("odd"), "{}") == {}


@pytest.fixture
def secrets_manager(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager as Airflow's backend for connections; a client of it."""
    kwargs = {
        "connections_prefix": "airflow/connections", "region_name": "us-west-2",
        "endpoint_url": stack.env["AWS_ENDPOINT_URL"],
    }  # fmt: skip
    for name, value in stack.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv(
        "AIRFLOW__SECRETS__BACKEND", "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    )
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(kwargs))
    monkeypatch.setattr(configuration, "_secrets_backend_cache", {}, raising=False)
    return boto3.client("secretsmanager", endpoint_url=kwargs["endpoint_url"], region_name="us-west-2")


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ('{"conn_type": "redshift", "port": "Hidden-1"}', "its port is not a number"),
        ("redshift://u:Hidden-1/2@h/dev", "its port is not a number"),
        ('{"conn_type": "redshift", "login": 7}', "Connection odd: login is a number"),
    ],
)
def test_a_secret_that_airflow_cannot_read_names_the_backend_or_the_field(
    secrets_manager: Any, secret: str, words: str
) -> None:
    secrets_manager.create_secret(Name="airflow/connections/odd", SecretString=secret)
    try:
        with pytest.raises(SettingsError) as caught:
            get_connection("odd")
    finally:
        secrets_manager.delete_secret(SecretId="airflow/connections/odd", ForceDeleteWithoutRecovery=True)
    assert words in str(caught.value)
    assert words.startswith("Connection") or "cannot be read from SecretsManagerBackend" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_secrets_backend_that_is_away_is_asked_again(secrets_manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {"region_name": "us-west-2", "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(away))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="read the connection odd from SecretsManagerBackend: Could not connect"):
        get_connection("odd")


class FailingSupervisor:
    """A task's way to Airflow whose API server fails, as the SDK passes that on."""

    def __init__(self, error: ErrorType) -> None:
        self.error = error

    def send(self, _message: Any) -> None:
        raise AirflowRuntimeError(ErrorResponse(error=self.error, detail={"status_code": 500}))


def test_an_airflow_that_could_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODD", raising=False)
    failing = FailingSupervisor(ErrorType.API_SERVER_ERROR)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", failing, raising=False)
    with pytest.raises(Unavailable, match=r"Airflow could not give the connection odd \(API_SERVER_ERROR\)"):
        get_connection("odd")
    failing.error = ErrorType.CONNECTION_NOT_FOUND
    with pytest.raises(SettingsError, match="The connection odd is not defined"):
        get_connection("odd")


@pytest.mark.parametrize("value", ["dev", "p w", "Pass\u00e9-1", "\U0001f511", "", "a'b\"c\\"])
def test_a_text_that_could_be_meant_is_taken(value: str) -> None:
    check_text("field", value)


@pytest.mark.parametrize(
    ("value", "kinds", "words"),
    [
        ("True", (bool,), "x is the text 'True'; expected true or false. Write it without quotes."),
        ("Hidden-1", (int,), "x is a text; expected a whole number. Write it without quotes."),
        (True, (int,), "x is true; expected a whole number."),
        (1, (bool,), "x is a number; expected true or false."),
        (1.5, (int,), "x is a number; expected a whole number."),
        ([], (str,), "x is a list; expected text."),
        ("a", (list,), "x is a text; expected a list."),
        (7, (bool, str), "x is a number; expected true or false or text."),
    ],
)
def test_a_value_of_another_kind_is_refused(value: object, kinds: tuple[type, ...], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_kind("x", value, kinds)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(("value", "kind"), [(None, int), (True, bool), (5, int), ("a", str), ([], list), ({}, dict)])
def test_a_value_of_its_kind_is_taken(value: object, kind: type) -> None:
    check_kind("x", value, (kind,))


@pytest.mark.parametrize(
    "value", ["redshift://u:Hidden-1@h", "h?password=Hidden-1", "password=Hidden-1", "u;Hidden-1", "'Hidden-1'"]
)
def test_a_value_that_could_hold_a_password_is_not_shown(value: str) -> None:
    assert shown_value(value) == "not shown, as it may hold a secret"


def test_a_slip_of_the_pen_is_known() -> None:
    known = ("region_name", "role_arn", "s3")
    assert [closest(name, known) for name in ("regoin_name", "rolearn", "S3")] == ["region_name", "role_arn", "s3"]
    assert [closest(name, known) for name in ("owner", "sqs", 7, None)] == [None] * 4
