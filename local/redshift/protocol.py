"""Framing of the PostgreSQL wire protocol, version 3: bytes to messages and back; knows no SQL and no sockets."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
AUTHENTICATION_SASL = b"\0\0\0\x0a"
# A start-up packet or a message longer than this is not one.
MAX_STARTUP_BYTES = 10_000
MAX_MESSAGE_BYTES = 1 << 30

_LENGTH = struct.Struct("!i")


class ProtocolError(Exception):
    """The peer sent bytes that are not the protocol."""


class BackendError(Exception):
    """An ErrorResponse of PostgreSQL."""

    def __init__(self, body: bytes) -> None:
        self.fields = fields_of(body)
        super().__init__(self.fields.get("M", ""))


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One message with its length in front."""
    return kind + _LENGTH.pack(len(body) + 4) + body


def text(value: str) -> bytes:
    """A zero-terminated string."""
    return value.encode() + b"\0"


def query(sql: str) -> bytes:
    """A simple Query."""
    return message(b"Q", text(sql))


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse by their letters."""
    return {chr(part[0]): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def report(kind: bytes, fields: dict[str, str]) -> bytes:
    """An ErrorResponse (E) or a NoticeResponse (N)."""
    body = b"".join(letter.encode() + text(value.replace("\0", "")) for letter, value in fields.items())
    return message(kind, body + b"\0")


def error(words: str, code: str, severity: str = "ERROR") -> bytes:
    """An ErrorResponse."""
    return report(b"E", {"S": severity, "V": severity, "C": code, "M": words})


def notice(words: str, severity: str = "INFO") -> bytes:
    """A NoticeResponse."""
    return report(b"N", {"S": severity, "V": severity, "C": "00000", "M": words})


def row_of(body: bytes) -> list[str | None]:
    """The columns of a DataRow in text format."""
    (count,) = struct.unpack_from("!h", body)
    position, columns = 2, list[str | None]()
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, position)
        position += 4
        if length < 0:
            columns.append(None)
            continue
        columns.append(body[position : position + length].decode())
        position += length
    return columns


def startup_parameters(body: bytes) -> dict[str, str]:
    """The parameters of a start-up packet, its version cut off."""
    parts = body.rstrip(b"\0").split(b"\0")
    if len(parts) == 1 and not parts[0]:
        return {}
    if len(parts) % 2:
        # The last value may be empty, and its terminator was stripped with the packet's own.
        parts.append(b"")
    decoded = [part.decode("utf-8", "replace") for part in parts]
    return dict(zip(decoded[::2], decoded[1::2], strict=True))


def startup(version: int, parameters: dict[str, str]) -> bytes:
    """A start-up packet."""
    body = _LENGTH.pack(version) + b"".join(text(k) + text(v) for k, v in parameters.items()) + b"\0"
    return _LENGTH.pack(len(body) + 4) + body


class Splitter:
    """Cuts a stream of bytes into messages, keeping neighbours that nobody must look at in one piece."""

    def __init__(self, of_interest: Iterable[bytes]) -> None:
        self._interesting = frozenset(kind[0] for kind in of_interest)
        self._buffer = b""

    def feed(self, data: bytes, every: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield (kind, whole message); runs of messages of no interest come as one with kind ``b""``."""
        buffer = self._buffer + data if self._buffer else data
        # Kept before anything is yielded: the caller may stop in between.
        position = start = 0
        size = len(buffer)
        while size - position >= 5:
            (length,) = _LENGTH.unpack_from(buffer, position + 1)
            if not 4 <= length <= MAX_MESSAGE_BYTES:
                raise ProtocolError(f"a message of {length} bytes is not the PostgreSQL protocol")
            end = position + length + 1
            if end > size:
                break
            if every or buffer[position] in self._interesting:
                if start < position:
                    yield b"", buffer[start:position]
                yield buffer[position : position + 1], buffer[position:end]
                start = end
            position = end
        if start < position:
            yield b"", buffer[start:position]
        self._buffer = buffer[position:]
