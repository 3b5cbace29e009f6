"""JSON objects out of text, each with its place: one a line, several a line, or one over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from local.redshift.load.columns import Number, ValueRefusedError, invalid_utf8

MAX_OBJECT_BYTES = 4 * 1024 * 1024
_BLANKS = " \t\r\n"
_NO_BLANK = re.compile(r"[^ \t\r\n]|\Z")
_STRUCTURE = re.compile(r"\n[\[{]")
# What tells where a broken object ends: its texts, its brackets, and the lines that begin with another object.
_PART = re.compile(r'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?|[][{}:,]|[ \t\r\n]+|[^][{}:," \t\r\n]+')
_CLOSED_BY = {"}": "{", "]": "["}
_INSTEAD = {
    "\ufeff": "a byte order mark (BOM)",
    "\x1a": "Ctrl-Z (0x1a)",
    "\0": "a null byte",
    ",": "a comma",
}


class Found(NamedTuple):
    """``line``, counted from 0, is the last of an object, but the first of one that never ends or is too large.

    ``refused`` says why it is no object; ``unfit`` says what is wrong with the bytes of it, if anything is. What is
    ``cut`` is larger than an object may be, and goes on behind the text.
    """

    line: int
    text: str
    value: dict[str, Any]
    refused: ValueRefusedError | None
    unfit: ValueRefusedError | None
    end: int
    cut: bool = False


def objects(text: str, final: bool) -> Iterator[Found]:
    """The objects of a text; if more of it is to come, without one at its end that may go on.

    Bytes that were not UTF-8 stand in the text as lone surrogates.
    """
    line = 0
    position = 0
    while (start := _next(text, position)) < len(text):
        line += text.count("\n", position, start)
        value, end, refused = _read(text, start)
        ended = refused is None or refused.ended
        if refused and end - start > MAX_OBJECT_BYTES:
            # What is too large ends with the next line that begins a structure, however it is read.
            end = _next_structure(text, start + MAX_OBJECT_BYTES)
        goes_on = refused is not None and not final and _next(text, end) == len(text)
        if goes_on and len(text) - start <= MAX_OBJECT_BYTES:
            return
        last_line = line + text.count("\n", start, end)
        found = text[start:end]
        if goes_on or _bytes(found) > MAX_OBJECT_BYTES:
            words = f"The JSON object is larger than the limit of {MAX_OBJECT_BYTES} bytes"
            refused = _BrokenError(words)
            # Its end may not have been read.
            ended = False
        yield Found(last_line if ended else line, found, value, refused, invalid_utf8(found), end, goes_on)
        line = last_line
        position = end


class _BrokenError(ValueRefusedError):
    """No object; ``ended`` says whether it has an end of its own."""

    def __init__(self, words: str, position: int = 0, *, ended: bool = True) -> None:
        super().__init__(1216, words, position)
        self.ended = ended


def _read(text: str, start: int) -> tuple[dict[str, Any], int, _BrokenError | None]:
    """What begins at a place: its value and its end, or its end and why it is no object."""
    if text[start] not in "{[":
        end = start + len(text[start : _line_end(text, start)].rstrip(_BLANKS))
        words = "Invalid JSON format: an object must begin with {"
        if text[start] in _INSTEAD:
            words += f", not with {_INSTEAD[text[start]]}"
        return {}, end, _BrokenError(words)
    try:
        value, end = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        end, ended = _end_of_broken(text, start)
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", error)
        return (
            {},
            end,
            _BrokenError(f"Invalid JSON format: {reason}", getattr(error, "pos", start) - start, ended=ended),
        )
    if isinstance(value, list):
        # https://github.com/awslabs/aws-lambda-redshift-loader/issues/113 has the words.
        words = "Invalid JSONPath format: Member is not an object. The file holds an array here."
        return {}, end, _BrokenError(words)
    return value, end, None


def _next(text: str, position: int) -> int:
    """Where the next structure, or what stands in place of one, begins."""
    match = _NO_BLANK.search(text, position)
    return match.start() if match else len(text)


def _next_structure(text: str, position: int) -> int:
    """The end of the line before the next one that begins with a structure."""
    match = _STRUCTURE.search(text, position)
    return match.start() if match else len(text)


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def _end_of_broken(text: str, start: int) -> tuple[int, bool]:
    """Where a structure that is no JSON ends, and whether its own bracket ends it.

    Without that it goes on to the line before one that begins with an object which is no value of it, or is too large.
    """
    open_brackets: list[str] = []
    count = {"{": 0, "[": 0}
    before = ""
    end = start
    for part in _PART.finditer(text, start, start + MAX_OBJECT_BYTES + 1):
        written = part[0]
        if written[0] in _BLANKS:
            is_value = before == ":" if open_brackets[-1] == "{" else before in ("[", ",")
            if written[-1] == "\n" and text.startswith("{", part.end()) and not is_value:
                return end, False
            continue
        if written in count:
            open_brackets.append(written)
            count[written] += 1
        elif count.get(opened := _CLOSED_BY.get(written, "")):
            # A bracket of the other kind that was not closed ends with it.
            while (bracket := open_brackets.pop()) != opened:
                count[bracket] -= 1
            count[opened] -= 1
            if not open_brackets:
                return part.end(), True
        before = written
        end = part.end()
    return end, False


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogateescape"))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_JSON = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_constant)
