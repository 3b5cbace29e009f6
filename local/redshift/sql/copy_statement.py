"""COPY's own grammar, by tokens; source: COPY in the Amazon Redshift Database Developer Guide."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from local.redshift.load import times
from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import Load, RefusedError

_ROLES = r"arn:aws[a-z-]*:iam::[0-9]+:role/[\w+=,.@:/-]+"
_KEY = r"[\w+=,.@/-]+"
_CREDENTIALS = rf"aws_iam_role={_ROLES}|aws_access_key_id={_KEY};aws_secret_access_key={_KEY}(;token={_KEY})?"
_AUTHORISATIONS = [
    {"IAM_ROLE"},
    {"CREDENTIALS"},
    {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY"},
    {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"},
]


def _error_count(written: str) -> int:
    if int(written) > 100_000:
        raise ValueError(written)
    return int(written)


def _time_format(written: str) -> str:
    if written not in times.EPOCHS:
        times.pattern(written)
    return written


class _Option(NamedTuple):
    """What an option's argument looks like, with its quotes, and what it is if it may be left out.

    ``field`` is that of the plan; without one the option has no effect here, where nothing is compressed or analysed
    and what may be read is the environment's affair. ``value`` raises ValueError if the argument is not known.
    """

    form: str = ""
    field: str = ""
    value: Callable[[str], object] = str
    default: str | None = None


_OPTIONS = {
    "ACCESS_KEY_ID": _Option(f"'{_KEY}'"),
    "BLANKSASNULL": _Option(),
    "COMPUPDATE": _Option("ON|OFF|TRUE|FALSE|PRESET", default="ON"),
    "CREDENTIALS": _Option(f"'({_CREDENTIALS})'"),
    "EMPTYASNULL": _Option(),
    "GZIP": _Option(field="gzip", value=bool),
    "IAM_ROLE": _Option(f"DEFAULT|'{_ROLES}'"),
    "JSON": _Option("'(auto|auto ignorecase|s3://.+)'", "json_paths", default="auto"),
    "MANIFEST": _Option(field="manifest", value=bool),
    "MAXERROR": _Option("[0-9]{1,9}", "max_errors", _error_count),
    "REGION": _Option("'[a-z]{2}(-[a-z]+)+-[0-9]'"),
    "ROUNDEC": _Option(),
    "SECRET_ACCESS_KEY": _Option(f"'{_KEY}'"),
    "SESSION_TOKEN": _Option(f"'{_KEY}'"),
    "STATUPDATE": _Option("ON|OFF|TRUE|FALSE", default="ON"),
    "TIMEFORMAT": _Option("'.+'", "time_format", _time_format),
    "TRUNCATECOLUMNS": _Option(),
}
_FLAGS = {"BLANKSASNULL", "EMPTYASNULL", "ROUNDEC", "TRUNCATECOLUMNS"}


def parse_copy(cursor: Cursor, text: str) -> Load:
    """Read COPY table [(columns)] FROM 's3://…' and its options; an option not known is refused by name.

    No message repeats what stands in quotes, for it may be a secret.
    """
    cursor.expect("COPY")
    table = cursor.qualified_name()
    columns = cursor.names() if cursor.at("(") else []
    if len(set(columns)) != len(columns):
        raise RefusedError("A column is named twice in COPY's list.", "42701")
    cursor.expect("FROM")
    if (source := cursor.next()).kind != "string" or not source.text.startswith("s3://"):
        raise RefusedError("COPY is refused: the stand-in reads only from an s3:// address in quotes.")
    given: dict[str, Any] = {}
    while cursor.peek() is not None:
        word = _word(cursor)
        if word in given:
            raise RefusedError(f"COPY names the option {word} twice.", "42601")
        try:
            given[word] = _argument(cursor, _OPTIONS[word])
        except ValueError:
            words = "its argument is missing, malformed or not known to the stand-in."
            raise RefusedError(f"COPY's option {word} is refused: {words}") from None
    if given.keys() & set().union(*_AUTHORISATIONS) not in _AUTHORISATIONS:
        raise RefusedError("COPY needs one authorisation: IAM_ROLE, CREDENTIALS or an access key with its secret.")
    if "JSON" not in given:
        raise RefusedError("COPY is known only with FORMAT JSON: the stand-in does not read delimited text.")
    fields = {_OPTIONS[word].field: value for word, value in given.items() if _OPTIONS[word].field}
    return Load(text, table, tuple(columns), source.text, flags=frozenset(given.keys() & _FLAGS), **fields)


def _word(cursor: Cursor) -> str:
    """The next option's word; FORMAT [AS] stands before the format's, and WITH may stand before any."""
    cursor.accept("WITH")
    what = "format" if cursor.accept("FORMAT") else "option"
    if what == "format":
        cursor.accept("AS")
    word = cursor.next().upper
    if word not in _OPTIONS or (what == "format" and word != "JSON"):
        raise RefusedError(f"COPY's {what} {word or 'in quotes'} is refused: the stand-in does not know it.")
    return word


def _argument(cursor: Cursor, option: _Option) -> object:
    if not option.form:
        return option.value("ON")
    cursor.accept("AS")
    token = cursor.peek()
    quoted = token is not None and token.kind == "string"
    written = "" if token is None else f"'{token.text}'" if quoted else token.upper or token.text
    if re.fullmatch(option.form, written):
        return option.value(cursor.next().text)
    if option.default is None or quoted:
        raise ValueError(option.form)
    return option.default
