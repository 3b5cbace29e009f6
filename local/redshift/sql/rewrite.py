"""A client's SQL text to plans, statement by statement: an allow list of the forms a statement may have."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from local.redshift.sql.copy_statement import parse_copy
from local.redshift.sql.functions import ALLOWED, SCHEMA, SHARED_SETTINGS, setting_name, setting_value
from local.redshift.sql.functions import REDSHIFT_SETTINGS as REDSHIFT_SETTINGS
from local.redshift.sql.grammar import Grammar, Match
from local.redshift.sql.lexer import Cursor, quote_literal, quote_name, relation, split, tokenize
from local.redshift.sql.plan import Plan, Refuse, RefusedError, Script, Send
from local.redshift.sql.query import rewrite_expression, rewrite_query
from local.redshift.sql.tables import READERS, add_column, add_key, alter_sort_key, alter_type, create_table

_CACHED_LENGTH = 32_768
# Redshift's own limit of a statement.
MAX_STATEMENT_BYTES = 16 * 1024 * 1024
# https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
_PASSWORD = re.compile(r"""(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[!#-&(-.0-?A-\[\]-~]{8,64}""")
_DIGEST = re.compile(r"md5[0-9a-f]{32}")


def _append(match: Match, cursor: Cursor) -> Plan:
    values = map(quote_literal, (match["relation"], match["source"], match[""]))
    return Script(f"SELECT {SCHEMA}.append({', '.join(values)})", "ALTER TABLE APPEND")


_PLANS: dict[str, Callable[[Match, Cursor], Plan]] = {
    "copy": lambda match, cursor: parse_copy(cursor, cursor.text),
    "truncate": lambda match, cursor: Script(match.sql(), "TRUNCATE TABLE", commits=True),
    "create_table": lambda match, cursor: create_table(cursor),
    "add_key": lambda match, cursor: add_key(cursor),
    "alter_type": lambda match, cursor: alter_type(match),
    "alter_sort_key": lambda match, cursor: alter_sort_key(match),
    "append": _append,
}


def rewrite(text: str) -> tuple[Plan, ...]:
    """The plans of every statement in *text*; never raises, an unknown statement is a Refuse."""
    return _cached(text) if len(text) <= _CACHED_LENGTH else _rewrite(text)


def _rewrite(text: str) -> tuple[Plan, ...]:
    if len(text.encode(errors="replace")) > MAX_STATEMENT_BYTES:
        return (Refuse("The statement is refused: it is longer than 16 MB.", "54000"),)
    if "\0" in text:
        return (Refuse("The statement is refused: it holds a null byte.", "22021"),)
    try:
        statements = split(tokenize(text))
    except RefusedError as refused:
        return (Refuse(refused.message, refused.code),)
    return tuple(_plan(Cursor(tokens, text[tokens[0].start : tokens[-1].end])) for tokens in statements)


_cached = lru_cache(maxsize=1024)(_rewrite)


def _plan(cursor: Cursor) -> Plan:
    try:
        for _, form, *results in ALLOWED["statements"]:
            prefix, reads_on, _ = form.partition(" …")
            if match := _GRAMMAR.read(prefix, cursor, whole=not reads_on):
                cursor.position = 0
                result = "".join(results) or "{*}"
                return _PLANS[result](match, cursor) if result in _PLANS else Send(match.fill(result))
        raise cursor.refusal()
    except RefusedError as refused:
        return Refuse(refused.message, refused.code)
    except RecursionError:
        return Refuse("The statement is refused: it is nested too deeply.", "54001")


def _query(kind: str, *first: str) -> Callable[[Cursor], str]:
    def read(cursor: Cursor) -> str:
        if not any(cursor.at(word) for word in (kind, "WITH", *first)):
            raise cursor.error()
        return rewrite_query(cursor.rest(), kind)

    return read


def _late_query(cursor: Cursor) -> str:
    query = cursor.until(frozenset(("WITH",)))
    if not cursor.at("WITH"):
        raise cursor.error()
    return rewrite_query(query, late=True)


def _expression(*ends: str) -> Callable[[Cursor], str]:
    return lambda cursor: rewrite_expression(cursor.until(frozenset(ends)))


def _setting(cursor: Cursor) -> str:
    return setting_name(cursor.name())


def _shown(cursor: Cursor) -> str:
    name = cursor.name()
    return f"SHOW {name}" if name in SHARED_SETTINGS else f"SELECT {setting_value(name)} AS {quote_name(name)}"


def _value(cursor: Cursor) -> str:
    sign = "-" if cursor.accept("-") else ""
    token = cursor.next()
    if token.upper == "DEFAULT":
        return "DEFAULT"
    if token.kind not in ("string", "word", "number", "quoted"):
        raise RefusedError(f'syntax error at or near "{token.text}"', "42601")
    return quote_literal(sign + (token.text.lower() if token.kind == "word" else token.text))


def _schema_of_path(cursor: Cursor) -> str:
    token = cursor.peek()
    name = cursor.take("string") if token and token.kind == "string" else cursor.name()
    return quote_name(name) if name else "''"


def _object(cursor: Cursor) -> str:
    """A name of up to three parts, as a column's with its schema and table."""
    parts = cursor.qualified_name()
    if cursor.accept("."):
        parts = (*parts, cursor.name())
    return relation(parts)


def _password(cursor: Cursor) -> str:
    written = cursor.take("string")
    if not (_PASSWORD.fullmatch(written) or _DIGEST.fullmatch(written)):
        raise RefusedError(
            "The password is refused: it needs 8 to 64 printable characters other than ' \" \\ / @ and blanks, "
            "among them a capital, a small letter and a digit; or an MD5 digest, 'md5' and 32 hexadecimal digits.",
            "22023",
        )
    return quote_literal(written)


_GRAMMAR = Grammar(
    READERS
    | ALLOWED["forms"]
    | {
        "select": _query("SELECT", "("),
        "late_select": _late_query,
        "insert": _query("INSERT"),
        "update": _query("UPDATE"),
        "delete": _query("DELETE"),
        "condition": _expression("WHEN", "REMOVE"),
        "expression": _expression(",", ")", "WHEN"),
        "column": add_column,
        "setting": _setting,
        "shown": _shown,
        "value": _value,
        "path": _schema_of_path,
        "object": _object,
        "string": lambda cursor: quote_literal(cursor.take("string")),
        "password": _password,
    }
)
