"""Runs statements in order, and judges each against the answer in the documentation."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from string import Template
from typing import Any

import redshift_connector

from local.errors import LocalStackError
from sparkify.loading.driver_errors import reason, sqlstate

RIGHT, REFUSED, WRONG = "right", "refused", "wrong"
# What says that a statement, or a function, a type, a table in it, is not known: it fails, and misleads nobody.
_NOT_KNOWN = {
    "0A000": "feature not supported",
    "42601": "syntax error",
    "42704": "undefined object",
    "42883": "undefined function",
    "42P01": "undefined table",
}
# The names of what a statement makes, changes or reads.
_TABLE = re.compile(r"\b(?:table|view|into|update|from|using|join)\s+(?:if (?:not )?exists\s+)?([#\w]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """``expect`` is ``ok``, ``error``, or the rows: columns joined by ``|``, rows by a line break."""

    name: str
    sql: str
    expect: str

    @property
    def changes(self) -> bool:
        """Whether it is more than a question."""
        return not self.sql.lstrip("( ").lower().startswith(("select", "with", "show"))

    @property
    def tables(self) -> set[str]:
        """The names of what it makes, changes or reads."""
        return {name.lower() for name in _TABLE.findall(self.sql)}


@dataclass(frozen=True)
class Outcome:
    """A statement, what came of it, and whether that is right, refused in words, or wrong."""

    statement: Statement
    got: str
    verdict: str


def read(file: Path, values: Mapping[str, str] | None = None) -> list[Statement]:
    """The statements of a conformance file; ``$name`` in their SQL becomes one of *values*, if any are given."""
    try:
        listed = json.loads(file.read_text())["statements"]
        statements = [Statement(one["name"], one["sql"], one["expect"]) for one in listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LocalStackError(
            f"{file} is not a conformance file ({error}). It is JSON: a list 'statements', each with name, sql, expect."
        ) from error
    if values is None:
        return statements
    return [Statement(one.name, Template(one.sql).substitute(values), one.expect) for one in statements]


def run(session: Any, statements: Sequence[Statement], *, may_refuse: bool = False) -> Iterator[Outcome]:
    """Run them all and judge each.

    :param may_refuse: what says that it does not know a statement is refused, not wrong; with it goes what rests on
        the tables that the statement would have changed.
    """
    unmade: set[str] = set()
    for statement in statements:
        got, code = _answer(session, statement.sql)
        if _agrees(statement.expect, got, failed=bool(code)):
            yield Outcome(statement, got, RIGHT)
        elif may_refuse and (code in _NOT_KNOWN or unmade & statement.tables):
            unmade |= statement.tables if statement.changes else set()
            yield Outcome(statement, got, REFUSED)
        else:
            yield Outcome(statement, got, WRONG)


def _answer(session: Any, sql: str) -> tuple[str, str]:
    """The rows as text, or the error and its SQLSTATE."""
    with contextlib.closing(session.cursor()) as cursor:
        try:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else None
        except redshift_connector.Error as error:
            if not sqlstate(error):
                raise  # the connection's, not the statement's
            return f"error {sqlstate(error)}: {reason(error)}", sqlstate(error)
    return "ok" if rows is None else "\n".join("|".join(map(str, row)) for row in rows), ""


def _agrees(expected: str, got: str, *, failed: bool) -> bool:
    if failed or expected == "error":
        return failed and expected == "error"
    if expected == "ok":
        return True
    wanted, found = expected.split("\n"), got.split("\n")
    return len(wanted) == len(found) and all(map(_same_row, wanted, found))


def _same_row(wanted: str, found: str) -> bool:
    pairs = list(zip(wanted.split("|"), found.split("|"), strict=False))
    return wanted.count("|") == found.count("|") and all(a == b or _same_number(a, b) for a, b in pairs)


def _same_number(one: str, other: str) -> bool:
    """Whether they are one number, written with more or fewer zeros."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
