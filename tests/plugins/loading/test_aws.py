"""What AWS refuses, in words: what may pass is tried again, the rest says whose move it is."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
)

from sparkify.loading.aws import aws_extra, client
from sparkify.loading.aws_errors import translated
from sparkify.loading.exceptions import SettingsError, Unavailable
from tests.local.redshift.conftest import free_port


def refusal(code: str, status: int = 400) -> ClientError:
    """What boto3 raises for it."""
    response: Any = {"Error": {"Code": code, "Message": "as AWS says"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Do")


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (refusal("Throttling"), Unavailable, "Could not do it: as AWS says"),
        (refusal("TooManyRequestsException"), Unavailable, "Could not do it: as AWS says"),
        (refusal("Whatever", 503), Unavailable, "Could not do it: as AWS says"),
        (EndpointConnectionError(endpoint_url="https://there"), Unavailable, "Could not do it: Could not connect"),
        (refusal("AccessDenied", 403), SettingsError, "AWS refused permission \\(as AWS says\\). Grant it"),
        (refusal("InvalidClientTokenId", 403), SettingsError, "AWS refused permission"),
        (refusal("ValidationError"), SettingsError, "Could not do it: as AWS says"),
        (NoCredentialsError(), SettingsError, "Set login and password of the AWS connection"),
        (SettingsError("said before"), SettingsError, "^said before$"),
        (ParamValidationError(report="Unknown\n parameter"), SettingsError, r"failed: Unknown parameter\. Correct the"),
        (HTTPClientError(error=AttributeError("no attribute")), SettingsError, "no attribute. Correct .*config_kwargs"),
        (HTTPClientError(error=OSError("hung up")), Unavailable, "Could not do it: .*hung up"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_becomes_a_sentence(error: Exception, raised: type[Exception], words: str) -> None:
    with pytest.raises(raised, match=words), translated("do it"):
        raise error


def test_a_connection_without_a_region_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "login": "a", "password": "b"}))
    with pytest.raises(SettingsError, match=r"You must specify a region\. Set region_name in the extra of the AWS"):
        client("cloudformation", "aws_default")


@pytest.mark.parametrize("service", ["s3", "redshift"])
def test_a_role_that_cannot_be_taken_fails_when_the_client_is_made_and_in_words(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    extra = {
        "region_name": "us-west-2",
        "role_arn": "arn:aws:iam::123456789012:role/sparkify-airflow",
        "service_config": {"sts": {"endpoint_url": f"http://127.0.0.1:{free_port()}"}},
    }
    connection = {"conn_type": "aws", "login": "a", "password": "b", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match=f"Could not reach {service} by aws_default: Could not connect"):
        client(service, "aws_default")


KEY = {"login": "AKIAABCDEFGHIJKLMNOP", "password": "Hidden-1"}


def refused(monkeypatch: pytest.MonkeyPatch, extra: object, **fields: Any) -> str:
    """What is said when a client is made by a connection like this; its log holds no secret."""
    connection = {"conn_type": "aws", **KEY, "extra": extra, **fields}
    given = {name: value for name, value in connection.items() if value is not None}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(given))
    with pytest.raises(SettingsError) as caught:
        client("s3", "aws_default")
    logged = "".join(traceback.format_exception(caught.value))
    assert "AKIAABC" not in logged
    assert "Hidden" not in logged
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"login": None}, "has a password and no login"),
        ({"password": ""}, "has a login and no password"),
        ({"login": f"{KEY['login']} "}, ": login begins or ends with a blank"),
        ({"password": "Hidden-1\n"}, ": password begins or ends with a blank"),
        ({"password": "Hid\nden"}, ": password holds a line break"),
        ({"conn_type": "redshift"}, "is of the type 'redshift'; expected aws"),
    ],
    ids=str,
)
def test_a_key_that_cannot_be_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], words: str
) -> None:
    assert f"Connection aws_default{'' if words[0] == ':' else ' '}{words}" in refused(monkeypatch, {}, **fields)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"region_name": "west"}, "region_name is 'west'; expected a region such as us-west-2"),
        ({"region_name": ["us-west-2"]}, "region_name is a list; expected text"),
        ({"region_name": "us-west-2 "}, "region_name begins or ends with a blank"),
        ({"role_arn": "sparkify"}, "role_arn is 'sparkify'; expected the ARN of a role"),
        ({"role_arn": "arn:aws:iam::123456789012:user/x"}, "role_arn is 'arn:aws:iam::123456789012:user/x'; expected"),
        ({"profile_name": 7}, "profile_name is a number; expected text"),
        ({"aws_session_token": "Hidden-1\n"}, "aws_session_token begins or ends with a blank"),
        ({"assume_role_method": "x"}, "assume_role_method is 'x'; expected one of assume_role,"),
        ({"assume_role_kwargs": "{}"}, "assume_role_kwargs is a text; expected a JSON object"),
        ({"config_kwargs": []}, "config_kwargs is a list; expected a JSON object"),
        ({"session_kwargs": "x"}, "session_kwargs is a text; expected a JSON object"),
        ({"verify": "/no/such.pem"}, "verify is '/no/such.pem', and this worker has no such file"),
        ({"verify": 0}, "verify is a number; expected true or false or text"),
        ({"endpoint_url": 7}, "endpoint_url is a number; expected text"),
        ({"service_config": {"sns": 7}}, "service_config: sns is a number; expected a JSON object"),
        ({"service_config": {"s3": {"bucket_name": "b "}}}, "service_config: s3.bucket_name begins or ends with"),
        ({"regoin_name": "us-west-2"}, "'regoin_name' is unknown. Did you mean region_name?"),
        ({"profile": "x", "Region_Name": "x"}, "'Region_Name' is unknown. Did you mean region_name?"),
        ({"rolearn": "x"}, "'rolearn' is unknown. Did you mean role_arn?"),
    ],
    ids=str,
)
def test_an_extra_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], words: str
) -> None:
    said = refused(monkeypatch, extra)
    assert "Connection aws_default, extra" in said
    assert words in said


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            {"profile_name": "no-such-profile"},
            "(no-such-profile) could not be found. Correct profile_name",
        ),
        ({"config_kwargs": {"no_such": 1}}, "Got unexpected keyword argument 'no_such'. Correct the extra"),
        (
            {"role_arn": "arn:aws:iam::123456789012:role/a", "assume_role_kwargs": {"NoSuch": 1}},
            "Parameter validation failed: Unknown parameter in input",
        ),
        ({"config_kwargs": {"retries": {"mode": "x"}}}, "Correct the AWS connection."),
        ({"endpoint_url": "s3.example.com"}, "Invalid endpoint: s3.example.com. Correct the extra"),
    ],
    ids=str,
)
def test_what_boto3_cannot_use_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], words: str
) -> None:
    said = refused(monkeypatch, {"region_name": "us-west-2", **extra})
    assert said.startswith("Could not reach s3 by aws_default: ")
    assert words in said


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"owner": "data-platform", "aws_account_id": "123456789012"},
        {"verify": False, "region_name": None, "config_kwargs": {"signature_version": "s3v4"}},
        {"verify": str(Path(__file__))},
        {"role_arn": "arn:aws-us-gov:iam::123456789012:role/a/b", "assume_role_kwargs": {"ExternalId": "x"}},
        {"service_config": {"s3": {"bucket_name": "b"}, "sts": {"region_name": "us-west-2"}}},
    ],
    ids=str,
)
def test_what_the_provider_takes_or_others_keep_there_is_taken(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", **KEY, "extra": extra}))
    assert aws_extra("aws_default") == extra


def test_a_request_that_cannot_be_sent_is_not_shown_with_its_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"aws_access_key_id": f"{KEY['login']}\n", "aws_secret_access_key": "Hidden-1"}
    extra = {"session_kwargs": keys, "region_name": "us-west-2", "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "extra": extra}))
    s3 = client("s3", "aws_default")
    with (
        pytest.raises(SettingsError, match="it holds a signature. Look for line breaks") as caught,
        translated("ask"),
    ):
        s3.list_buckets()
    logged = "".join(traceback.format_exception(caught.value))
    assert "AKIAABC" not in logged
    assert "Signature=" not in logged


@pytest.mark.parametrize(
    "message",
    [
        "Authorization=AWS4-HMAC-SHA256 Credential=AKIAABCDEFGHIJKLMNOP/20260101/x, Signature=0a1b2c is not valid",
        "The key AKIAABCDEFGHIJKLMNOP is inactive",
    ],
)
def test_what_aws_quotes_of_a_request_is_not_shown(message: str) -> None:
    response: Any = {"Error": {"Code": "IncompleteSignatureException", "Message": message}}
    with pytest.raises(SettingsError, match="AWS refused permission") as caught, translated("ask"):
        raise ClientError(response, "Do")
    logged = "".join(traceback.format_exception(caught.value))
    for secret in ("AKIAABC", "0a1b2c"):
        assert secret not in logged
