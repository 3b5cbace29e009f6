"""JSON to PostgreSQL's binary rows: whole blocks at once where that is exact, object by object where it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import adapters, pq
from psycopg._copy_base import format_row_binary
from psycopg.adapt import Transformer

from local.redshift.load.columns import (
    INTEGER_BITS,
    TEXT_TYPES,
    Column,
    Number,
    Rules,
    ValueRefusedError,
    converter,
    cut,
)
from local.redshift.load.objects import MAX_OBJECT_BYTES, ObjectReader

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
MAX_RAW_BYTES = 1024
_REFUSED_AT = re.compile(r"at `\$(?:\[\d+\])?\.(.+?)`$")
_MULTIBYTE = re.compile(r"[^\x00-\x7f]")

Path = tuple[str | int, ...]


class LoadFailedError(Exception):
    """The COPY fails as a whole, for a reason that is not one row's."""


class TooManyErrorsError(Exception):
    """As many rows were refused as MAXERROR says."""


@dataclass(frozen=True)
class RowError:
    """Why one object was refused; ``line`` is the last line of the object, as Redshift counts."""

    file: str
    line: int
    column: Column | None
    position: int
    raw_line: str
    raw_value: str
    code: int
    reason: str


class RowEncoder:
    """Turns blocks of lines into binary rows and collects the errors of refused objects."""

    def __init__(self, columns: list[Column], paths: list[Path], rules: Rules, most_errors: int, fold: bool) -> None:
        self._columns, self._paths, self._fold = columns, paths, fold
        self._exact = [converter(column, rules) for column in columns]
        self._most_errors = max(1, most_errors)
        self._transformer = Transformer()
        self._transformer.set_dumper_types([_dumper_oid(column) for column in columns], pq.Format.BINARY)
        keys = [path[0] for path in paths]
        simple = all(len(path) == 1 for path in paths) and len(set(keys)) == len(keys) and not fold
        self._fast = _FastDecoder(columns, [str(key) for key in keys], rules, self._exact) if simple else None
        self.errors: list[RowError] = []
        self.rows = 0

    def file(self, uri: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Encode one file, given as blocks of whole lines."""
        reader = ObjectReader()
        for block in blocks:
            encoded = None if self._fast is None or reader.pending else self._whole(block)
            if encoded is not None:
                reader.line += block.count(b"\n") + (not block.endswith(b"\n"))
                yield encoded
                continue
            lines = block.split(b"\n")
            if lines[-1] == b"":
                lines.pop()
            yield self._each(uri, (found for line in lines for found in reader.feed(line)))
        yield self._each(uri, reader.finish())

    def _whole(self, block: bytes) -> bytes | None:
        assert self._fast is not None
        rows = self._fast.decode(block)
        if rows is None:
            return None
        out = bytearray()
        try:
            for row in rows:
                format_row_binary(row, self._transformer, out)
        # A value the format has no room for: the exact way finds it and says which it was.
        except Exception:
            return None
        self.rows += len(rows)
        return bytes(out)

    def _each(self, uri: str, objects: Iterable[tuple[int, bytes, str]]) -> bytes:
        out = bytearray()
        for line, raw, broken in objects:
            try:
                row = self._row(uri, line, raw, broken)
            except _RefusedObjectError as refused:
                self.errors.append(refused.error)
                if len(self.errors) >= self._most_errors:
                    raise TooManyErrorsError from None
                continue
            format_row_binary(row, self._transformer, out)
            self.rows += 1
        return bytes(out)

    def _row(self, uri: str, line: int, raw: bytes, broken: str) -> list[Any]:
        error = RowError(uri, line, None, 0, _shown(raw), "", 1216, broken)
        if broken:
            raise _RefusedObjectError(error)
        try:
            decoded = _DECODER.decode(raw.decode())
        except UnicodeDecodeError as bad:
            sequence = raw[bad.start : bad.end].hex(" ")
            words = f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {sequence}"
            raise _RefusedObjectError(replace(error, code=1220, reason=words, position=bad.start)) from None
        except (ValueError, RecursionError) as bad:
            raise _RefusedObjectError(replace(error, reason=f"Invalid JSON format: {bad}")) from None
        if self._fold:
            decoded = {key.lower(): value for key, value in decoded.items()}
        row = []
        for column, path, exact in zip(self._columns, self._paths, self._exact, strict=True):
            value = _at(decoded, path)
            try:
                row.append(exact(value))
            except ValueRefusedError as refused:
                shown = "" if value is None else _shown(str(value).encode("utf-8", "replace"))
                raise _RefusedObjectError(
                    replace(error, column=column, position=refused.position, raw_value=shown, code=refused.code,
                            reason=refused.words)
                ) from None  # fmt: skip
        return row


class _RefusedObjectError(Exception):
    def __init__(self, error: RowError) -> None:
        super().__init__(error.reason)
        self.error = error


class _FastDecoder:
    """Decodes blocks of one object a line by msgspec, wherever strict decoding gives what the exact way gives."""

    def __init__(self, columns: list[Column], keys: list[str], rules: Rules, exact: list[Callable[[Any], Any]]) -> None:
        self._columns, self._keys, self._exact = columns, keys, exact
        self._rules = rules
        # Columns whose values need a conversion after decoding, by their index.
        self._lenient = {
            index for index, column in enumerate(columns)
            if column.type not in (*INTEGER_BITS, *TEXT_TYPES, "numeric", "float8", "bool")
            or (column.type in TEXT_TYPES and (rules.blanks_as_null or rules.empty_as_null))
        }  # fmt: skip
        self._build()

    def _build(self) -> None:
        fields: list[Any] = []
        for index, (column, _) in enumerate(zip(self._columns, self._keys, strict=True)):
            kind = self._lenient_type(column) if index in self._lenient else _strict_type(column)
            if column.not_null:
                fields.append((f"f{index}", kind))
            else:
                fields.append((f"f{index}", kind | None, None))
        rename = {f"f{index}": key for index, key in enumerate(self._keys)}
        # Required fields first would change the order of the tuple; keyword-only ones keep it.
        row = msgspec.defstruct("Row", fields, rename=rename, kw_only=True)
        self._decode = msgspec.json.Decoder(row).decode_lines
        self._fixes = [
            (index, self._fix(index, column)) for index, column in enumerate(self._columns)
            if index in self._lenient or column.type == "numeric"
        ]  # fmt: skip
        self._measured = [
            (index, column.length, column.type == "bpchar") for index, column in enumerate(self._columns)
            if column.type in TEXT_TYPES
        ]  # fmt: skip

    def _lenient_type(self, column: Column) -> Any:
        if column.type in TEXT_TYPES or column.type in ("date", "timestamp", "timestamptz"):
            return str if not self._rules.time_format.startswith("epoch") else str | int
        return str | int if column.type in INTEGER_BITS else str

    def _fix(self, index: int, column: Column) -> Callable[[Any], Any]:
        exact = self._exact[index]
        if index not in self._lenient:
            if not column.precision:
                return lambda value: value if value is None or value.is_finite() else exact("NaN")
            unit, limit = Decimal(1).scaleb(-column.scale), Decimal(10) ** (column.precision - column.scale)
            return lambda value: (
                value
                if value is None or (-limit < value < limit and value == value.quantize(unit))
                else cut(value, column)
            )
        if column.type in INTEGER_BITS:
            return lambda value: value if value is None else exact(str(value) if type(value) is int else value)
        return lambda value: exact(str(value) if type(value) is int else value)

    def decode(self, block: bytes) -> list[tuple[Any, ...]] | None:
        """The rows of a block, or None if it must be read the exact way."""
        while True:
            try:
                decoded = self._decode(block)
                break
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if not self._widen(str(error)):
                    return None
        # Several objects in a line, or a huge one, would upset the count of lines or the limit.
        if len(decoded) > block.count(b"\n") + 1 or len(block) > MAX_OBJECT_BYTES:
            return None
        rows = [msgspec.structs.astuple(row) for row in decoded]
        try:
            if not block.isascii() or b"\\u" in block:
                self._measure(rows)
            return [self._fixed(row) for row in rows] if self._fixes else rows
        except (ValueRefusedError, ArithmeticError, ValueError):
            return None

    def _fixed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for index, fix in self._fixes:
            values[index] = fix(values[index])
        return tuple(values)

    def _measure(self, rows: list[tuple[Any, ...]]) -> None:
        """Raise if a text is longer in bytes than its column, or holds what PostgreSQL cannot."""
        for row in rows:
            for index, length, single in self._measured:
                text = row[index]
                if text is None or (text.isascii() and "\0" not in text):
                    continue
                if single or "\0" in text or (length and len(text.encode()) > length):
                    raise ValueRefusedError(1204, "The exact way says which.")

    def _widen(self, complaint: str) -> bool:
        """Take text too for the column msgspec complains about, if it is a number's; tell whether that is new."""
        match = _REFUSED_AT.search(complaint)
        if match is None or match[1] not in self._keys:
            return False
        index = self._keys.index(match[1])
        if index in self._lenient or self._columns[index].type not in INTEGER_BITS or "got `str`" not in complaint:
            return False
        self._lenient.add(index)
        self._build()
        return True


def _strict_type(column: Column) -> Any:
    if column.type in TEXT_TYPES:
        return Annotated[str, msgspec.Meta(max_length=column.length)] if column.length else str
    if column.type in INTEGER_BITS:
        limit = 1 << INTEGER_BITS[column.type]
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)]
    return {"numeric": Decimal, "float8": float, "bool": bool}[column.type]


def _dumper_oid(column: Column) -> int:
    return adapters.types["text"].oid if column.type in TEXT_TYPES else column.oid


def _at(decoded: Any, path: Path) -> Any:
    for step in path:
        try:
            decoded = decoded[step]
        except (KeyError, IndexError, TypeError):
            return None
    return decoded


def _shown(raw: bytes) -> str:
    """Text for a system table: multi-byte characters as a period, at most 1,024 bytes."""
    text = raw.decode("utf-8", "replace").replace("\0", " ")
    return _MULTIBYTE.sub(".", text)[:MAX_RAW_BYTES]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_constant)
