"""Times in epoch milliseconds, and those that cannot be meant: another unit, or somebody's default date."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from sparkify.loading.json_objects import json_objects
from sparkify.loading.json_values import written
from sparkify.loading.refused_lines import LoadError, load_error
from sparkify.loading.warehouse import quoted

if TYPE_CHECKING:
    from sparkify.loading.source import Source, SourceFile
    from sparkify.loading.warehouse import Warehouse

# 2000-01-01 and 2100-01-01, midnight UTC.
FIRST, END = 946_684_800_000, 4_102_444_800_000
SPAN = "2000-01-01 to 2100-01-01 UTC"
# How many of a unit make a millisecond.
UNITS = {"seconds": Decimal("0.001"), "microseconds": Decimal(1000), "nanoseconds": Decimal(1_000_000)}
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")


def is_outside(column: str) -> str:
    """A condition that holds for the times of ``column`` that lie outside of the span; null is none of them."""
    return f"({quoted(column)} < {FIRST} or {quoted(column)} >= {END})"


def why_outside(column: str, time: int) -> str:
    """What is wrong with a time that lies outside of the span, in words."""
    for unit, factor in UNITS.items():
        if FIRST <= time / factor < END:
            return f"{column} {time} looks like {unit}"
    return f"{column} {time} lies outside {SPAN}"


def count_outside(warehouse: Warehouse, table: str, column: str, partition: str) -> dict[str, int]:
    """How many rows of ``table`` have a time outside of the span, by partition; only of those that have some."""
    where = is_outside(column)
    query = f"select {partition}, count(*) from {table} where {where} group by {partition} order by {partition}"
    return {str(value): int(count) for value, count in warehouse.rows(query)}


def lines_outside(
    source: Source, file: SourceFile, column: str, path: Sequence[str], refused: Iterable[LoadError]
) -> Iterator[LoadError]:
    """The lines of a file whose time lies outside of the span.

    :param path: the names that lead to the time in an object of the file.
    :param refused: the lines that COPY refused already; they are no rows.
    """
    no_rows = Counter((error.line, error.text) for error in refused if error.file == file.url)
    with contextlib.closing(source.pieces(file.url)) as pieces:
        for one in json_objects(pieces):
            value = written(one.text, path)
            time = None if value is None else _as_time(value)
            if time is None or FIRST <= time < END:
                continue
            error = load_error(file.url, one, column, why_outside(column, time), path)
            if no_rows[error.line, error.text]:
                no_rows[error.line, error.text] -= 1
            else:
                yield error


def _as_time(value: bytes) -> int | None:
    """The number that COPY makes of a value, quoted or not."""
    text = value.decode("utf-8", "replace")
    if text.startswith('"'):
        with contextlib.suppress(ValueError):
            text = str(json.loads(text)).strip()
    return int(Decimal(text)) if len(text) < 40 and NUMBER.fullmatch(text) else None
