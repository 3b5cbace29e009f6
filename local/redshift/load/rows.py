"""JSON to PostgreSQL's CSV: whole blocks at once where that is exact, object by object where it is not."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from typing import Any

from local.redshift.load import csv_rows
from local.redshift.load.blocks import BlockDecoder
from local.redshift.load.columns import TEXT_FLAGS, Column, ValueRefusedError, as_text, convert
from local.redshift.load.encodings import foreign_bytes
from local.redshift.load.objects import objects
from local.redshift.sql.plan import Load

Path = tuple[str | int, ...]

_MOST_SHOWN = 1024
# Each send waits for Python's lock, and for the thread that reads from S3.
_SENT_BYTES = 1 << 20
_MULTIBYTE = re.compile(r"[^\x00-\x7f]")
_NEXT_STRUCTURE = re.compile(rb"\n[\[{]")


class LoadFailedError(Exception):
    """The COPY fails as a whole, for a reason that is not one row's."""


class RefusedDataError(Exception):
    """The COPY fails for what stands in its files; its errors say what."""


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

        Raise RefusedDataError, and whatever the blocks raise.
        """
        for uri, blocks in files:
            yield from self._encode_file(uri, blocks)
        yield bytes(self._out)

    def _encode_file(self, uri: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        line = 1
        rest = b""
        wanted = 0
        first = True
        skipping = False
        for block in itertools.chain(blocks, (b"",)):
            if first and (foreign := foreign_bytes(block)):
                self._refuse(foreign, uri, line, block.decode(errors="surrogateescape"))
                raise RefusedDataError
            first = False
            final = not block
            rest += block
            if skipping:
                skipped = _rest_of_cut(rest)
                line += rest.count(b"\n", 0, skipped)
                rest = rest[skipped:]
                skipping = not rest.strip(b"\n")
            # What goes on is read again only when there is twice as much of it, so that no file is read forever.
            if final or (not skipping and len(rest) >= wanted):
                end, skipping = self._encode_text(uri, line, rest, final)
                done = rest[:end]
                rest = rest[end:]
                wanted = 2 * len(rest)
                # count() takes ten times as long.
                line += end - len(done.replace(b"\n", b""))
            # The caller may have to stop meanwhile.
            sent = bytes(self._out) if len(self._out) >= _SENT_BYTES else b""
            yield sent
            del self._out[: len(sent)]

    def _encode_text(self, uri: str, line: int, text: bytes, final: bool) -> tuple[int, bool]:
        """Encode what is whole of a text; returns where the rest begins, and whether that is of a cut object."""
        # A line that begins with a brace mostly begins an object.
        end = len(text) if final else text.rfind(b"\n{") + 1
        rows = self._blocks.decode(text[:end]) if self._blocks and end else None
        if rows is None:
            return self._write_each(uri, line, text, final)
        self._write(rows)
        return end, False

    def _write(self, rows: list[Any]) -> None:
        self._out += csv_rows.encode(rows)
        self.rows += len(rows)

    def _write_each(self, uri: str, first_line: int, raw: bytes, final: bool) -> tuple[int, bool]:
        """Encode the objects of a text one by one; returns what _encode_text() does."""
        end = 0
        cut = False
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
                if found.unfit:
                    column = None
                    value = None
                    raise found.unfit
            except ValueRefusedError as refused:
                # The bytes of the file, not what stands for them in the text.
                words = found.unfit.words if found.unfit and refused.code == found.unfit.code else refused.words
                shown = ValueRefusedError(refused.code, words, refused.position)
                self._refuse(shown, uri, first_line + found.line, found.text, column, value)
            else:
                self._write([row])
            end = found.end
            cut = found.cut
        if text[end:].strip(" \t\r\n"):
            return len(text[:end].encode(errors="surrogateescape")), cut
        # Behind a cut object the next one is known by its line's beginning.
        return len(raw) - (cut and raw.endswith(b"\n")), cut

    def _refuse(
        self,
        refused: ValueRefusedError,
        uri: str,
        line: int,
        text: str,
        column: Column | None = None,
        value: Any = None,
    ) -> None:
        self._errors.append(
            {
                "file_name": uri,
                "line_number": line,
                "position": refused.position,
                "column_name": column.name if column else "",
                "column_type": column.type.replace("bpchar", "char") if column else "",
                "column_length": column.length or "" if column else "",
                "raw_line": _shown(text),
                "raw_field_value": _shown(value),
                "error_code": refused.code,
                "error_message": _shown(refused.words),
            }
        )
        if len(self._errors) >= self._most_errors:
            raise RefusedDataError from None


def _rest_of_cut(text: bytes) -> int:
    """How much of a text still belongs to an object that was cut: up to a line that begins with another."""
    found = _NEXT_STRUCTURE.search(text)
    if found:
        return found.start() + 1
    return len(text) - text.endswith(b"\n")


def _at(decoded: Any, path: Path) -> Any:
    """What a path leads to; null where a name is missing.

    https://github.com/awslabs/aws-lambda-redshift-loader/issues/113 has the words of what a path cannot go through.
    """
    for step in path:
        if decoded is None:
            return None
        if isinstance(step, str):
            if not isinstance(decoded, dict):
                raise ValueRefusedError(1216, "Invalid JSONPath format: Member is not an object.")
            decoded = decoded.get(step)
        else:
            if not isinstance(decoded, list):
                raise ValueRefusedError(1216, "Invalid JSONPath format: Member is not an array.")
            if step >= len(decoded):
                raise ValueRefusedError(1216, "Invalid JSONPath format: Array index out of range.")
            decoded = decoded[step]
    return decoded


def _shown(value: Any) -> str:
    """A value as a text for a system table, which shows multi-byte characters as a period."""
    with contextlib.suppress(ValueRefusedError):
        return _MULTIBYTE.sub(".", ("" if value is None else as_text(value))[:_MOST_SHOWN].replace("\0", " "))
    return ""
