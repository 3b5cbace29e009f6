"""Reads refused lines from the file itself, since the system views keep only a part of each."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sparkify.loading.encodings import look_of_file, look_of_line
from sparkify.loading.json_objects import json_objects
from sparkify.loading.json_values import written
from sparkify.loading.shown import masked, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparkify.loading.json_objects import JsonObject
    from sparkify.loading.source import Source

VALUE_SHOWN = 200
# What is kept of a line: as much as a VARCHAR holds.
MOST_KEPT = 65_535
# Of the objects on one line.
MOST_ON_A_LINE = 20


@dataclass(frozen=True)
class LoadError:
    """One refused line. ``line`` counts from 1.

    ``text`` is the line, or all lines of its object, as much as is kept; ``value`` is written as in the file. Both are
    None where they could not be found. ``size`` is that of the value in the file, in bytes.
    """

    file: str
    line: int
    column: str
    reason: str
    text: str | None
    value: str | None
    size: int = 0

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        field = f", column {self.column}" if self.column else ""
        value = "" if self.value is None else f", value {_cut(self.value, self.size)}"
        return shown(f"{where}{field}{value}: {self.reason}")

    def without_value(self) -> LoadError:
        """The same for those who may not see what stands in the file: where it is wrong, and why."""
        return replace(self, text=None, value=None, reason=masked(self.reason))


@dataclass(frozen=True)
class Seen:
    """A refused line as the system views show it."""

    file: str
    line: int
    column: str
    reason: str


def load_error(file: str, found: JsonObject, column: str, why: str, path: Sequence[str]) -> LoadError:
    """The error of a value of an object that was found in the file."""
    value = written(found.text, path) if path else None
    return LoadError(
        file, found.line, column, why, _text(found.text), None if value is None else _text(value), len(value or b"")
    )


def found_in(source: Source, file: str, errors: Sequence[Seen], paths: Mapping[str, Sequence[str]]) -> list[LoadError]:
    """These errors of a file with their lines, which are read up to the last of them."""
    by_line: defaultdict[int, list[Seen]] = defaultdict(list)
    for error in errors:
        by_line[error.line].append(error)
    waiting = sorted(by_line, reverse=True)
    # The objects that stand on a line, until all of them are known.
    touching: dict[int, list[JsonObject]] = {}
    broken: list[JsonObject] = []
    look = ""
    found: list[LoadError] = []

    def settle(before: int | None) -> None:
        for line in [line for line in touching if before is None or line < before]:
            found.extend(_matched(file, by_line[line], touching.pop(line), paths, look))

    with contextlib.closing(source.pieces(file)) as pieces:
        for number, one in enumerate(json_objects(pieces)):
            if not number:
                look = look_of_file(one.text)
            settle(one.first)
            while waiting and waiting[-1] <= one.last:
                line = waiting.pop()
                # Where nothing stands, what is broken before it is meant.
                touching[line] = broken if line < one.first else []
            for line, objects in touching.items():
                if one.first <= line <= one.last and len(objects) < MOST_ON_A_LINE:
                    objects.append(one)
            if not waiting and not touching:
                break
            broken = [] if one.is_json else [one]
    touching |= dict.fromkeys(waiting, broken)
    settle(None)
    return sorted(found, key=lambda error: error.line)


def _matched(
    file: str, errors: Sequence[Seen], objects: Sequence[JsonObject], paths: Mapping[str, Sequence[str]], look: str
) -> list[LoadError]:
    """The errors of one line, each with the object of that line that it can be about."""
    named = [one for one in objects if one.line == errors[0].line] or list(objects)
    matched = []
    for is_value in (True, False):
        of_kind = [error for error in errors if bool(error.column) == is_value]
        # A value is refused of an object that could be read; what is no object has no column.
        fitting = [one for one in named if one.is_json == is_value] or named
        for number, error in enumerate(of_kind):
            about = fitting[number : number + 1] if len(fitting) == len(of_kind) else fitting
            matched.append(_about(file, error, about, paths, look))
    return matched


def _about(
    file: str, error: Seen, objects: Sequence[JsonObject], paths: Mapping[str, Sequence[str]], look: str
) -> LoadError:
    """The error with the object that it is about. Where that is one of several on a line, all of them are kept."""
    one = objects[0] if objects else None
    is_one = len(objects) == 1
    if error.column and one and is_one:
        return load_error(file, one, error.column, error.reason, paths.get(error.column, (error.column,)))
    words = "" if error.column else (look_of_line(one.text) if one else "") or look
    why = f"{error.reason.rstrip('. ')}. {words}" if words else error.reason
    if one is None:
        return LoadError(file, error.line, error.column, why, None, None)
    text = _text(b" ".join(one.text for one in objects))
    # What is refused as a whole is its own value.
    value = None if error.column or (is_one and one.is_json) else text
    return LoadError(
        file, one.line if is_one else error.line, error.column, why, text, value, sum(one.size for one in objects)
    )


def _text(written_bytes: bytes) -> str:
    return written_bytes[:MOST_KEPT].decode("utf-8", "replace")


def _cut(text: str, size: int) -> str:
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({max(size, len(text)):,} bytes)"
