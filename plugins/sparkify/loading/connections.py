"""Finds Airflow connections, and checks their fields before they are used."""

from __future__ import annotations

import difflib
import json
import logging
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowRuntimeError, ErrorType
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.loading.aws_errors import error_of_aws
from sparkify.loading.exceptions import SettingsError, Unavailable

if TYPE_CHECKING:
    from airflow.sdk import Connection

# boto3's own: at DEBUG it shows session tokens, and what STS and Redshift answer when asked for credentials.
TELLS_SECRETS = logging.getLogger("botocore")
FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port", "extra")
TEXT_FIELDS = ("host", "login", "password", "schema")
# Of an AWS connection the login is the id of a key.
SECRET_FIELDS = ("login", "password")
HIGHEST_PORT = 65_535
# They come along when a text is copied from a page, and nobody sees them.
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# A URL may hold a password; a text of these characters holds no user of one, and no parameter.
HARMLESS = re.compile(r"[\w .:/,\\\[\]()+*-]{0,100}", re.ASCII)
# A text that is no secret: a number or a flag between quotes.
PLAINLY_A_VALUE = re.compile(r"[+-]?[\d.]{1,6}|true|false|yes|no|on|off", re.ASCII | re.IGNORECASE)
KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a JSON object",
}
NO_TEXT = (
    "Write it without quotes. In a connection written as a URI each extra is text: give the extra as JSON there, in "
    "the URI's parameter __extra__."
)
ABOUT_A_PORT = re.compile(r"(?i)port")
# What a value that Airflow could not read makes it raise.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, AirflowException)


def get_connection(conn_id: str) -> Connection:
    """The Airflow connection; a :class:`SettingsError` if there is none, or none that could be meant.

    From here on boto3 logs nothing below INFO in this process, whatever Airflow's level is.
    """
    TELLS_SECRETS.setLevel(max(logging.INFO, TELLS_SECRETS.level))
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise _why_not_found(conn_id) from None
    except PermissionError:
        raise SettingsError(
            f"Airflow does not let this task read the connection {conn_id}. Allow it to the team of the DAG."
        ) from None
    _check_fields(connection)
    return connection


def extra_of(connection: Connection, example: str) -> dict[str, Any]:
    """The connection's extra as an object; Airflow itself takes an extra that is not JSON for an empty one.

    :param example: an extra that could be given, for the sentence that says what is wrong.
    """
    where = f"The extra of connection {connection.conn_id}"
    try:
        extra = json.loads(connection.extra or "{}")
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where} is not JSON{_where_not(error)}. Give an object, for example {example}.") from None
    if not isinstance(extra, dict):
        raise SettingsError(f"{where} is {_kind(extra)}; expected a JSON object, for example {example}.")
    # Read once more by Airflow, which from then on masks the secrets in it.
    return dict(connection.extra_dejson)


def check_text(where: str, value: object, *, is_secret: bool = False) -> None:
    """Refuse what is no text, or text with characters that nobody meant to type.

    :param where: the connection and the field, to begin the sentence.
    :param is_secret: whether the value must not be shown.
    """
    if not isinstance(value, str):
        raise SettingsError(f"{where} is {_kind(value)}; expected text. In JSON put it between quotes.")
    said = "" if is_secret else f" ({shown_value(value)})"
    if value.strip().strip(UNSEEN) != value:
        raise SettingsError(
            f"{where} begins or ends with a blank, a line break or a character that nobody sees{said}. "
            "Enter it again without."
        )
    if any(unicodedata.category(one) == "Cc" for one in value):
        raise SettingsError(f"{where} holds a line break or another control character{said}. Enter it again without.")


def check_kind(where: str, value: object, kinds: Collection[type], example: str = "") -> None:
    """Refuse a value of an extra that is of none of these kinds; null is allowed, and means that it is not set."""
    if value is None or (type(value) in kinds and not isinstance(value, str)):
        return
    if isinstance(value, str) and str in kinds:
        check_text(where, value, is_secret=True)
        return
    expected = " or ".join(words for kind, words in KINDS.items() if kind in kinds)
    like = f", for example {example}" if example else ""
    hint = f" {NO_TEXT}" if isinstance(value, str) else ""
    raise SettingsError(f"{where} is {_kind(value)}; expected {expected}{like}.{hint}")


def shown_value(value: object) -> str:
    """The value as a sentence may show it: not one that could be a URL with a password."""
    if isinstance(value, str) and not HARMLESS.fullmatch(value.strip()):
        return "not shown, as it may hold a secret"
    return repr(value)[:120]


