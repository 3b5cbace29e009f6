"""Rows to the lines of PostgreSQL's CSV, which JSON's arrays nearly are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

# For COPY to take ``"a \"quoted\" text",1,null`` as JSON does; what is in quotes is never null.
OPTIONS = r"FORMAT csv, NULL 'null', ESCAPE '\', ENCODING 'UTF8'"
_encode = msgspec.json.Encoder().encode_lines
# No text holds a line's end, unless so escaped. (The replace() of bytes takes three times as long.)
_between = re.compile(rb"\]\n\[").sub
# A quote and a backslash are escaped alike in both.
_unlike = re.compile(rb'\\[^"\\]').search
_escapes = re.compile(rb"\\(?:u00(..)|(.))").sub
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def encode(rows: Sequence[Sequence[str | float | None]]) -> bytes:
    """The lines of some rows, each of at least one value."""
    lines = _between(b"\n", _encode(rows)[1:-2])
    if b"\\" in lines and _unlike(lines):
        lines = _escapes(_unescaped, lines)
    return lines + b"\n" if rows else b""


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else _CONTROLS.get(found[2], found[0])
