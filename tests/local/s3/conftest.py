"""An S3 server in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stack.home import PROJECT
from local.stack.ports import LOOPBACK, PortReservations

KEY = "the-key-id-of-the-stack"


class Server:
    """An S3 server process of ours that can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._command = [
            sys.executable, "-m", "local.s3", "--port", str(port), "--folder", str(folder), "--bucket", "source",
        ]  # fmt: skip
        self.port = port
        self.client: Any = self.client_of("s3", KEY)
        self.start()

    def client_of(self, service: str, key: str, secret: str | None = None, **arguments: Any) -> Any:
        """A boto3 client that signs with this access key id; its secret is of no matter for the stack's own."""
        connect: Any = boto3.client
        return connect(
            service,
            endpoint_url=f"http://{LOOPBACK}:{self.port}",
            aws_access_key_id=key,
            aws_secret_access_key=secret or "any",
            region_name="us-west-2",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16),
            **arguments,
        )

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=PROJECT, env=os.environ | {"AWS_ACCESS_KEY_ID": KEY})
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client.list_buckets()
            except (BotoCoreError, ClientError):
                assert self._process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait()

    def crash(self) -> None:
        self.end(signal.SIGKILL)
        self.start()

    def objects(self, bucket: str = "source") -> dict[str, tuple[Any, ...]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {
            found["Key"]: (found["ETag"], found["LastModified"], found["Size"])
            for page in pages
            for found in page.get("Contents", [])
        }


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server that keeps its buckets in this folder, on a port that no other server gets while this one is down."""
    with PortReservations() as reservations:
        server = Server(folder, reservations.choose(24572))
        yield server
        server.end(signal.SIGTERM)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "s3") as server:
        yield server
