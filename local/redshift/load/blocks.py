"""Blocks of whole lines to rows by msgspec, wherever that gives what reading object by object gives."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from local.redshift.load.columns import INTEGER_BITS, TEXT_TYPES, Column, ValueRefusedError
from local.redshift.load.objects import MAX_OBJECT_BYTES

_REMEMBERED = 1 << 13
_ESCAPES = re.compile(rb"\\u(?:[dD]|0000)")


class BlockDecoder:
    """Decodes blocks of which every object is what most are: a value of the right kind for every column.

    :param names: what each column is called at the top of an object.
    :param conversions: what makes any JSON value one of the column's.
    :param texts_change: whether texts have to be converted too.
    """

    def __init__(
        self, columns: Sequence[Column], names: Sequence[str], conversions: Sequence[Callable[[Any], Any]],
        texts_change: bool,
    ) -> None:  # fmt: skip
        fields, self._texts, self._others = [], [], []
        for index, (column, conversion) in enumerate(zip(columns, conversions, strict=True)):
            field, kind = f"f{index}", _kind(column)
            fields.append((field, kind) if column.not_null else (field, kind | None, None))
            if column.type in TEXT_TYPES:
                self._texts.append((field, conversion))
            elif kind is Any or column.type in INTEGER_BITS:
                remembered = functools.lru_cache(_REMEMBERED)(conversion)
                self._others.append((field, int if column.type in INTEGER_BITS else None, conversion, remembered))
        rename = {f"f{index}": name for index, name in enumerate(names)}
        # Values have no cycles, and looking for some among so many takes half of the time.
        row = msgspec.defstruct("Row", fields, rename=rename, kw_only=True, gc=False)
        self._texts_change = texts_change
        self._decode = msgspec.json.Decoder(row, float_hook=str).decode_lines

    def decode(self, block: bytes) -> list[tuple[Any, ...]] | None:
        """The rows of a block, or None if it must be read object by object."""
        # A smaller block holds no object over the limit; no text holds a NUL or half a surrogate unless so escaped.
        if len(block) > MAX_OBJECT_BYTES or (b"\\u" in block and _ESCAPES.search(block)):
            return None
        try:
            rows = self._decode(block)
            for row in self._odd(rows, block):
                for field, conversion in self._texts:
                    setattr(row, field, conversion(getattr(row, field)))
            for field, kept, conversion, remembered in self._others:
                for row in rows:
                    value = getattr(row, field)
                    if value.__class__ is not kept:
                        # Of what is no text some are equal that are not the same: true and 1.
                        setattr(row, field, (remembered if value.__class__ is str else conversion)(value))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueRefusedError):
            return None
        return list(map(msgspec.structs.astuple, rows))

    def _odd(self, rows: list[Any], block: bytes) -> list[Any]:
        """The rows whose texts msgspec did not wholly check: it counts letters, which may be of several bytes."""
        if not self._texts_change and block.isascii() and b"\\u" not in block:
            return []
        # These three bytes stand only between two objects.
        objects = block.split(b"}\n{")
        if self._texts_change or len(objects) != len(rows):
            block.decode()
            return rows
        # Of what no column takes msgspec does not even check that it is UTF-8.
        return [row for row, raw in zip(rows, objects, strict=True) if b"\\u" in raw or not raw.decode().isascii()]


def _kind(column: Column) -> Any:
    """What msgspec shall take for a column: numbers in quotes are common, all else that is odd is not."""
    if column.type in TEXT_TYPES:
        return Annotated[str, msgspec.Meta(max_length=column.length)] if column.length else str
    if column.type in INTEGER_BITS:
        limit = 1 << INTEGER_BITS[column.type]
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)] | str
    return {"float8": float, "bool": bool}.get(column.type, Any)
