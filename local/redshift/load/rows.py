"""JSON to PostgreSQL's CSV: whole blocks at once where that is exact, object by object where it is not."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from local.redshift.load import csv_rows
from local.redshift.load.blocks import BlockDecoder
from local.redshift.load.columns import TEXT_FLAGS, Column, ValueRefusedError, as_text, convert
from local.redshift.load.objects import objects
from local.redshift.sql.plan import Load

Path = tuple[str | int, ...]

_MOST_SHOWN = 1024
# To send is to wait for Python's lock once more, and for whoever reads from S3.
_SENT_BYTES = 1 << 20
_MULTIBYTE = re.compile(r"[^\x00-\x7f]")


class LoadFailedError(Exception):
    """The COPY fails as a whole, for a reason that is not one row's."""


class TooManyErrorsError(Exception):
    """As many rows were refused as MAXERROR says."""


class RowEncoder:
    """Turns files into lines of CSV.

    :param paths: where each column's value is in an object.
    :param errors: takes what is wrong with refused objects, by the columns of the table of load errors.
    """

    def __init__(self, columns: list[Column], paths: list[Path], load: Load, errors: list[dict[str, object]]) -> None:
        conversions = [partial(convert, column, load) for column in columns]
        self._steps = list(zip(columns, paths, conversions, strict=True))
        self._fold = load.json_paths == "auto ignorecase"
        self._most_errors = max(1, load.max_errors)
        self._blocks: BlockDecoder | None = None
        if not self._fold and len(set(paths)) == len(paths) and all(len(path) == 1 for path in paths):
            texts_change = bool(load.flags & TEXT_FLAGS)
            self._blocks = BlockDecoder(columns, [str(path[0]) for path in paths], conversions, texts_change)
        self._errors = errors
        self._out = bytearray()
        self.rows = 0

    def encode(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> Generator[bytes]:
        """Encode files, each its address and its bytes block by block, for COPY with these OPTIONS of CSV.

        Gives nothing, but something all the same, while there is too little to send.

        Raise TooManyErrorsError, and whatever the blocks raise.
        """
        for uri, blocks in files:
            line = 1
            rest = b""
            for block in itertools.chain(blocks, (b"",)):
                text = rest + block
                final = not block
                # A line that begins with a brace mostly begins an object.
                end = len(text) if final else text.rfind(b"\n{") + 1
                rows = self._blocks.decode(text[:end]) if self._blocks and end else None
                if rows is None:
                    end = self._write_each(uri, line, text, final)
                else:
                    self._write(rows)
                done = text[:end]
                rest = text[end:]
                # count() takes ten times as long.
                line += end - len(done.replace(b"\n", b""))
                # Whoever asks may have to stop meanwhile.
                sent = bytes(self._out) if len(self._out) >= _SENT_BYTES else b""
                yield sent
                del self._out[: len(sent)]
        yield bytes(self._out)

    def _write(self, rows: list[Any]) -> None:
        self._out += csv_rows.encode(rows)
        self.rows += len(rows)

    def _write_each(self, uri: str, first_line: int, raw: bytes, final: bool) -> int:
        """Write the objects of a text one by one; returns where what is left of it begins."""
        end = 0
        text = raw.decode(errors="surrogateescape")
        for found in objects(text, final):
            column: Column | None = None
            value: Any = None
            row: list[str | float | None] = []
            try:
                if found.refused:
                    raise found.refused
                names = {name.lower(): item for name, item in found.value.items()} if self._fold else found.value
                for step in self._steps:
                    column, path, converted = step
                    value = _at(names, path)
                    row.append(converted(value))
            except ValueRefusedError as refused:
                self._errors.append(
                    {
                        "file_name": uri,
                        "line_number": first_line + found.line,
                        "position": refused.position,
                        "column_name": column.name if column else "",
                        "column_type": column.type.replace("bpchar", "char") if column else "",
                        "column_length": column.length or "" if column else "",
                        "raw_line": _shown(found.text),
                        "raw_field_value": _shown(value),
                        "error_code": refused.code,
                        "error_message": _shown(refused.words),
                    }
                )
                if len(self._errors) >= self._most_errors:
                    raise TooManyErrorsError from None
            else:
                self._write([row])
            end = found.end
        return len(text[:end].encode(errors="surrogateescape")) if text[end:].strip(" \t\r\n") else len(raw)


def _at(decoded: Any, path: Path) -> Any:
    try:
        for step in path:
            decoded = decoded[step]
    except (KeyError, IndexError, TypeError):
        return None
    return decoded


def _shown(value: Any) -> str:
    """A value as a text for a system table, which shows multi-byte characters as a period."""
    with contextlib.suppress(ValueRefusedError):
        return _MULTIBYTE.sub(".", ("" if value is None else as_text(value))[:_MOST_SHOWN].replace("\0", " "))
    return ""
