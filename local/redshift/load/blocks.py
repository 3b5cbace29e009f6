"""Blocks of whole lines to rows by msgspec, wherever that gives what reading object by object gives."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from local.redshift.load.columns import INTEGER_BITS, TEXT_TYPES, Column, ValueRefusedError
from local.redshift.load.objects import MAX_OBJECT_BYTES

Conversion = Callable[[Any], Any]

_REMEMBERED = 1 << 15
_ESCAPES = re.compile(rb"\\u(?:[dD]|0000)")


class BlockDecoder:
    """Decodes blocks of which every object is what most are: a value of the right kind for every column.

    :param names: what each column is called at the top of an object.
    :param conversions: what makes any JSON value one of the column's.
    :param texts_change: whether texts have to be converted too.
    """

    def __init__(
        self, columns: Sequence[Column], names: Sequence[str], conversions: Sequence[Conversion], texts_change: bool
    ) -> None:
        fields: list[Any] = []
        self._texts: list[tuple[str, Conversion]] = []
        self._others: list[tuple[str, set[type], _Remembered]] = []
        for column, conversion in zip(columns, conversions, strict=True):
            field, kind = f"f{len(fields)}", _kind(column)
            fields.append((field, kind) if column.not_null else (field, kind | None, None))
            if column.type in TEXT_TYPES:
                self._texts.append((field, conversion))
            elif column.type in INTEGER_BITS or kind is Any:
                as_is: set[type] = {int, type(None)} if column.type in INTEGER_BITS else set()
                self._others.append((field, as_is, _Remembered(conversion)))
        self._texts_change = texts_change
        rename = {f"f{index}": name for index, name in enumerate(names)}
        # Values have no cycles, and looking for some among so many takes half of the time.
        row = msgspec.defstruct("Row", fields, rename=rename, kw_only=True, gc=False)
        self._decode = msgspec.json.Decoder(row, float_hook=str).decode_lines

    def decode(self, block: bytes) -> list[tuple[Any, ...]] | None:
        """The rows of a block, or None if it must be read object by object."""
        # A smaller block holds no object over the limit; no text holds a NUL or half a surrogate unless so escaped.
        escaped = b"\\" in block and b"\\u" in block
        if len(block) > MAX_OBJECT_BYTES or (escaped and _ESCAPES.search(block)):
            return None
        try:
            rows = self._decode(block)
            for row in self._unchecked(rows, block, escaped):
                for field, conversion in self._texts:
                    setattr(row, field, conversion(getattr(row, field)))
            for field, as_is, remembered in self._others:
                values = list(map(attrgetter(field), rows))
                if not (kinds := set(map(type, values))) <= as_is:
                    # Of what is no text some are equal that are not the same: true and 1.
                    convert = remembered.__getitem__ if kinds <= {str, type(None)} else remembered.conversion
                    deque(map(setattr, rows, repeat(field), map(convert, values)), maxlen=0)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueRefusedError):
            return None
        return list(map(msgspec.structs.astuple, rows))

    def _unchecked(self, rows: list[Any], block: bytes, escaped: bool) -> list[Any]:
        """The rows whose texts msgspec did not wholly check: it counts letters, which may be of several bytes."""
        if not self._texts_change and not escaped and block.isascii():
            return []
        # These three bytes stand only between two objects.
        objects = block.split(b"}\n{")
        if self._texts_change or escaped or len(objects) != len(rows):
            block.decode()
            return rows
        # Of what no column takes msgspec does not even check that it is UTF-8.
        return [row for row, raw in zip(rows, objects, strict=True) if not raw.isascii() and raw.decode()]


class _Remembered(dict[str | None, Any]):
    """Converted values, since those of a column repeat themselves."""

    def __init__(self, conversion: Conversion) -> None:
        super().__init__()
        self.conversion = conversion

    def __missing__(self, value: str | None) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        converted = self[value] = self.conversion(value)
        return converted


def _kind(column: Column) -> Any:
    """What msgspec shall take for a column: numbers in quotes are common, all else that is odd is not."""
    if column.type in TEXT_TYPES:
        return Annotated[str, msgspec.Meta(max_length=column.length)] if column.length else str
    if column.type in INTEGER_BITS:
        limit = 1 << INTEGER_BITS[column.type]
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)] | str
    return {"float8": float, "bool": bool}.get(column.type, Any)
