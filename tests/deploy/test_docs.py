"""docs/deploy.md: its connections are what Airflow, the package and the driver take; its commands and files exist."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable
from inspect import signature
from typing import Any

import boto3
import pytest
import redshift_connector
from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse import Warehouse
from tests.conftest import RunningStack
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment

PAGE = (PROJECT / "docs" / "deploy.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    *(json.loads(block) for block in re.findall(r"^```json\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)),
    *(json.loads(value) for value in re.findall(r"^AIRFLOW_CONN_\w+='(.*)'$", PAGE, re.MULTILINE)),
]
REDSHIFT = [one for one in EXAMPLES if one["conn_type"] == "redshift"]
AWS = [one for one in EXAMPLES if one["conn_type"] == "aws"]
BY_IAM = {one["extra"].get("is_serverless", False): one for one in REDSHIFT if one.get("extra", {}).get("iam")}
NAME, REGION = "my-cluster", "us-west-2"


def test_there_are_examples() -> None:
    assert len(REDSHIFT) == 4
    assert len(AWS) == 2
    assert BY_IAM.keys() == {False, True}


@pytest.mark.parametrize("example", AWS, ids=str)
def test_an_example_of_aws_default_is_read_by_the_package(
    example: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(example))
    settings = Settings.of_connection("aws_default")
    assert (settings.bucket, settings.control_bucket) == ("my-bucket", "my-control-bucket")


def test_the_readmes_connection_to_the_courses_bucket_reads_there_and_writes_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readme = (PROJECT / "README.md").read_text()
    (block,) = re.findall(r"^```json\n(.*?)\n```", readme, re.MULTILINE | re.DOTALL)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", block)
    settings = Settings.of_connection("aws_default")
    assert (settings.bucket, settings.control_bucket) == ("udacity-dend", "my-control-bucket")
    assert f"`SourceBucket={settings.bucket} ControlBucket={settings.control_bucket}`" in readme


@pytest.mark.parametrize("example", REDSHIFT, ids=str)
def test_an_example_of_redshift_default_holds_what_the_driver_takes(example: dict[str, Any]) -> None:
    assert example.get("extra", {}).keys() <= signature(redshift_connector.connect).parameters.keys()
    assert example["port"] == 5439


def _only_this_machine(asked: list[tuple[Any, ...]]) -> Callable[..., Any]:
    """A look-up of names that knows no cluster, and notes which were asked for."""
    really = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        asked.append((host, port))
        if str(host).endswith(".amazonaws.com"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return really(host, port, *more, **options)

    return look_up


def test_the_log_in_by_iam_asks_for_a_password_and_goes_to_the_cluster(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    endpoint = stack.env["AWS_ENDPOINT_URL"]
    client = boto3.client("redshift", endpoint_url=endpoint, region_name=REGION)
    client.create_cluster(
        ClusterIdentifier=NAME, NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Password1"
    )
    connection = BY_IAM[False] | {"extra": BY_IAM[False]["extra"] | {"endpoint_url": endpoint}}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("socket.getaddrinfo", _only_this_machine(asked))
    settings = Settings.of_connection("aws_default")
    with (
        pytest.raises(SettingsError, match="no machine of this name is known"),
        Warehouse("redshift_default", settings, "test", logging.getLogger("test")),
    ):
        pass
    assert (connection["host"], connection["port"]) in asked


def test_the_secrets_backend_of_the_page_finds_the_published_connection_and_asks_for_nothing_else(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    (options,) = re.findall(r"^AIRFLOW__SECRETS__BACKEND_KWARGS='(.*)'$", PAGE, re.MULTILINE)
    assert f"AIRFLOW__SECRETS__BACKEND={SecretsManagerBackend.__module__}.SecretsManagerBackend\n" in PAGE
    backend = SecretsManagerBackend(**json.loads(options), endpoint_url=stack.env["AWS_ENDPOINT_URL"])
    for conn_id in ("redshift_default", "aws_default"):
        backend.client.create_secret(Name=f"airflow/connections/{conn_id}", SecretString=json.dumps(REDSHIFT[0]))
    backend.client.create_secret(Name="airflow/variables/any", SecretString="a value")
    try:
        found = backend.get_connection("redshift_default")
        assert found is not None
        assert (found.conn_type, found.host) == ("redshift", REDSHIFT[0]["host"])
        assert backend.get_connection("aws_default") is None
        assert backend.get_variable("any") is None
    finally:
        for name in ("connections/redshift_default", "connections/aws_default", "variables/any"):
            backend.client.delete_secret(SecretId=f"airflow/{name}", ForceDeleteWithoutRecovery=True)


def test_the_settings_of_compose_that_it_names_are_those_of_the_file() -> None:
    text = (PROJECT / "docker-compose.yaml").read_text()
    settable = set(re.findall(r"\$\{(\w+):-\w+\}", text))
    assert settable == {"AIRFLOW_PORT", "S3_PORT", "REDSHIFT_PORT", "AIRFLOW_WORKER_CONCURRENCY"}
    for name in settable:
        (default,) = re.findall(rf"\$\{{{name}:-(\w+)\}}", text)
        assert f"`{name}` ({default})" in PAGE
    for name in re.findall(r"docker compose [^`\n]*?(?:exec|logs --follow|--entrypoint python) ([a-z][a-z-]*)", PAGE):
        assert f"\n  {name}:\n" in text, f"docker-compose.yaml has no service {name}"
