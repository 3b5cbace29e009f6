"""Runs one statement in the warehouse through Amazon's driver, and writes its rows for people or programs."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redshift_connector

from local.errors import LocalStackError
from local.stack.connections import redshift_arguments
from local.stack.home import Home
from sparkify.loading.driver_errors import reason, sqlstate
from sparkify.loading.shown import shown, shown_json

FORMATS = ("table", "csv", "json")
_EXACT_DIGITS = 15
_UNDEFINED_TABLE = "42P01"
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@")


class NoSuchTableError(LocalStackError):
    """A table that a statement names is not there."""


@dataclass(frozen=True)
class Result:
    """The rows of a statement; `columns` is empty for one that returns none."""

    columns: list[str]
    rows: list[Sequence[Any]]
    affected: int


def run(home: Home, statement: str) -> Result:
    """Run a statement in a transaction of its own."""
    try:
        connection = redshift_connector.connect(**redshift_arguments(home))
    except (redshift_connector.Error, OSError) as error:
        raise LocalStackError(
            f"The warehouse does not answer ({reason(error)}). Start it with `python -m local up`."
        ) from error
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        if not cursor.description:
            return Result([], [], cursor.rowcount)
        names = [_text(column[0]) for column in cursor.description]
        return Result(names, list(cursor.fetchall()), cursor.rowcount)
    except redshift_connector.Error as error:
        kind = NoSuchTableError if sqlstate(error) == _UNDEFINED_TABLE else LocalStackError
        raise kind(f"The warehouse refused the statement: {reason(error)}") from error
    finally:
        connection.close()


def formatted(result: Result, style: str) -> str:
    """Return the result as a table, CSV with a header, or a JSON list of objects.

    Table and CSV show what a terminal would obey as escapes. In CSV a text that a spreadsheet would take for a formula
    has an apostrophe before it (https://owasp.org/www-community/attacks/CSV_Injection). JSON keeps every value exact.
    """
    if not result.columns:
        done = "Done." if result.affected < 0 else f"Done, {result.affected} rows."
        return {"table": done, "csv": "", "json": "[]"}[style]
    if style == "json":
        objects = [dict(zip(result.columns, map(_json_value, row), strict=True)) for row in result.rows]
        return shown_json(json.dumps(objects, indent=1, ensure_ascii=False))
    if style == "csv":
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(map(_cell, result.columns))
        writer.writerows(map(_cell, row) for row in result.rows)
        return output.getvalue().removesuffix("\n")
    return _table(result)


def _table(result: Result) -> str:
    names = [shown(name) for name in result.columns]
    cells = [[shown(_text(value)) for value in row] for row in result.rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    numeric = [
        all(isinstance(value, int | float | decimal.Decimal) for value in column if value is not None)
        for column in zip(*result.rows, strict=True)
    ] or [False] * len(widths)

    def line(values: Sequence[str]) -> str:
        padded = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * width for width in widths)
    count = f"({len(cells)} row{'' if len(cells) == 1 else 's'})"
    return "\n".join([line(names), rule, *map(line, cells), count])


def _cell(value: Any) -> str:
    text = shown(_text(value))
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        # A double holds that many digits exactly; a longer number is better a text than a wrong number.
        return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else _text(value)
