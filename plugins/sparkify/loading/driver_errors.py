"""Reads the errors of the warehouse's drivers: redshift_connector, psycopg 3, psycopg2."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

# PostgreSQL's classes (Redshift kept them): connection, resources, operator intervention, rollback by the server, which
# another try may not meet.
TRANSIENT = re.compile(r"08|53|57P|40001|40P01|58")
# What drivers raise when the connection ends in the middle of an answer: they take what came for all of it.
CUT_OFF = (OSError, EOFError, LookupError, struct.error)


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE that the exception carries, else ''."""
    if error.args and isinstance(error.args[0], dict):
        return str(error.args[0].get("C", ""))
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


def reason(error: BaseException) -> str:
    """The server's message without the driver's wrapping, on one line."""
    if error.args and isinstance(error.args[0], dict):
        fields = error.args[0]
        text = " ".join(str(fields[key]) for key in ("M", "D", "H") if fields.get(key))
    elif any(isinstance(part, BaseException) for part in error.args):
        text = ": ".join(map(str, error.args))
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was made of; redshift_connector passes them as arguments."""
    yield error
    for cause in (*error.args, error.__cause__):
        if isinstance(cause, BaseException):
            yield from causes(cause)
