"""What stands in for AWS in docker-compose.yaml works as it is started there, at another address than loopback's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redshift_connector

from local.stack.binaries import binaries
from local.stack.ports import is_free
from local.stack.postgres import Postgres
from tests.local.redshift.conftest import free_port
from tests.pipeline import PROJECT

pytestmark = pytest.mark.deployment

# In place of a network of containers.
ADDRESS = "127.0.0.2"


@pytest.fixture(scope="module")
def postgres(config: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The service ``warehouse``: a database in which nothing was done but what its configuration says."""
    server = Postgres.throw_away(tmp_path_factory.mktemp("warehouse"))
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create database dev template template0 encoding 'UTF8' locale 'C'")
        service = config["services"]["warehouse"]
        (script,) = [volume["source"] for volume in service["volumes"] if volume["type"] == "bind"]
        # As the image runs it: docker_process_sql of its entrypoint.
        psql = [binaries() / "bin" / "psql", "-v", "ON_ERROR_STOP=1", "--no-password", "--no-psqlrc", "-f", script]
        environment = {"LOADING_PASSWORD": service["environment"]["LOADING_PASSWORD"]}
        subprocess.run([*psql, server.dsn("dev")], env=os.environ | environment, check=True, capture_output=True)
        yield server
    finally:
        server.stop()
        server.purge()


@pytest.fixture(scope="module")
def ports(config: Any, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The services ``s3`` and ``redshift``, started by their own command lines on free ports."""
    ports = {"s3": free_port(), "redshift": free_port()}
    known = psycopg.conninfo.conninfo_to_dict(postgres.dsn("dev"))
    places = {
        "0.0.0.0": ADDRESS,  # noqa: S104
        "4572": str(ports["s3"]),
        "5439": str(ports["redshift"]),
        "host=warehouse user=admin dbname=dev": f"host={known['host']} port={known['port']} user=admin dbname=dev",
    }
    folder = tmp_path_factory.mktemp("s3")
    (folder / "local").symlink_to(PROJECT / "local")
    started = []
    try:
        for name in ports:
            service = config["services"][name]
            environment = {key: str(value) for key, value in service["environment"].items()}
            environment["AWS_ENDPOINT_URL"] = f"http://{ADDRESS}:{ports['s3']}"
            environment["PGPASSWORD"] = str(known["password"])
            command = [
                sys.executable,
                *service["entrypoint"][1:],
                *(places.get(one, one) for one in service["command"]),
            ]
            started.append(subprocess.Popen(command, cwd=folder, env={"PATH": os.environ["PATH"]} | environment))
        yield ports
    finally:
        for process in started:
            process.terminate()
            process.wait()


def _connected(config: Any, ports: dict[str, int]) -> Any:
    given = json.loads(config["configs"]["local-connections"]["content"])["redshift_default"]
    deadline = time.monotonic() + 120
    while True:
        try:
            return redshift_connector.connect(
                host=ADDRESS, port=ports["redshift"], user=given["login"], password=given["password"],
                database=given["schema"], **given["extra"],
            )  # fmt: skip
        except redshift_connector.InterfaceError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def _wait_for(port: int) -> None:
    """Wait until something listens there, as Compose waits for a healthy S3."""
    deadline = time.monotonic() + 120
    while True:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_load_by_the_connections_of_the_profile(config: Any, ports: dict[str, int], tmp_path: Path) -> None:
    _wait_for(ports["s3"])
    with _connected(config, ports) as connection:
        given = json.loads(config["configs"]["local-connections"]["content"])["aws_default"]
        s3 = boto3.client(
            "s3", endpoint_url=f"http://{ADDRESS}:{ports['s3']}", region_name=given["extra"]["region_name"],
            aws_access_key_id=given["login"], aws_secret_access_key=given["password"],
        )  # fmt: skip
        bucket = given["extra"]["service_config"]["s3"]["bucket_name"]
        s3.put_object(Bucket=bucket, Key="one.json", Body=b'{"a": 1}\n{"a": 2}\n')
        cursor = connection.cursor()
        cursor.execute("create schema if not exists made")
        cursor.execute("create table made.t (a int)")
        cursor.execute(f"copy made.t from 's3://{bucket}/one.json' iam_role default json 'auto'")
        cursor.execute("select sum(a) from made.t")
        assert list(cursor.fetchone()) == [3]
    assert all(is_free(port) for port in ports.values()), "they listen where they are told to, and nowhere else"
