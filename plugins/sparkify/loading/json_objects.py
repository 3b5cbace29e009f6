"""The objects of a file with their lines, in little memory, as COPY reads them: one structure after another.

COPY counts lines by LF, names the last line of an object that it refuses, and loads none of more than 4 MB
(https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html,
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

MOST_BYTES = 4 * 1024 * 1024
BLANKS = b" \t\r\n"
MOST_BLANKS = 1024
OPENED_BY = {ord("}"): ord("{"), ord("]"): ord("[")}
NO_BLANK = re.compile(rb"[^ \t\r\n]")
# A text, which ends with its line at the latest, or brackets.
PART = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\[+|\{+|[\]}]', re.DOTALL)
# Keeps nothing of an object, and so takes no memory for it.
_read = msgspec.json.Decoder(msgspec.defstruct("Anything", [])).decode


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object of a file, or what stands where one should begin.

    ``text`` is without the blanks around it; of more than :data:`MOST_BYTES` only the beginning. ``size`` in bytes.
    ``first`` and ``last`` line count from 1. ``ended`` is false for what has no closing bracket or is too large.
    """

    text: bytes
    size: int
    first: int
    last: int
    ended: bool

    @property
    def line(self) -> int:
        """The line by which it is named: its last, or its first if it never ends."""
        return self.last if self.ended else self.first

    @property
    def is_json(self) -> bool:
        """Whether it is one JSON object, small enough to be loaded."""
        return self.ended and is_json_object(self.text)


def is_json_object(text: bytes) -> bool:
    """Whether a text is one JSON object and nothing else."""
    try:
        _read(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def json_objects(pieces: Iterable[bytes]) -> Iterator[JsonObject]:
    """The objects of a file that comes in pieces; each is yielded when its last line was read."""
    open_object: _OpenObject | None = None
    for number, line, size in _lines(pieces):
        position = 0
        if open_object:
            if open_object.ends_before(line):
                yield open_object.closed()
                open_object = None
            else:
                position = open_object.take(number, line, size, 0)
                if position < 0:
                    continue
                yield open_object.closed()
                open_object = None
        while begin := NO_BLANK.search(line, position):
            start = begin.start()
            if line[start] in b"{[":
                text = line[start:].rstrip(BLANKS)
                # Nearly every object is a line.
                if size <= MOST_BYTES and is_json_object(text):
                    yield JsonObject(text, len(text), number, number, ended=True)
                    break
                open_object = _OpenObject(number)
                position = open_object.take(number, line, size, start)
                if position < 0:
                    break
                yield open_object.closed()
                open_object = None
            else:
                text = line[start:].rstrip(BLANKS)
                whole = len(text) if size == len(line) else size - start
                yield JsonObject(text[:MOST_BYTES], whole, number, number, ended=True)
                break
    if open_object:
        yield open_object.closed()


class _OpenObject:
    """A structure whose closing bracket was not met yet."""

    def __init__(self, first: int) -> None:
        self._first = self._last = self._number = first
        self._parts: list[bytes] = []
        self._kept = 0
        self._size = 0
        self._blank = 0
        self._opened = bytearray()
        self._open = {ord("{"): 0, ord("["): 0}
        self._before = 0
        self._ended = False

    def ends_before(self, line: bytes) -> bool:
        """Whether the line begins an object that can be no value of this one, or comes after too much of it."""
        if self._size > MOST_BYTES:
            return line[:1] in (b"{", b"[")
        return line.startswith(b"{") and self._before not in (b":" if self._opened[-1:] == b"{" else b"[,")

    def take(self, number: int, line: bytes, size: int, start: int) -> int:
        """Take the line from ``start`` on; returns where the structure ends in it, or -1 if it goes on."""
        if self._size > MOST_BYTES:
            self._add(number, b"", size)
            return -1
        end = self._end(line, start)
        if end < 0:
            self._add(number, line[start:], size - start)
        else:
            self._add(number, line[start:end], end - start)
            self._ended = self._size <= MOST_BYTES
        return end

    def closed(self) -> JsonObject:
        """As it is, whether it ended or not."""
        text = b"".join(self._parts)[:MOST_BYTES]
        return JsonObject(text.rstrip(BLANKS), self._size, self._first, self._last, self._ended)

    def _add(self, number: int, line: bytes, size: int) -> None:
        # Blanks and empty lines count if something follows them.
        self._blank += number - self._number
        blank = size - len(line.rstrip(BLANKS)) if size == len(line) else 0
        if size > blank:
            self._size += self._blank + size - blank
            self._blank = 0
            self._last = number
        self._blank += blank
        if self._kept <= MOST_BYTES:
            self._parts.append(b"\n" * min(number - self._number, MOST_BYTES) + line)
            self._kept += len(self._parts[-1])
        self._number = number

    def _end(self, line: bytes, start: int) -> int:
        opened = self._opened
        count = self._open
        part = None
        for part in PART.finditer(line, start):
            bracket = line[part.start()]
            if bracket in b"{[":
                opened += part[0]
                count[bracket] += len(part[0])
            elif (opening := OPENED_BY.get(bracket)) and count[opening]:
                # What was opened within it and not closed ends with it.
                while (inner := opened.pop()) != opening:
                    count[inner] -= 1
                count[opening] -= 1
                if not opened:
                    return part.end()
        text = line.rstrip(BLANKS)
        if part and line[part.start()] == ord('"') and part.end() >= len(text):
            self._before = ord('"')
        elif len(text) > start:
            self._before = text[-1]
        return -1


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes, int]]:
    """Each line that is not empty, up to a byte more than :data:`MOST_BYTES` of it, its number and its whole size."""
    number = 1
    parts: list[bytes] = []
    kept = size = 0
    for piece in pieces:
        if not size and len(piece) > MOST_BLANKS and b"\n" in piece and not piece.strip(BLANKS):
            # Only the last of so many empty lines is taken for one.
            number += piece.count(b"\n")
            piece = piece[piece.rindex(b"\n") + 1 :]
        for index, part in enumerate(piece.split(b"\n")):
            if index:
                if size:
                    yield number, b"".join(parts), size
                    parts, kept, size = [], 0, 0
                number += 1
            if part:
                if kept <= MOST_BYTES:
                    parts.append(part[: MOST_BYTES + 1 - kept])
                    kept += len(parts[-1])
                size += len(part)
    if size:
        yield number, b"".join(parts), size
