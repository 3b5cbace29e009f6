"""Connects to a Redshift by its address, and makes a schema of our own in it."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import redshift_connector
from psycopg.conninfo import conninfo_to_dict

from local.errors import LocalStackError
from sparkify.loading.driver_errors import reason

# redshift_connector's names for libpq's.
_NAMES = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
# It knows no encryption without a look at the certificate.
_SSL = {"disable": None, "require": "verify-ca", "verify-ca": "verify-ca", "verify-full": "verify-full"}


def arguments(dsn: str) -> dict[str, Any]:
    """What `redshift_connector.connect` takes, from a `redshift://` URL or a DSN of libpq's.

    The password may be left out of the address: PGPASSWORD is read then.
    """
    try:
        parts = _of_url(dsn) if dsn.startswith("redshift://") else _of_libpq(dsn)
        ssl_mode = _SSL[parts.pop("sslmode", "verify-ca")]
        taken: dict[str, Any] = {_NAMES[name]: value for name, value in parts.items() if value}
        taken["port"] = int(taken.get("port", 5439))
    # Not chained: what was wrong may hold the password.
    except (KeyError, ValueError, redshift_connector.Error):
        raise _unreadable() from None
    if not {"host", "user", "database"} <= taken.keys():
        raise _unreadable()
    taken.setdefault("password", os.environ.get("PGPASSWORD", ""))
    encryption = {"ssl": False} if ssl_mode is None else {"ssl": True, "sslmode": ssl_mode}
    return {**taken, **encryption, "application_name": "sparkify conformance"}


def _of_url(dsn: str) -> dict[str, str]:
    url = urlsplit(dsn)
    parts = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}
    known = {name: unquote(str(value)) for name, value in parts.items() if value is not None}
    return known | {"dbname": url.path.lstrip("/")} | dict(parse_qsl(url.query))


def _of_libpq(dsn: str) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    except Exception as error:
        raise ValueError(type(error).__name__) from None


def _unreadable() -> LocalStackError:
    return LocalStackError(
        "The address is not one of a Redshift. Use redshift://USER:PASSWORD@HOST:PORT/DATABASE or, as libpq does, "
        "'host=… port=5439 dbname=… user=…' (with sslmode=disable for the stand-in); PGPASSWORD may give the password."
    )


@contextlib.contextmanager
def schema_of_our_own(dsn: str) -> Iterator[tuple[Any, str]]:
    """A session whose search path is a new schema, and its name; the schema is dropped, whatever becomes of it."""
    known = arguments(dsn)
    schema = f"conformance_{uuid.uuid4().hex[:12]}"
    session = _connect(known)
    try:
        _run(session, f"create schema {schema}")
        _run(session, f"set search_path to {schema}")
        yield session, schema
    finally:
        with contextlib.suppress(redshift_connector.Error, OSError):
            session.close()
        # Another session: the first may be broken, or in a transaction that failed.
        last = _connect(known)
        _run(last, f"drop schema if exists {schema} cascade")
        last.close()


def _connect(known: dict[str, Any]) -> Any:
    try:
        session = redshift_connector.connect(**known)
    except (redshift_connector.Error, OSError) as error:
        raise LocalStackError(
            f"{known['host']}:{known['port']} did not let user {known['user']} in: {reason(error)}."
        ) from None
    session.autocommit = True
    return session


def _run(session: Any, statement: str) -> None:
    with contextlib.closing(session.cursor()) as cursor:
        cursor.execute(statement)
