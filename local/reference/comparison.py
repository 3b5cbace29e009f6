"""Compares two sets of rows, with examples of the differences."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Row: TypeAlias = tuple[Any, ...]


@dataclass
class Differences:
    """What a table holds too little, too much and otherwise; empty (false) if nothing."""

    missing: int = 0
    surplus: int = 0
    differing: int = 0
    missing_examples: list[Row] = field(default_factory=list)
    surplus_examples: list[Row] = field(default_factory=list)
    differing_examples: list[tuple[Row, Row]] = field(default_factory=list)
    """Pairs of the expected and the actual row of one key."""
    key: tuple[int, ...] = ()
    """Positions of the columns by which rows were compared."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.differing)

    def lines(self, columns: Sequence[str]) -> Iterator[str]:
        """The differences in words, a line each: the numbers, then the examples."""
        if not self:
            yield "equal"
            return
        yield f"{self.missing} missing, {self.surplus} surplus, {self.differing} differing"
        for expected, actual in self.differing_examples:
            where = ", ".join(f"{columns[position]} {expected[position]}" for position in self.key)
            what = "; ".join(
                f"{column} should be {_shown(wanted)}, is {_shown(found)}"
                for column, wanted, found in zip(columns, expected, actual, strict=True)
                if wanted != found
            )
            yield f"differs: {where}: {what}"
        for word, examples in (("missing", self.missing_examples), ("surplus", self.surplus_examples)):
            for row in examples:
                values = zip(columns, row, strict=True)
                yield f"{word}: " + ", ".join(f"{c} {_shown(v)}" for c, v in values)


def differences(
    expected: Iterable[Row],
    actual: Iterable[Row],
    key: Sequence[int] = (),
    *,
    examples: int = 5,
) -> Differences:
    """Compare two multisets of rows.

    :param expected: the rows there must be.
    :param actual: the rows there are; read once, so a database cursor will do.
    :param key: positions of the columns that identify a row. A missing and a surplus row of one key are
        told as one that differs. Without a key a row is there or it is not.
    :param examples: how many examples of each kind to keep; the smallest by key, so that two
        comparisons of the same rows tell the same.
    """
    missing = Counter(map(tuple, expected))
    surplus: list[Row] = []
    for row in map(tuple, actual):
        if missing.get(row, 0):
            missing[row] -= 1
        else:
            surplus.append(row)
    lacking = list(missing.elements())

    pairs: list[tuple[Row, Row]] = []
    if key:
        lacking, surplus, pairs = _paired(lacking, surplus, key)
    return Differences(
        missing=len(lacking),
        surplus=len(surplus),
        differing=len(pairs),
        missing_examples=heapq.nsmallest(examples, lacking, _order),
        surplus_examples=heapq.nsmallest(examples, surplus, _order),
        differing_examples=pairs[:examples],
        key=tuple(key),
    )


def _paired(
    lacking: list[Row], surplus: list[Row], key: Sequence[int]
) -> tuple[list[Row], list[Row], list[tuple[Row, Row]]]:
    """Rows that are missing, rows that are surplus, and pairs that share a key."""
    unpaired: dict[Hashable, list[Row]] = {}
    for row in surplus:
        unpaired.setdefault(_key(row, key), []).append(row)
    still_lacking: list[Row] = []
    may_pair: list[Row] = []
    for row in lacking:
        (may_pair if _key(row, key) in unpaired else still_lacking).append(row)
    # Only rows that may pair need an order: sorting all of a table that is empty takes gigabytes.
    for row_key in {_key(row, key) for row in may_pair}:
        unpaired[row_key].sort(key=_order, reverse=True)
    pairs = []
    for row in sorted(may_pair, key=_order):
        candidates = unpaired.get(_key(row, key))
        if candidates:
            pairs.append((row, candidates.pop()))
        else:
            still_lacking.append(row)
    return still_lacking, [row for rows in unpaired.values() for row in rows], pairs


def _key(row: Row, key: Sequence[int]) -> Hashable:
    return tuple(row[position] for position in key)


def _order(row: Row) -> tuple[tuple[bool, str, Any], ...]:
    # A surplus row may hold a value of another type than its column should; the type's name keeps
    # such rows comparable.
    return tuple((value is None, type(value).__name__, value) for value in row)


def _shown(value: object) -> str:
    return "null" if value is None else repr(value) if isinstance(value, str) else str(value)
