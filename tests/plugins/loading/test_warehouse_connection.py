"""The warehouse's connection: what its driver does not take is refused before, what it could not do is told after."""

from __future__ import annotations

import inspect
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.warehouse_connection import get_warehouse_connection, opener, why_not_open
from tests.pipeline import Pipeline

GOOD = {
    "conn_type": "redshift", "host": "127.0.0.1", "port": 5439, "login": "u", "password": "p", "schema": "dev",
}  # fmt: skip


def define(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(fields))


def refused(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """What is said of a connection with these changes."""
    define(monkeypatch, **changes)
    with pytest.raises(SettingsError) as caught:
        get_warehouse_connection("redshift_default")
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "h:5439", "h/dev", "h:5439/dev", "redshift://h", "postgresql://h", "https://h", "a b", "-h", "h-", "a..b", ".h",
        "a" * 64 + ".b", "h,", "[::1]", "h\\dev", "h;b", "(h)", "höst",
    ],
)  # fmt: skip
@pytest.mark.parametrize("conn_type", ["redshift", "postgres"])
def test_a_host_that_is_more_than_a_name_is_refused(monkeypatch: pytest.MonkeyPatch, conn_type: str, host: str) -> None:
    said = refused(monkeypatch, conn_type=conn_type, host=host)
    assert "Connection redshift_default: host is" in said
    assert "expected the name of the endpoint alone" in said


@pytest.mark.parametrize(
    ("conn_type", "host"),
    [
        ("redshift", "my-cluster.abc123.us-west-2.redshift.amazonaws.com"),
        ("redshift", "wg.123456789012.us-west-2.redshift-serverless.amazonaws.com"),
        ("redshift", "warehouse"),
        ("redshift", "ware_house.internal."),
        ("redshift", "10.0.0.7"),
        ("postgres", "/var/run/postgresql"),
        ("postgres", "one.internal,two.internal"),
        ("postgres", "::1"),
    ],
)
def test_a_host_that_a_driver_takes_is_taken(monkeypatch: pytest.MonkeyPatch, conn_type: str, host: str) -> None:
    define(monkeypatch, conn_type=conn_type, host=host)
    assert get_warehouse_connection("redshift_default")[0].host == host


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": None}, "names no host."),
        ({"host": ""}, "names no host."),
        ({"schema": None}, "names no schema."),
        ({"schema": ""}, "names no schema."),
        ({"login": None, "password": ""}, "names no login and no password."),
        ({"conn_type": "postgres", "schema": None}, "names no schema."),
        ({"extra": {"iam": True}, "schema": None}, "names no schema."),
        ({"conn_type": None}, "is of the type None; expected redshift"),
        ({"conn_type": "redshfit"}, "is of the type 'redshfit'; expected redshift"),
        ({"conn_type": "mysql"}, "is of the type 'mysql'; expected redshift"),
    ],
    ids=str,
)
def test_what_a_session_needs_must_be_given(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str
) -> None:
    assert f"Connection redshift_default {words}" in refused(monkeypatch, **changes)


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({"host": None, "login": None, "password": None}, {"iam": True}),
        ({"password": None}, {"credentials_provider": "BrowserAzureOAuth2CredentialsProvider"}),
        ({"schema": None}, {"database": "dev"}),
        ({"login": None, "password": None}, {"user": "u", "password": "p"}),
        ({"conn_type": "postgres", "password": None}, {"passfile": "/run/secrets/pgpass"}),
        ({"conn_type": "postgres", "schema": None}, {"dbname": "dev"}),
        ({"conn_type": "postgres"}, {"sqlalchemy_query": {"a": "b"}, "keepalives_idle": "60", "connect_timeout": 5}),
    ],
    ids=str,
)
def test_what_a_driver_finds_elsewhere_need_not_be_given(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], extra: dict[str, Any]
) -> None:
    define(monkeypatch, extra=extra, **changes)
    assert get_warehouse_connection("redshift_default")[1] == extra


