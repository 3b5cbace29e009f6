"""Blocks of whole lines to rows by msgspec, wherever that gives what reading object by object gives."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count, repeat
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from local.redshift.load.columns import INTEGER_BITS, TEXT_TYPES, Column, Number, ValueRefusedError
from local.redshift.load.objects import MAX_OBJECT_BYTES

Conversion = Callable[[Any], Any]

# Texts may be long.
_MOST_OTHERS, _MOST_TEXTS = 1 << 15, 1 << 7
_COMPARABLE: list[set[type]] = [{str, int, type(None)}, {Number, int, type(None)}]
_decode_any = msgspec.json.Decoder().decode_lines
_ESCAPES = re.compile(rb"\\u(?:[dD]|0000)")
# msgspec knows no negative zero that is an integer.
_NEGATIVE_ZERO = re.compile(rb"[:,\[][ \t\r\n]*-0(?![.\deE])")


class BlockDecoder:
    """Decodes blocks of which every object is what most are: a value of the right kind for every column.

    :param names: what each column is called at the top of an object.
    :param conversions: what makes any JSON value one of the column's.
    :param texts_change: whether texts have to be converted too.
    """

    def __init__(
        self, columns: Sequence[Column], names: Sequence[str], conversions: Sequence[Conversion], texts_change: bool
    ) -> None:
        self._every = list(map(_Values, map("f{}".format, count()), columns, names, conversions))
        self._texts_change = texts_change
        self._prepare()

    def _prepare(self) -> None:
        """Make the decoders, each with the columns that it leaves to be converted."""
        every = [values for values in self._every if values.may_change]
        others = [values for values in every if values.column.type != "varchar"]
        decode = _decoder(self._every, 1)
        if self._texts_change:
            self._ascii = [(decode, every)]
            self._multibyte = [(decode, every)]
        else:
            self._ascii = [(decode, others)]
            # Of texts msgspec counts the letters, and each may be of four bytes.
            self._multibyte = [(_decoder(self._every, 4), others), (decode, every)]

    def decode(self, block: bytes) -> list[tuple[Any, ...]] | None:
        """The rows of a block, or None if it must be read object by object."""
        # A smaller block holds no object over the limit; no text holds a NUL or half a surrogate unless so escaped.
        escaped = b"\\" in block and b"\\u" in block
        if len(block) > MAX_OBJECT_BYTES or (escaped and _ESCAPES.search(block)):
            return None
        if b"-0" in block and _NEGATIVE_ZERO.search(block):
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
            if self._learns_of_quotes(block):
                return self.decode(block)
        return None

    def _learns_of_quotes(self, block: bytes) -> bool:
        """Whether numbers of a block stand in quotes in more columns than before; from now on they may there."""
        learns = False
        with contextlib.suppress(msgspec.DecodeError, RecursionError, AttributeError):
            rows = _decode_any(block)
            for values in self._every:
                if not values.may_change and values.column.type in INTEGER_BITS:
                    values.may_change = any(isinstance(row.get(values.name), str) for row in rows)
                    learns |= values.may_change
            self._prepare()
        return learns


class _Converted(dict[str | int | None, Any]):
    """Values with what becomes of them: they repeat themselves, and mostly stay as they are."""

    def __init__(self, conversion: Conversion, most: int) -> None:
        super().__init__()
        self._conversion = conversion
        self._most = most

    def __missing__(self, value: str | int | None) -> Any:
        if len(self) >= self._most:
            self.clear()
        converted = self._conversion(value)
        # PostgreSQL reads a number in quotes too.
        if type(value) is not Number and str(converted) == str(value):
            converted = value
        self[value] = converted
        return converted


class _Values:
    """A column's values by the rows of a block."""

    def __init__(self, field: str, column: Column, name: str, conversion: Conversion) -> None:
        self.field = field
        self.column = column
        self.name = name
        self._conversion = conversion
        self._get = attrgetter(field)
        # Integers do not, until they are met in quotes.
        self.may_change = column.type not in ("float8", "bool", *INTEGER_BITS)
        self._as_is: set[type] = {int, type(None)} if column.type in INTEGER_BITS else set()
        most = _MOST_TEXTS if column.type in TEXT_TYPES else _MOST_OTHERS
        # A number as it was written is not the same as its digits in quotes.
        self._converted = [(kinds, _Converted(conversion, most)) for kinds in _COMPARABLE]

    def convert(self, rows: list[Any]) -> None:
        """Set what becomes of each row's value."""
        values = list(map(self._get, rows))
        if (found := set(map(type, values))) <= self._as_is:
            return
        # Of other values some are equal that are not the same: true and 1.
        of_a_kind = (converted.__getitem__ for kinds, converted in self._converted if found <= kinds)
        converted = list(map(next(of_a_kind, self._conversion), values))
        if converted != values or Number in found:
            deque(map(setattr, rows, repeat(self.field), converted), maxlen=0)


def _decoder(every: Sequence[_Values], letter_bytes: int) -> Callable[[bytes], list[Any]]:
    fields: list[Any] = []
    for values in every:
        kind = _kind(values.column, letter_bytes, values.may_change)
        fields.append((values.field, kind) if values.column.not_null else (values.field, kind | None, None))
    # Values have no cycles, and looking for some among so many takes half of the time.
    row = msgspec.defstruct("Row", fields, rename={each.field: each.name for each in every}, kw_only=True, gc=False)
    return msgspec.json.Decoder(row, float_hook=Number).decode_lines


def _kind(column: Column, letter_bytes: int, quoted: bool) -> Any:
    """What msgspec shall take for a column: of integers also texts, if they may be quoted."""
    if column.type in TEXT_TYPES:
        return Annotated[str, msgspec.Meta(max_length=column.length // letter_bytes)] if column.length else str
    if column.type in INTEGER_BITS:
        limit = 1 << INTEGER_BITS[column.type]
        integer = Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)]
        return integer | str if quoted else integer
    return {"float8": float, "bool": bool}.get(column.type, Any)
