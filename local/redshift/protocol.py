"""Framing of the PostgreSQL wire protocol, version 3: bytes to messages and back; knows no SQL and opens no socket."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping

# What a packet of a connection's start begins with: version 3.x, or a request in place of a version.
VERSION_3 = b"\x00\x03"
CANCEL_REQUEST, *ENCRYPTION_REQUESTS = (struct.pack("!i", code) for code in (80877102, 80877103, 80877104))
AUTHENTICATION_SASL = b"\0\0\0\x0a"
# A longer message is not one: a statement of Redshift's has 16 MB at most.
_MOST_BYTES = 1 << 26
_DATA_ROW = ord("D")
_LENGTH = struct.Struct("!i")


class ProtocolError(Exception):
    """Why a connection ends; *code* is the SQLSTATE, at first that of bytes that are not the protocol."""

    def __init__(self, words: str, code: str = "08P01") -> None:
        super().__init__(words)
        self.code = code


class BackendError(Exception):
    """An ErrorResponse, as the client gets it."""

    def __init__(self, body: bytes) -> None:
        self.fields = fields_of(body)
        super().__init__(self.fields.get("M", ""))


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One message with its length in front; the packets of a connection's start have no kind."""
    return kind + _LENGTH.pack(len(body) + 4) + body


def text(value: str) -> bytes:
    """A zero-terminated string; half a surrogate, which UTF-8 has no bytes for, is written as an escape."""
    return value.encode(errors="backslashreplace") + b"\0"


def query(sql: str) -> bytes:
    """A simple Query."""
    return message(b"Q", text(sql))


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse by their letters."""
    return {chr(part[0]): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def report(kind: bytes, fields: Mapping[str, str]) -> bytes:
    """An ErrorResponse (E) or a NoticeResponse (N)."""
    body = b"".join(letter.encode() + text(value.replace("\0", "")) for letter, value in fields.items())
    return message(kind, body + b"\0")


def error(words: str, code: str, severity: str = "ERROR") -> bytes:
    """An ErrorResponse."""
    return report(b"E", {"S": severity, "V": severity, "C": code, "M": words})


def notice(words: str) -> bytes:
    """A NoticeResponse of the severity INFO."""
    return report(b"N", {"S": "INFO", "V": "INFO", "C": "00000", "M": words})


def rows_of(run: bytes) -> Iterator[list[str | None]]:
    """The columns of each DataRow of a run, in text format."""
    position = 0
    while position < len(run):
        (count,) = struct.unpack_from("!h", run, position + 5)
        position += 7
        columns = list[str | None]()
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(run, position)
            position += 4
            columns.append(None if length < 0 else run[position : position + length].decode())
            position += max(length, 0)
        yield columns


async def read_body(reader: asyncio.StreamReader) -> bytes:
    """Read the client's next message after its kind, which packets of a connection's start do not have."""
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    if not 4 <= length <= _MOST_BYTES:
        raise ProtocolError("these bytes are not the PostgreSQL protocol")
    return await reader.readexactly(length - 4)


def messages(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Take the messages out of what a server has sent, but for a last one that is not whole: (kind, all its bytes).

    A run of DataRows (D) comes in one piece: most results are passed on, and a look at every row would cost thrice.
    """
    start = position = 0
    while len(buffer) - position >= 5:
        end = position + 1 + _LENGTH.unpack_from(buffer, position + 1)[0]
        if end > len(buffer):
            break
        if buffer[position] != _DATA_ROW:
            if start < position:
                yield b"D", bytes(buffer[start:position])
            yield bytes(buffer[position : position + 1]), bytes(buffer[position:end])
            start = end
        position = end
    if start < position:
        yield b"D", bytes(buffer[start:position])
    del buffer[:position]