EXAMPLES: dict[str, Any] = {"bool": True, "int": 7, "str": "text", "List": ["text"]}


@pytest.mark.parametrize("name", list(inspect.signature(redshift_connector.connect).parameters))
def test_each_argument_of_the_driver_is_taken_of_its_kind_and_refused_of_others(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    annotation = str(inspect.signature(redshift_connector.connect).parameters[name].annotation)
    kind = next(kind for kind in ("List", "bool", "int", "str") if kind in annotation)
    good = "verify-ca" if name == "sslmode" else "127.0.0.1" if name == "host" else EXAMPLES[kind]
    for value in (good, None):
        define(monkeypatch, extra={name: value})
        assert get_warehouse_connection("redshift_default")[1] == {name: value}
    for other, example in EXAMPLES.items():
        if other != kind:
            said = refused(monkeypatch, extra={name: example})
            assert f"Connection redshift_default, extra: {name} is " in said
            assert "; expected " in said


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("keepalives_idle", "Did you mean tcp_keepalive_idle?"),
        ("ssl_mode", "Did you mean sslmode?"),
        ("SSL", "Did you mean ssl?"),
        ("timeot", "Did you mean timeout?"),
        ("serverless_token_duration_seconds", "Take it out."),
        ("jdbc", "Take it out."),
        ("", "Take it out."),
    ],
)
def test_an_extra_that_the_driver_does_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    said = refused(monkeypatch, extra={name: 1})
    assert f"Connection redshift_default: its extra names {name!r}, which redshift_connector " in said
    assert said.endswith(meant)


def test_an_sslmode_that_the_driver_would_replace_in_silence_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for slip in ("verify_full", "Verify-Full", "verify-ful"):
        assert "sslmode is" in refused(monkeypatch, extra={"sslmode": slip})
    define(monkeypatch, extra={"sslmode": "require"})
    get_warehouse_connection("redshift_default")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"port": 70000}, "port is 70000; expected a number from 1 to 65535."),
        ({"port": 0}, "port is 0; expected a number from 1 to 65535."),
        ({"timeout": 0}, "timeout is 0; expected seconds, at least 1, or none."),
        ({"timeout": -5}, "timeout is -5; expected seconds, at least 1, or none."),
    ],
    ids=str,
)
def test_a_number_that_no_session_can_be_opened_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], words: str
) -> None:
    assert refused(monkeypatch, extra=extra) == f"Connection redshift_default, extra: {words}"


NO_NAME, NO_DATABASE = {"host": "no-such-host.invalid"}, {"schema": "no_such_database"}
REFUSED = "refused the log-in of connection redshift_default"
IS_NO_NAME = "no machine of this name is known"
IS_NO_DATABASE = "Correct the field schema of the connection, which is the database"


