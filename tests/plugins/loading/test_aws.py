"""What AWS refuses, in words: what may pass is tried again, the rest says whose move it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from sparkify.loading.aws import client, translated
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
        (NoCredentialsError(), SettingsError, "gives no credentials"),
        (SettingsError("said before"), SettingsError, "^said before$"),
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
    with pytest.raises(SettingsError, match=r"the AWS connection names no region\. Set region_name in its extra"):
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
