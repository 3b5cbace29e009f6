"""JSON objects out of text, each with its place: one a line, several a line, or one over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from local.redshift.load.columns import Number, ValueRefusedError

MAX_OBJECT_BYTES = 4 * 1024 * 1024
_NO_BLANK = re.compile(r"[^ \t\r\n]|\Z")
_LINE_END = re.compile(r"\n|\Z")
# Where a broken object ends: the next begins a line, and is not the value of something.
_NEXT_OBJECT = re.compile(r"(?<=[^\s{\[:,])\s*\n(?=\{)|\Z")


class Found(NamedTuple):
    """``line`` is the last line of the object, counted from 0; either it was refused or it has a value."""

    line: int
    text: str
    value: dict[str, Any]
    refused: ValueRefusedError | None
    end: int


def objects(text: str, final: bool) -> Iterator[Found]:
    """The objects of a text; if more of it is to come, without one at its end that may go on.

    Bytes that were not UTF-8 stand in the text as lone surrogates.
    """
    line = 0
    position = 0
    while (start := _found(_NO_BLANK, text, position)) < len(text):
        value: dict[str, Any] = {}
        refused: ValueRefusedError | None = None
        try:
            if text[start] != "{":
                end = _found(_LINE_END, text, start)
                refused = ValueRefusedError(1216, "Invalid JSON format: an object must begin with {")
            else:
                value, end = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            end = _found(_NEXT_OBJECT, text, start)
            refused = ValueRefusedError(1216, f"Invalid JSON format: {getattr(error, 'msg', error)}")
        if refused and end == len(text) and not final and end - start <= MAX_OBJECT_BYTES:
            return
        line += text.count("\n", position, end)
        found = text[start:end]
        yield Found(line, found, value, _unfit(found) or refused, end)
        position = end


def _found(what: re.Pattern[str], text: str, position: int) -> int:
    match = what.search(text, position)
    return match.start() if match else len(text)


def _unfit(text: str) -> ValueRefusedError | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as bad:
        sequence = text[bad.start : bad.end].encode(errors="surrogateescape").hex(" ")
        words = f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {sequence}"
        return ValueRefusedError(1220, words, bad.start)
    if size > MAX_OBJECT_BYTES:
        return ValueRefusedError(1216, f"The JSON object is larger than the limit of {MAX_OBJECT_BYTES} bytes")
    return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _integer(written: str) -> Number:
    # msgspec knows no negative zero that is an integer, and blocks are read by it.
    return Number("0" if written == "-0" else written)


_JSON = json.JSONDecoder(parse_float=Number, parse_int=_integer, parse_constant=_no_constant)
