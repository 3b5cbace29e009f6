"""Blocks of whole lines to rows by msgspec, wherever that gives what reading object by object gives."""

from __future__ import annotations

import contextlib
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

# Texts may be long.
_MOST_OTHERS, _MOST_TEXTS = 1 << 15, 1 << 7
_COMPARABLE = {str, int, type(None)}
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
        every = [
            _Values(f"f{number}", column, conversion)
            for number, (column, conversion) in enumerate(zip(columns, conversions, strict=True))
            if column.type not in ("float8", "bool")
        ]
        others = [values for values in every if values.type != "varchar"]
        decode = _decoder(columns, names, 1)
        self._ascii = [(decode, every if texts_change else others)]
        # Of texts msgspec counts the letters, and each may be of four bytes.
        self._multibyte = [*([] if texts_change else [(_decoder(columns, names, 4), others)]), (decode, every)]

    def decode(self, block: bytes) -> list[tuple[Any, ...]] | None:
        """The rows of a block, or None if it must be read object by object."""
        # A smaller block holds no object over the limit; no text holds a NUL or half a surrogate unless so escaped.
        escaped = b"\\" in block and b"\\u" in block
        if len(block) > MAX_OBJECT_BYTES or (escaped and _ESCAPES.search(block)):
            return None
        with contextlib.suppress(UnicodeDecodeError):
            # Of what no column takes msgspec does not even check that it is UTF-8.
            block.decode()
            for decode, converted in self._multibyte if escaped or not block.isascii() else self._ascii:
                with contextlib.suppress(msgspec.DecodeError, RecursionError, ValueRefusedError):
                    rows = decode(block)
                    for values in converted:
                        values.convert(rows)
                    return list(map(msgspec.structs.astuple, rows))
        return None


class _Values(dict[str | int | None, Any]):
    """A column's values with what they become: they repeat themselves, and mostly stay as they are."""

    def __init__(self, field: str, column: Column, conversion: Conversion) -> None:
        super().__init__()
        self.type, self._field, self._get, self._conversion = column.type, field, attrgetter(field), conversion
        self._as_is: set[type] = {int, type(None)} if column.type in INTEGER_BITS else set()
        self._most = _MOST_TEXTS if column.type in TEXT_TYPES else _MOST_OTHERS

    def __missing__(self, value: str | int | None) -> Any:
        if len(self) >= self._most:
            self.clear()
        converted = self._conversion(value)
        # PostgreSQL reads a number in quotes too.
        self[value] = converted = value if str(converted) == str(value) else converted
        return converted

    def convert(self, rows: list[Any]) -> None:
        """Set what becomes of each row's value."""
        values = list(map(self._get, rows))
        if (kinds := set(map(type, values))) <= self._as_is:
            return
        # Of what is no text some are equal that are not the same: true and 1.
        converted = list(map(self.__getitem__ if kinds <= _COMPARABLE else self._conversion, values))
        if converted != values:
            deque(map(setattr, rows, repeat(self._field), converted), maxlen=0)


def _decoder(columns: Sequence[Column], names: Sequence[str], letter_bytes: int) -> Callable[[bytes], list[Any]]:
    fields: list[Any] = []
    for number, column in enumerate(columns):
        field, kind = f"f{number}", _kind(column, letter_bytes)
        fields.append((field, kind) if column.not_null else (field, kind | None, None))
    rename = {f"f{number}": name for number, name in enumerate(names)}
    # Values have no cycles, and looking for some among so many takes half of the time.
    row = msgspec.defstruct("Row", fields, rename=rename, kw_only=True, gc=False)
    return msgspec.json.Decoder(row, float_hook=str).decode_lines


def _kind(column: Column, letter_bytes: int) -> Any:
    """What msgspec shall take for a column: numbers in quotes are common, all else that is odd is not."""
    if column.type in TEXT_TYPES:
        return Annotated[str, msgspec.Meta(max_length=column.length // letter_bytes)] if column.length else str
    if column.type in INTEGER_BITS:
        limit = 1 << INTEGER_BITS[column.type]
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)] | str
    return {"float8": float, "bool": bool}.get(column.type, Any)
