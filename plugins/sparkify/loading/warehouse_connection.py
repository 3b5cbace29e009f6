"""Checks the warehouse's Airflow connection, before a session is opened and when it could not be."""

from __future__ import annotations

import functools
import importlib.metadata
import ipaddress
import re
import ssl
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.idp_auth_helper import SupportedSSLMode

from sparkify.loading.aws_errors import error_of_aws
from sparkify.loading.connections import (
    SECRET_FIELDS,
    check_kind,
    check_port,
    check_text,
    closest,
    extra_of,
    get_connection,
    shown_value,
)
from sparkify.loading.driver_errors import CUT_OFF, TRANSIENT, causes, reason, sqlstate
from sparkify.loading.exceptions import SettingsError, Unavailable

if TYPE_CHECKING:
    from airflow.sdk import Connection

EXAMPLE = '{"sslmode": "verify-full"}'
# libpq turns each of its options into text.
SIMPLE = (bool, int, float, str)
LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*\.?", re.ASCII)
# The connection's field -> what the driver calls it, as which the extra may have it too.
REDSHIFT = {"host": "host", "schema": "database", "login": "user", "password": "password"}
POSTGRES = {**REDSHIFT, "schema": "dbname"}
LOOKED_UP = ("host", "login", "password")
UNKNOWN_NAME = re.compile(r"(?i)name or service not known|nodename nor servname|no address associated")
NO_SSL = re.compile(r"(?i)refuses ssl|does not support ssl")
NO_DATABASE = re.compile(r'(?i)database ".*" does not exist')
LOG_IN = re.compile(r"(?i)password authentication failed|no password (was )?(supplied|provided)")
# What the drivers say of an option, in words alone, where all else they say is of the network.
MISTAKEN = re.compile(
    r"(?i)\binvalid\b|does not exist|\bunsupported\b|not (supported|recognized|set)\b|must (be|use)\b"
    r"|can('t| ?not) (be|use)\b|could not (read|open|load)"
)


def get_warehouse_connection(conn_id: str, given: Connection | None = None) -> tuple[Connection, dict[str, Any]]:
    """The connection and its extra, both as its driver takes them; a :class:`SettingsError` names what is wrong.

    :param given: used instead of Airflow's connection of this id.
    """
    connection = given or get_connection(conn_id)
    check = CHECKS.get(str(connection.conn_type))
    if check is None:
        raise SettingsError(
            f"Connection {conn_id} is of the type {shown_value(connection.conn_type or None)}; expected redshift "
            "(Amazon Redshift in the form) or postgres."
        )
    extra = extra_of(connection, EXAMPLE)
    check(f"Connection {conn_id}", connection, extra)
    return connection, extra


def opener(connection: Connection) -> Callable[[], Any]:
    """What opens a session by the connection; by itself it tries again only what may pass."""
    hook: Any = connection.get_hook()
    # A hook looks its connection up by the id, which Airflow does not know of a given one.
    hook.get_connection = lambda _: connection
    # The Amazon provider's hook tries whatever its driver raises five times, 15 seconds in all.
    again = getattr(type(hook).get_conn, "retry_with", None)
    if again is None:
        return functools.partial(type(hook).get_conn, hook)

    def may_pass(attempt: Any) -> bool:
        return attempt.outcome.failed and isinstance(why_not_open(connection, attempt.outcome.exception()), Unavailable)

    return functools.partial(again(retry=may_pass), hook)


def why_not_open(connection: Connection, error: BaseException) -> Exception:
    """What to raise when a session could not be opened: :class:`Unavailable` if it may pass."""
    where = ":".join(str(part) for part in (connection.host, connection.port) if part)
    what = f"connect to the warehouse by {connection.conn_id} ({where})"
    code, said = sqlstate(error), reason(error)
    chain = list(causes(error))
    if isinstance(error, BotoCoreError | ClientError):
        return error_of_aws(f"look up a password for connection {connection.conn_id}", error)
    if code.startswith("28") or LOG_IN.search(said):
        return SettingsError(
            f"The warehouse refused the log-in of connection {connection.conn_id}: {said}. "
            "Correct its login and password."
        )
    if code == "3D000" or NO_DATABASE.search(said):
        return SettingsError(
            f"Could not {what}: {said}. Correct the field schema of the connection, which is the database."
        )
    if UNKNOWN_NAME.search(said):
        return SettingsError(
            f"Could not {what}: no machine of this name is known ({said}). Correct the field host of the connection, "
            "or the name service of this machine."
        )
    if any(isinstance(cause, FileNotFoundError) for cause in chain):
        return SettingsError(
            f"Could not {what}: a file that its extra names is not there ({said}). Correct the extra of the connection."
        )
    if NO_SSL.search(said):
        return SettingsError(
            f"Could not {what}: the server there speaks no SSL ({said}). Check host and port of the connection; only "
            "for a server that has none, turn it off in the extra (ssl false; of type postgres, sslmode disable)."
        )
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain) or "certificate" in said:
        return SettingsError(
            f"Could not {what}: the server's certificate is not the expected one ({said}). Check the field host, and "
            "sslmode in the extra."
        )
    if TRANSIENT.match(code):
        return Unavailable(f"Could not {what}: {said} (SQLSTATE {code})")
    if not code and (any(isinstance(cause, CUT_OFF) for cause in chain) or _is_of_the_network(error)):
        return Unavailable(f"Could not {what}: {said}")
    return SettingsError(f"Could not {what}: {said}. Correct the connection, its extra above all.")


