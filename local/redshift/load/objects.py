"""JSON objects out of lines of bytes: one a line, several a line, or one over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_OBJECT_BYTES = 4 * 1024 * 1024
_MARKS = re.compile(rb'["\\{}]')
_IN_STRING = re.compile(rb'["\\]')
# After one of these an object goes on in the next line.
_OPEN_ENDS = b"{[:,"


class ObjectReader:
    """Feed it lines; it yields (number of the object's last line, its bytes, what is wrong with it or "")."""

    def __init__(self) -> None:
        self.line = 0
        self._parts: list[bytes] = []
        self._depth = 0
        self._size = 0

    @property
    def pending(self) -> bool:
        """Whether an object has begun and not ended."""
        return self._depth > 0

    def feed(self, line: bytes) -> Iterator[tuple[int, bytes, str]]:
        """Take one line without its line feed."""
        self.line += 1
        if self._depth and self._restarts(line):
            yield self._broken("Invalid JSON object: it does not end", self.line - 1)
        position = 0
        while position < len(line):
            if not self._depth:
                rest = line[position:].lstrip()
                if not rest:
                    return
                position = len(line) - len(rest)
                if rest[:1] != b"{":
                    yield self.line, rest, "Invalid JSON format: an object must begin with {"
                    return
            end = self._scan(line, position)
            if end < -1:
                self._parts.append(line[position:])
                yield self._broken("Invalid JSON format: a text is not closed in its line", self.line)
                return
            piece = line[position:] if end < 0 else line[position:end]
            self._parts.append(piece)
            self._size += len(piece)
            if self._size > MAX_OBJECT_BYTES:
                yield self._broken("The JSON object is larger than the limit of 4194304 bytes", self.line)
                return
            if end < 0:
                return
            yield self.line, b"\n".join(self._parts), ""
            self._forget()
            position = end

    def finish(self) -> Iterator[tuple[int, bytes, str]]:
        """Report an object that the file ends within."""
        if self._depth:
            yield self._broken("Invalid JSON object: the file ends within it", self.line)

    def _restarts(self, line: bytes) -> bool:
        before = next((part.rstrip() for part in reversed(self._parts) if part.strip()), b"")
        return line.startswith(b"{") and before[-1:] not in _OPEN_ENDS

    def _scan(self, line: bytes, position: int) -> int:
        """The end of the object that *position* is in; -1 if it goes on, -2 if a text is left open."""
        quoted = False
        while match := (_IN_STRING if quoted else _MARKS).search(line, position):
            mark, position = match.group(), match.end()
            if mark == b"\\":
                position += 1
            elif mark == b'"':
                quoted = not quoted
            else:
                self._depth += 1 if mark == b"{" else -1
                if not self._depth:
                    return position
        return -2 if quoted else -1

    def _broken(self, reason: str, line: int) -> tuple[int, bytes, str]:
        found = line, b"\n".join(self._parts), reason
        self._forget()
        return found

    def _forget(self) -> None:
        self._parts, self._depth, self._size = [], 0, 0
