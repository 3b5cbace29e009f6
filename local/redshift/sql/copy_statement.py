"""COPY's own grammar, by tokens; source: COPY in the Amazon Redshift Database Developer Guide."""

from __future__ import annotations

from typing import Any

from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import Load, RefusedError

_FLAGS = {"BLANKSASNULL", "EMPTYASNULL", "TRUNCATECOLUMNS"}
# Accepted and without effect here: nothing is compressed or analysed, and access is the environment's.
_WITHOUT_EFFECT = {"COMPUPDATE", "STATUPDATE"}
_CREDENTIALS = {"CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"}
_MOST_ERRORS = 100_000
_TIME_FORMATS = {"auto", "epochsecs", "epochmillisecs"}


def parse_copy(cursor: Cursor, text: str) -> Load:
    """Read COPY table [(columns)] FROM 's3://…' and its options; an option not known is refused by name."""
    cursor.expect("COPY")
    table = cursor.qualified_name()
    columns = cursor.names() if cursor.at("(") else []
    if len(set(columns)) != len(columns):
        raise RefusedError("A column is named twice in COPY's list.", "42701")
    cursor.expect("FROM")
    uri = _text(cursor, "FROM")
    if not uri.startswith("s3://"):
        raise RefusedError(f"COPY FROM '{uri}' is refused: the stand-in reads only s3:// addresses.")
    options: dict[str, Any] = {}
    flags: set[str] = set()
    authorised = False
    while (token := cursor.peek()) is not None:
        word = token.upper
        if word in _FLAGS:
            cursor.next()
            flags.add(word)
        elif cursor.accept("IAM_ROLE"):
            authorised = True
            if not cursor.accept("DEFAULT"):
                _text(cursor, "IAM_ROLE")
        elif word in _CREDENTIALS:
            authorised = True
            cursor.next()
            cursor.accept("AS")
            _text(cursor, word)
        elif word in _WITHOUT_EFFECT:
            cursor.next()
            _switch(cursor, word)
        else:
            _set(options, *_option(cursor))
    if not authorised:
        raise RefusedError("COPY needs an authorisation: give IAM_ROLE or CREDENTIALS.", "42601")
    if "json_paths" not in options:
        raise RefusedError("COPY is known only with FORMAT JSON: the stand-in does not read delimited text.")
    return Load(text=text, table=table, columns=tuple(columns), uri=uri, flags=frozenset(flags), **options)


def _option(cursor: Cursor) -> tuple[str, Any]:
    if cursor.accept("WITH"):
        return _option(cursor)
    if cursor.accept("FORMAT"):
        cursor.accept("AS")
        if not cursor.at("JSON"):
            token = cursor.next()
            raise RefusedError(f"COPY's format {token.text} is refused: the stand-in reads only JSON.")
        return _option(cursor)
    if cursor.accept("JSON"):
        cursor.accept("AS")
        following = cursor.peek()
        written = cursor.take("string") if following is not None and following.kind == "string" else "auto"
        if not written.startswith("s3://"):
            written = " ".join(written.lower().split())
            if written not in ("auto", "auto ignorecase"):
                raise RefusedError(f"JSON '{written}' is refused: 'auto', 'auto ignorecase' or an s3:// address.")
        return "json_paths", written
    if cursor.accept("MANIFEST"):
        return "manifest", True
    if cursor.accept("GZIP"):
        return "gzip", True
    if cursor.accept("REGION"):
        cursor.accept("AS")
        _text(cursor, "REGION")
        return "region", None
    if cursor.accept("MAXERROR"):
        cursor.accept("AS")
        digits = cursor.take("number")
        if not digits.isdecimal() or int(digits[:9]) > _MOST_ERRORS:
            raise RefusedError(f"MAXERROR {digits} is refused: it is 0 to {_MOST_ERRORS}.", "22023")
        return "max_errors", int(digits)
    if cursor.accept("TIMEFORMAT"):
        cursor.accept("AS")
        written = _text(cursor, "TIMEFORMAT").lower()
        if written not in _TIME_FORMATS:
            raise RefusedError(f"TIMEFORMAT '{written}' is refused: known are {', '.join(sorted(_TIME_FORMATS))}.")
        return "time_format", written
    token = cursor.next()
    raise RefusedError(f"COPY's option {token.text} is refused by the stand-in.")


def _set(options: dict[str, Any], name: str, value: object) -> None:
    if name in options:
        raise RefusedError("COPY names an option twice.", "42601")
    if name != "region":
        options[name] = value


def _switch(cursor: Cursor, word: str) -> None:
    if word == "COMPUPDATE" and cursor.accept("PRESET"):
        return
    if not any(cursor.accept(value) for value in ("ON", "OFF", "TRUE", "FALSE")):
        # Both stand alone too, and then mean ON.
        return


def _text(cursor: Cursor, after: str) -> str:
    token = cursor.next()
    if token.kind != "string":
        raise RefusedError(f"{after} needs a text in quotes, not {token.text}.", "42601")
    return token.text