def _is_of_the_network(error: BaseException) -> bool:
    """Whether a driver says in words alone that the network, or the server's end of it, failed."""
    return type(error).__name__ in ("OperationalError", "InterfaceError") and not MISTAKEN.search(reason(error))


def _check_redshift(where: str, connection: Connection, extra: Mapping[str, Any]) -> None:
    kinds = _arguments()
    for name, value in extra.items():
        if name not in kinds:
            meant = closest(name, kinds)
            version = importlib.metadata.version("redshift_connector")
            raise SettingsError(
                f"{where}: its extra names {shown_value(name)}, which redshift_connector {version} does not take. "
                + (f"Did you mean {meant}?" if meant else "Take it out.")
            )
        check_kind(f"{where}, extra: {name}", value, kinds[name])
    check_port(f"{where}, extra: port", extra.get("port"))
    timeout = extra.get("timeout")
    if timeout is not None and timeout <= 0:
        raise SettingsError(f"{where}, extra: timeout is {timeout}; expected seconds, at least 1, or none.")
    meant = closest(extra.get("sslmode"), SupportedSSLMode.list())
    if meant and meant != extra["sslmode"]:
        raise SettingsError(
            f"{where}, extra: sslmode is {shown_value(extra['sslmode'])}, which redshift_connector takes for none. "
            f"Did you mean {meant}?"
        )
    values = _values(where, connection, extra, REDSHIFT)
    optional = LOOKED_UP if extra.get("iam") else ("password",) if extra.get("credentials_provider") else ()
    _check_given(where, values, optional)
    _check_name(where, values, NAME.fullmatch)


def _check_postgres(where: str, connection: Connection, extra: Mapping[str, Any]) -> None:
    # Imported here because it brings a second driver.
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    for name, value in extra.items():
        if name not in PostgresHook.ignored_extra_options:
            check_kind(f"{where}, extra: {name}", value, SIMPLE)
    values = _values(where, connection, extra, POSTGRES)
    # libpq knows other ways to a password, such as a file.
    _check_given(where, values, LOOKED_UP if extra.get("iam") else ("password",))
    _check_name(where, values, _is_known_to_libpq)


CHECKS = {"redshift": _check_redshift, "postgres": _check_postgres}


@functools.cache
def _arguments() -> Mapping[str, tuple[type, ...]]:
    """What the installed driver's connect takes: the name of each argument, and the kinds of its value."""
    hints = typing.get_type_hints(redshift_connector.connect)
    hints.pop("return")
    return {
        name: tuple(typing.get_origin(kind) or kind for kind in typing.get_args(hint) if kind is not type(None))
        for name, hint in hints.items()
    }


def _values(
    where: str, connection: Connection, extra: Mapping[str, Any], arguments: Mapping[str, str]
) -> dict[str, str]:
    """What the driver is given for each field: the extra comes first."""
    given = {field: extra.get(argument) or getattr(connection, field) for field, argument in arguments.items()}
    for field, value in given.items():
        if value is not None:
            check_text(f"{where}: {field}", value, is_secret=field in SECRET_FIELDS)
    return {field: value or "" for field, value in given.items()}


def _check_given(where: str, values: Mapping[str, str], optional: tuple[str, ...]) -> None:
    missing = [field for field, value in values.items() if not value and field not in optional]
    if missing:
        raise SettingsError(
            f"{where} names no {' and no '.join(missing)}. Set the cluster's endpoint as host, its database as schema, "
            "and login and password of a user; with `iam` in its extra the schema is enough."
        )


def _check_name(where: str, values: Mapping[str, str], is_name: Callable[[str], object]) -> None:
    address = values["host"]
    if address and not is_name(address):
        raise SettingsError(
            f"{where}: host is {shown_value(address)}; expected the name of the endpoint alone, such as "
            "my-cluster.abc123.us-west-2.redshift.amazonaws.com. Port and database have fields of their own: port and "
            "schema."
        )


def _is_known_to_libpq(address: str) -> bool:
    """Whether it is a folder of a socket, or names and addresses with commas between."""
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-HOST
    return address.startswith("/") or all(NAME.fullmatch(one) or _is_address(one) for one in address.split(","))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
