"""PostgreSQL, S3 and the stand-in, really running, once for all tests of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psycopg
import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from moto.server import ThreadedMotoServer

from local.stack.postgres import Postgres

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "sparkify"
PASSWORD = "warehouse-password"
READY_SECONDS = 120.0
Connect = Callable[..., psycopg.Connection]


@dataclass(frozen=True)
class StandIn:
    """Where the stand-in is, and how to get at PostgreSQL behind its back."""

    port: int
    postgres: Postgres

    def dsn(self, **more: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self.port, user="loader", password=PASSWORD, dbname="dev", **more
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.throw_away(tmp_path_factory.mktemp("postgres"))
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create role loader login password '{PASSWORD}'")
        connection.execute("create database dev owner loader")
    yield server
    server.stop()
    server.purge()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Client]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    server.stop()


def start_stand_in(postgres: Postgres, s3: S3Client, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """Run the stand-in as its users do, with the keys of `s3`, and wait for the line that says it is ready."""
    port = free_port()
    credentials = s3._request_signer._credentials  # type: ignore[attr-defined]
    environment = os.environ | {
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "local.redshift", "--port", str(port), "--dsn", postgres.dsn("dev"), *arguments],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    late = threading.Timer(READY_SECONDS, process.kill)
    late.start()
    line = process.stderr.readline()
    late.cancel()
    if "ready on" not in line:
        # A stand-in that is not ready ends by itself, with a reason.
        raise AssertionError(line + process.communicate(timeout=10)[1])
    return process, port


@pytest.fixture(scope="session")
def stand_in(postgres: Postgres, s3: S3Client) -> Iterator[StandIn]:
    process, port = start_stand_in(postgres, s3)
    yield StandIn(port, postgres)
    process.terminate()
    assert process.stderr is not None
    # What the stand-in logged besides its line of readiness would be a failed session.
    assert process.communicate(timeout=10)[1] == ""
    assert process.returncode == 0


@pytest.fixture
def connect(stand_in: StandIn) -> Iterator[Connect]:
    """Open psycopg connections to the stand-in; all are closed at the end."""
    opened: list[psycopg.Connection] = []

    def open_connection(*, autocommit: bool = True) -> psycopg.Connection:
        connection = psycopg.connect(stand_in.dsn(), autocommit=autocommit)
        opened.append(connection)
        return connection

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def schema(stand_in: StandIn) -> Iterator[str]:
    """An empty schema that every new connection of the test searches first."""
    with psycopg.connect(stand_in.postgres.dsn("dev"), autocommit=True) as admin:
        admin.execute("drop schema if exists t cascade")
        admin.execute("create schema t authorization loader")
        admin.execute("alter role loader in database dev set search_path = t, public")
        yield "t"


@pytest.fixture
def warehouse(connect: Connect, schema: str) -> psycopg.Connection:
    """An autocommitting connection to the stand-in, in an empty schema."""
    return connect()


@pytest.fixture
def put(s3: S3Client) -> Callable[[str, object], str]:
    """Store an object (bytes and text as they are, anything else as JSON) and return its address."""

    def put_object(key: str, content: object) -> str:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        body = text.encode() if isinstance(text, str) else text
        # All of a process's moto servers share one S3, and another's tests may have emptied it.
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    return put_object


@pytest.fixture
def hook(stand_in: StandIn, schema: str, monkeypatch: pytest.MonkeyPatch) -> RedshiftSQLHook:
    """Airflow's hook for the connection redshift_default, which is to the stand-in."""
    connection = {
        "conn_type": "redshift", "host": "127.0.0.1", "port": stand_in.port, "login": "loader", "password": PASSWORD,
        "schema": "dev", "extra": {"ssl": False},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))
    return RedshiftSQLHook()