def closest(name: object, known: Iterable[str]) -> str | None:
    """The known name that this one is a slip of; None if it is like none of them."""
    found = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.75)
    return found[0] if found else None


def check_port(where: str, value: object) -> None:
    """Refuse what is no port; none is given where the connection has a default."""
    if value is not None and not (type(value) is int and 0 < value <= HIGHEST_PORT):
        raise SettingsError(f"{where} is {shown_value(value)}; expected a number from 1 to {HIGHEST_PORT}.")


def _check_fields(connection: Connection) -> None:
    if not (connection.conn_type or connection.login or connection.password or connection.extra):
        # Airflow takes any text for a URI that does not begin with a brace: a list, or JSON after a byte-order mark.
        raise SettingsError(
            f"Connection {connection.conn_id} has no type: it is neither a JSON object, which begins with {{, nor a "
            "URI. Write it as JSON, which needs no escapes."
        )
    for field in TEXT_FIELDS:
        value = getattr(connection, field)
        if value is not None:
            check_text(f"Connection {connection.conn_id}: {field}", value, is_secret=field in SECRET_FIELDS)
    check_port(f"Connection {connection.conn_id}: port", connection.port)


def _why_not_found(conn_id: str) -> Exception:
    """What Airflow's backends say of a connection that it calls not defined: it logs that at DEBUG alone."""
    # Imported here because only a worker has the first of them.
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    for backend in ensure_secrets_backend_loaded():
        name = type(backend).__name__
        where = f"the environment variable {variable}" if name == "EnvironmentVariablesBackend" else name
        try:
            connection = backend.get_connection(conn_id=conn_id)
            if connection is not None:
                _check_fields(connection)
        except SettingsError as error:
            return error
        except (BotoCoreError, ClientError) as error:
            return error_of_aws(f"read the connection {conn_id} from {where}", error)
        except UNREADABLE as error:
            return SettingsError(f"The connection {conn_id} cannot be read from {where}: {_unreadable(error)}")
        except Exception as error:
            return Unavailable(f"The connection {conn_id} could not be read from {where} ({type(error).__name__}).")
    return _airflow_was_away(conn_id) or SettingsError(
        f"The connection {conn_id} is not defined. Add it under Admin, Connections, "
        f"or as the environment variable {variable}."
    )


def _airflow_was_away(conn_id: str) -> Exception | None:
    """An API server that failed, which a task's backend takes for a connection that is not there."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, GetConnection

    supervisor = getattr(task_runner, "SUPERVISOR_COMMS", None)
    if supervisor is None:
        return None
    try:
        answer = supervisor.send(GetConnection(conn_id=conn_id))
    except AirflowRuntimeError as error:
        answer = error.error
    if not isinstance(answer, ErrorResponse) or answer.error == ErrorType.CONNECTION_NOT_FOUND:
        return None
    return Unavailable(
        f"Airflow could not give the connection {conn_id} ({answer.error.value}). If it stays so, the log of its API "
        "server says why, for example that it has another Fernet key."
    )


def _unreadable(error: Exception) -> str:
    """What is wrong with the text of a connection. The error's own words may quote a password."""
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return f"it is not JSON{_where_not(error)}. Correct it."
    unknown = re.search(r"unexpected keyword argument '(\w{1,40})'", str(error), re.ASCII)
    if unknown:
        return f"Airflow knows no field {unknown[1]}. Known are {', '.join(FIELDS)}; put all else into extra."
    if ABOUT_A_PORT.search(str(error)):
        return (
            "its port is not a number. In a URI that is also so if the user or the password holds a sign such as / # ? "
            "that is not written as %2F, %23, %3F."
        )
    return "it is neither a JSON object of Airflow's fields nor a URI. Write it as JSON, which needs no escapes."


def _where_not(error: Exception) -> str:
    """Where a text stops being JSON, without a word of it."""
    if isinstance(error, json.JSONDecodeError):
        return f" ({error.msg} at line {error.lineno}, column {error.colno})"
    return " (it is nested too deeply)" if isinstance(error, RecursionError) else ""


def _kind(value: object) -> str:
    """What a value is, shown where it is short and cannot be a secret."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, str):
        return f"the text {value!r}" if PLAINLY_A_VALUE.fullmatch(value) else "a text"
    if isinstance(value, int | float):
        return "a number"
    return KINDS.get(type(value), f"a {type(value).__name__}")
