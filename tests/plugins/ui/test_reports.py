"""The report on the page: S3 that hangs, that is slow or that refuses harms this part alone."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import uvicorn
from botocore.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sparkify.report.page import page_of
from sparkify.ui import reports
from tests.plugins.report.answers import report

pytestmark = pytest.mark.report

READERS = 50


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that lets everybody in and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=4 * READERS) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lead the connection of AWS to an address."""

    def lead(url: str, **extra: Any) -> None:
        service = {"s3": {"bucket_name": "source"}, "sparkify": {"control_bucket": "control"}}
        extra |= {"region_name": "us-west-2", "endpoint_url": url, "service_config": service}
        connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))

    return lead


@pytest.fixture
def served(client: TestClient) -> Iterator[str]:
    """The page as Airflow's API server runs it: mounted, with the threads that it shares with all else."""
    whole = FastAPI()

    @whole.get("/health")
    def health() -> str:
        return "healthy"

    whole.mount("/sparkify", client.app)
    server = uvicorn.Server(uvicorn.Config(whole, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_while_s3_hangs_all_else_answers(served: str, silent: str, connect: Any) -> None:
    connect(silent)
    began = time.monotonic()

    def ask(number: int) -> httpx.Response:
        return httpx.get(f"{served}/sparkify/report{'/latest' if number % 2 else ''}", timeout=60)

    with ThreadPoolExecutor(READERS) as readers:
        asked = [readers.submit(ask, number) for number in range(READERS)]
        waited = []
        while not all(one.done() for one in asked):
            for address in ("/health", "/sparkify/"):
                at = time.monotonic()
                assert httpx.get(f"{served}{address}", timeout=30).status_code == 200
                waited.append(time.monotonic() - at)
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert all("Could not read s3://control/" in answer.text or "S3 is slow" in answer.text for answer in answers)
    assert sum("Could not read" in answer.text for answer in answers) <= 3 * reports.AT_ONCE
    # Nothing waited for S3, and nobody for longer than its limits.
    assert max(waited) < 2
    assert time.monotonic() - began < 25


def test_a_turn_that_ends_is_the_next_ones(
    served: str, silent: str, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "LIMITS", Config(read_timeout=0.5, retries={"total_max_attempts": 1}))
    connect(silent)
    with ThreadPoolExecutor(2 * reports.AT_ONCE) as readers:
        answers = list(
            readers.map(lambda _: httpx.get(f"{served}/sparkify/report", timeout=60), range(2 * reports.AT_ONCE))
        )
    assert all("Could not read" in answer.text for answer in answers)


def test_the_connections_own_settings_hold_but_for_its_patience(silent: str, connect: Any) -> None:
    connect(silent, config_kwargs={"read_timeout": 600, "s3": {"addressing_style": "path"}, "user_agent_extra": "mine"})
    config = reports.Report.latest().client.meta.config
    assert config.s3["addressing_style"] == "path"
    assert "mine" in config.user_agent_extra
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries["total_max_attempts"] == 1


@pytest.fixture
def answering(connect: Any) -> Iterator[dict[str, Any]]:
    """An S3 that answers as it is told: with a status, and with a text in so many pieces, so many seconds apart."""
    told: dict[str, Any] = {"status": 200, "pieces": 1, "apart": 0.0, "text": b"<!doctype html>"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(told["status"])
            self.send_header("Content-Length", str(told["pieces"] * len(told["text"])))
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(told["pieces"] if self.command == "GET" else 0):
                    self.wfile.write(told["text"])
                    time.sleep(told["apart"])

        do_HEAD = do_GET  # noqa: N815  # the base class's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connect(f"http://127.0.0.1:{server.server_address[1]}")
        yield told
        server.shutdown()


def test_a_report_is_sent_as_it_lies_there_and_may_do_nothing(client: TestClient, answering: dict[str, Any]) -> None:
    answering |= {"pieces": 100, "text": b"0123456789" * 1000}
    assert client.get("/report").status_code == 200
    answer = client.get("/report/latest")
    assert (answer.status_code, answer.content) == (200, b"0123456789" * 100_000)
    assert answer.headers["content-security-policy"].startswith("sandbox allow-popups; default-src 'none'")
    assert client.head("/report/latest").content == b""


@pytest.mark.parametrize("address", ["/report", "/report/latest"])
@pytest.mark.parametrize(
    ("answered", "status", "words"),
    [
        ({"status": 404}, 404, "There is no report yet."),
        ({"status": 403}, 502, "Could not read s3://control/sparkify/reports/latest/report.html: "),
        ({"status": 500}, 503, "Try again in a few seconds."),
    ],
)
def test_what_s3_answers_is_said_in_words(
    client: TestClient, answering: dict[str, Any], address: str, answered: dict[str, Any], status: int, words: str
) -> None:
    answering |= answered
    answer = client.get(address)
    assert answer.status_code == status
    assert words in answer.text


def test_a_report_that_comes_too_slowly_is_given_up(
    client: TestClient, answering: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "READ_SECONDS", 0.5)
    answering |= {"pieces": 100, "apart": 0.2, "text": b"x" * reports.PIECE}
    began = time.monotonic()
    answer = client.get("/report/latest")
    assert answer.status_code == 503
    assert "within 0.5 s. Try again in a few seconds." in answer.text
    assert time.monotonic() - began < 5


def test_a_report_that_is_none_for_its_size_is_not_taken_into_memory(
    client: TestClient, answering: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_BYTES", 10 * reports.PIECE)
    answering |= {"pieces": 11, "text": b"x" * reports.PIECE}
    answer = client.get("/report/latest")
    assert answer.status_code == 502
    assert "is larger than 163,840 bytes. Have the report made again." in answer.text


def test_a_connection_that_is_wrong_is_said_in_words(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    answer = client.get("/report")
    assert answer.status_code == 502
    assert "aws_default" in answer.text


def test_a_report_takes_the_theme_of_the_page_around_it() -> None:
    made = page_of(report()).encode()
    assert reports.in_theme(made, "dark").startswith(b'<!doctype html>\n<html lang="en" data-theme="dark">')
    assert reports.in_theme(b"<h1>Of another make</h1>", "dark") == b"<h1>Of another make</h1>"


def test_another_theme_than_light_and_dark_is_refused(client: TestClient) -> None:
    assert client.get("/report/latest?theme=%22onload").status_code == 422
