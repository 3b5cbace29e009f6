"""Compares every table, and reports the differences on one screen."""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.reference import COLUMNS, KEYS, Differences, Tables, differences
from local.verification.warehouse import Slice, Warehouse


@dataclass(frozen=True)
class Finding:
    """How one table compares."""

    table: str
    expected: int
    there: int
    differences: Differences


def compare(
    expected: Tables,
    warehouse: Warehouse,
    slices: dict[str, list[Slice]],
    examples: int,
    progress: Callable[[int, int], None],
) -> list[Finding]:
    """Compare each table's rows with those that are there, as counted in *slices*."""
    there = {table: sum(part.rows for part in slices[table]) for table in COLUMNS}
    total, read = sum(there.values()), 0

    def parts(table: str) -> Iterator[list[tuple[Any, ...]]]:
        nonlocal read
        for part in slices[table]:
            yield warehouse.rows(table, part)
            read += part.rows
            progress(read, total)

    findings = []
    for table, columns in COLUMNS.items():
        key = [columns.index(column) for column in KEYS[table]]
        rows = itertools.chain.from_iterable(parts(table))
        found = differences(expected.rows(table), rows, key, examples=examples)
        findings.append(Finding(table, len(expected.rows(table)), there[table], found))
    return findings


def report(findings: Sequence[Finding]) -> Iterator[str]:
    """A line a table, then the examples of those that differ, then the verdict."""
    yield f"{'table':14} {'expected':>11} {'there':>11} {'missing':>11} {'surplus':>11} {'differing':>11}"
    for one in findings:
        found = one.differences
        counts = (one.expected, one.there, found.missing, found.surplus, found.differing)
        verdict = "" if found else "  equal"
        yield f"{one.table:14} " + " ".join(f"{count:>11,}" for count in counts) + verdict
    differing = [one for one in findings if one.differences]
    for one in differing:
        yield ""
        yield one.table
        # The first line repeats the numbers.
        for line in list(one.differences.lines(COLUMNS[one.table]))[1:]:
            yield f"  {line}"
    yield ""
    if differing:
        yield f"{len(differing)} of {len(findings)} tables differ: {', '.join(one.table for one in differing)}."
    else:
        yield f"All {len(findings)} tables are equal to the files."


@contextlib.contextmanager
def no_cycle_search() -> Iterator[None]:
    """Do without Python's search for cycles, which would walk through all rows again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
