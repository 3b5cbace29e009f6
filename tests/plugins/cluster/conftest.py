"""AWS for the operators that make and switch the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.completed_moto import Cloud, running_cloud


@pytest.fixture(scope="session")
def running(stack: Any) -> Iterator[Cloud]:
    """moto, completed; the endpoint of its cluster is the stand-in."""
    warehouse = stack.redshift
    with running_cloud(warehouse["host"], warehouse["port"], warehouse["password"]) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud, stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An AWS in which there is nothing yet, where every change is done at once; ``aws_admin`` leads to it."""
    running.broken, running.looks = None, 0
    aws = json.loads(stack.env["AIRFLOW_CONN_AWS_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_AWS_ADMIN", json.dumps(running.admin_connection(aws)))
    aws["extra"]["service_config"] = {
        "s3": {"bucket_name": "my-bucket"},
        "sparkify": {"control_bucket": "my-control"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
    yield running
    urlopen(Request(f"{running.url}/moto-api/reset", method="POST"))  # noqa: S310
    running.unsettled.clear()
