"""AWS for the operators that make and switch the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from tests.completed_moto import KEY, REGION, Cloud, running_cloud


@pytest.fixture(scope="session")
def running() -> Iterator[Cloud]:
    """moto, completed; whatever it says the endpoint is, nobody connects."""
    with running_cloud("warehouse.example", 5439, "Hidden-1") as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An AWS in which there is nothing yet, where every change is done at once; ``aws_default`` leads to it."""
    running.broken, running.looks = None, 0
    connection = {
        "conn_type": "aws",
        "login": KEY,
        "password": KEY,
        "extra": {
            "region_name": REGION,
            "endpoint_url": running.url,
            "service_config": {"s3": {"bucket_name": "my-bucket"}, "sparkify": {"control_bucket": "my-control"}},
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    yield running
    urlopen(Request(f"{running.url}/moto-api/reset", method="POST"))  # noqa: S310
    running.unsettled.clear()