@pytest.mark.parametrize(
    ("conn_type", "changes", "extra", "words"),
    [
        ("redshift", NO_NAME, {"ssl": False}, IS_NO_NAME),
        ("redshift", NO_DATABASE, {"ssl": False}, IS_NO_DATABASE),
        ("redshift", {"password": "wrong"}, {"ssl": False}, REFUSED),
        ("redshift", {}, {}, "the server there speaks no SSL"),
        ("redshift", {}, {"ssl": False, "tcp_keepalive_idle": 0}, "must be positive. Correct the connection"),
        ("redshift", {}, {"ssl": False, "unix_sock": "/no/such"}, "a file that its extra names is not there"),
        ("redshift", {}, {"ssl": False, "client_protocol_version": 9}, "client_protocol_version must be in"),
        ("redshift", {}, {"ssl": False, "iam": True, "is_serverless": True}, "Please set serverless_work_group"),
        ("postgres", NO_NAME, {"sslmode": "disable"}, IS_NO_NAME),
        ("postgres", NO_DATABASE, {"sslmode": "disable"}, IS_NO_DATABASE),
        ("postgres", {"password": "wrong"}, {"sslmode": "disable"}, REFUSED),
        ("postgres", {"password": None}, {"sslmode": "disable"}, REFUSED),
        ("postgres", {}, {"sslmode": "require"}, "the server there speaks no SSL"),
        ("postgres", {}, {"sslmode": "off"}, 'invalid sslmode value: "off". Correct the connection'),
        ("postgres", {}, {"sslmod": "disable"}, 'invalid connection option "sslmod". Correct the connection'),
        ("postgres", {}, {"sslmode": "disable", "keepalives": True}, "invalid integer value"),
    ],
)
def test_what_the_server_or_the_driver_refuses_is_not_tried_again(
    pipeline: Pipeline, conn_type: str, changes: dict[str, Any], extra: dict[str, Any], words: str
) -> None:
    known = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**known, "conn_type": conn_type, "extra": extra, **changes})
    began = time.monotonic()
    with pytest.raises(SettingsError) as caught, pipeline.session():
        pass
    assert time.monotonic() - began < 5
    assert "redshift_default" in str(caught.value)
    assert words in str(caught.value)


@pytest.fixture
def other_server(tmp_path: Path) -> Iterator[int]:
    """The port of a server that speaks TLS after PostgreSQL's greeting, with a certificate that nobody knows."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(8)
                    client.sendall(b"S")
                    try:
                        context.wrap_socket(client, server_side=True).close()
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_certificate_that_is_not_the_clusters_is_not_tried_again(pipeline: Pipeline, other_server: int) -> None:
    known = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**known, "port": other_server, "extra": {"sslmode": "verify-full"}})
    with pytest.raises(SettingsError, match="the server's certificate is not the expected one"), pipeline.session():
        pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redshift_connector.InterfaceError("communication error", ConnectionRefusedError(111, "refused")), Unavailable),
        (
            redshift_connector.InterfaceError("communication error", socket.gaierror(-3, "Temporary failure")),
            Unavailable,
        ),
        (redshift_connector.OperationalError("connection time out", TimeoutError()), Unavailable),
        (redshift_connector.ProgrammingError({"C": "57P03", "M": "the database system is starting up"}), Unavailable),
        (redshift_connector.ProgrammingError({"C": "53300", "M": "too many connections"}), Unavailable),
        (EOFError(), Unavailable),
        (redshift_connector.InterfaceError("BrokenPipe: server socket closed. Please check that ..."), Unavailable),
        (redshift_connector.InterfaceError("connection is closed"), Unavailable),
        (redshift_connector.InterfaceError("Authentication method 7 not supported"), SettingsError),
        (redshift_connector.InterfaceError("Invalid connection property setting. SSL must be enabled"), SettingsError),
        (redshift_connector.InterfaceError("Serverless workgroup is not set."), SettingsError),
        (TypeError("connect() got an unexpected keyword argument 'x'"), SettingsError),
        (OverflowError("connect(): port must be 0-65535."), SettingsError),
    ],
    ids=repr,
)
def test_what_may_pass_is_told_from_what_must_be_corrected(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    define(monkeypatch)
    connection, _ = get_warehouse_connection("redshift_default")
    found = why_not_open(connection, error)
    assert type(found) is kind
    assert "by redshift_default (127.0.0.1:5439)" in str(found)


def test_the_hook_tries_again_what_may_pass(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    tries: list[None] = []

    def refuse_twice(**_: Any) -> str:
        tries.append(None)
        if len(tries) < 3:
            raise redshift_connector.InterfaceError("communication error", ConnectionRefusedError(111, "refused"))
        return "open"

    monkeypatch.setattr(redshift_connector, "connect", refuse_twice)
    define(monkeypatch)
    assert opener(get_warehouse_connection("redshift_default")[0])() == "open"
    assert pauses == [1, 2]
