"""JSON to PostgreSQL's binary rows: whole blocks at once where that is exact, object by object where it is not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from psycopg import adapters, pq

# The formatter of psycopg's own COPY. It has no public name: Copy.write_row() would have the rows go into a connection
# of psycopg's, not into the client's session; and in Python, as psycopg has it too, packing takes four times as long.
from psycopg._copy_base import format_row_binary
from psycopg.adapt import Transformer

from local.redshift.load.blocks import BlockDecoder
from local.redshift.load.columns import TEXT_TYPES, Column, ValueRefusedError, as_text, convert
from local.redshift.load.objects import objects
from local.redshift.sql.plan import Load

Path = tuple[str | int, ...]

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# What psycopg dumps these types' values as: decimals come packed already.
_OIDS = {**dict.fromkeys(TEXT_TYPES, adapters.types["text"].oid), "numeric": adapters.types["bytea"].oid}
_CHUNK_BYTES = 1 << 18
_MOST_SHOWN = 1024
_MULTIBYTE = re.compile(r"[^\x00-\x7f]")


class LoadFailedError(Exception):
    """The COPY fails as a whole, for a reason that is not one row's."""


class TooManyErrorsError(Exception):
    """As many rows were refused as MAXERROR says."""


class RowEncoder:
    """Turns files into binary rows.

    :param paths: where each column's value is in an object.
    :param errors: takes what is wrong with refused objects, by the columns of the table of load errors.
    """

    def __init__(self, columns: list[Column], paths: list[Path], load: Load, errors: list[dict[str, object]]) -> None:
        conversions = [partial(convert, column, load) for column in columns]
        self._steps = list(zip(columns, paths, conversions, strict=True))
        self._fold, self._most_errors = load.json_paths == "auto ignorecase", max(1, load.max_errors)
        self._transformer = Transformer()
        self._transformer.set_dumper_types([_OIDS.get(one.type, one.oid) for one in columns], pq.Format.BINARY)
        self._blocks: BlockDecoder | None = None
        if not self._fold and len(set(paths)) == len(paths) and all(len(path) == 1 for path in paths):
            self._blocks = BlockDecoder(columns, [str(path[0]) for path in paths], conversions, bool(load.flags))
        self._errors, self._out = errors, bytearray(_HEADER)
        self.rows = 0

    def encode(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> Generator[bytes]:
        """Encode files, each its address and its bytes block by block, for COPY … (FORMAT binary).

        Raise TooManyErrorsError, and whatever the blocks raise.
        """
        for uri, blocks in files:
            line, rest = 1, b""
            for block in itertools.chain(blocks, (b"",)):
                text, final = rest + block, not block
                # A line that begins with a brace mostly begins an object.
                end = len(text) if final else text.rfind(b"\n{") + 1
                if not end or not self._write_all(text[:end]):
                    end = self._write_each(uri, line, text, final)
                line, rest = line + text.count(b"\n", 0, end), text[end:]
                if len(self._out) >= _CHUNK_BYTES:
                    yield bytes(self._out)
                    self._out.clear()
        yield bytes(self._out) + _TRAILER

    def _write_all(self, text: bytes) -> bool:
        rows = self._blocks.decode(text) if self._blocks else None
        for row in rows or ():
            format_row_binary(row, self._transformer, self._out)
        self.rows += len(rows or ())
        return rows is not None

    def _write_each(self, uri: str, first_line: int, raw: bytes, final: bool) -> int:
        """Write the objects of a text one by one; returns where what is left of it begins."""
        end, text = 0, raw.decode(errors="surrogateescape")
        for found in objects(text, final):
            column, value, row = None, None, []
            try:
                if found.refused:
                    raise found.refused
                names = {name.lower(): item for name, item in found.value.items()} if self._fold else found.value
                for step in self._steps:
                    column, path, converted = step
                    value = _at(names, path)
                    row.append(converted(value))
            except ValueRefusedError as refused:
                self._errors.append({
                    "file_name": uri, "line_number": first_line + found.line, "position": refused.position,
                    "column_name": column.name if column else "",
                    "column_type": column.type.replace("bpchar", "char") if column else "",
                    "column_length": column.length or "" if column else "",
                    "raw_line": _shown(found.text), "raw_field_value": _shown(_field(value)),
                    "error_code": refused.code, "error_message": _shown(refused.words),
                })  # fmt: skip
                if len(self._errors) >= self._most_errors:
                    raise TooManyErrorsError from None
            else:
                format_row_binary(row, self._transformer, self._out)
                self.rows += 1
            end = found.end
        return len(text[:end].encode(errors="surrogateescape")) if text[end:].strip(" \t\r\n") else len(raw)


def _at(decoded: Any, path: Path) -> Any:
    try:
        for step in path:
            decoded = decoded[step]
    except (KeyError, IndexError, TypeError):
        return None
    return decoded


def _field(value: Any) -> str:
    try:
        return "" if value is None else as_text(value)
    except ValueRefusedError:
        return ""


def _shown(text: str) -> str:
    """Text for a system table, which shows multi-byte characters as a period."""
    return _MULTIBYTE.sub(".", text[:_MOST_SHOWN].replace("\0", " "))
