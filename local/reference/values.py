"""A JSON value becomes a column's value, as COPY converts it.

COPY's rules, from Amazon's pages on data conversion and on JSON: blank text is null where the column is
not text and is kept where it is; a decimal with too many digits after the point is rounded, as ROUNDEC says;
a number arriving as text is a number; anything that is not text arrives in a text column as its JSON.
Anything COPY is not known to accept is refused, and so is a time outside the data contract's years.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeAlias

Value: TypeAlias = str | int | float | Decimal | None
Conversion: TypeAlias = Callable[[object], Value]


class UnreadableValueError(ValueError):
    """A value COPY could not load into its column."""


class JsonNumber(str):
    """A JSON number as it is spelled in the file, so that no digit is lost on the way."""

    __slots__ = ()


_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FIVE_DECIMALS = Decimal("0.00001")
_ABOVE_ANY_DECIMAL = 100_000  # of numeric(10, 5)
# One digit more would be cut, and is refused instead.
_DECIMAL_38 = Context(prec=38, rounding=ROUND_HALF_UP)
_LONGEST_INTEGER = 19

FIRST_TS = 946_684_800_000  # 2000-01-01 00:00:00 UTC
AFTER_LAST_TS = 4_102_444_800_000  # 2100-01-01 00:00:00 UTC
_THOUSAND, _MILLION = 1_000, 1_000_000


def text(most_bytes: int) -> Callable[[object], str | None]:
    """Text of at most so many bytes, kept as it is; a number gives its own spelling, anything else its JSON."""

    def convert(value: object) -> str | None:
        if value is None:
            return None
        try:
            written = str(value) if isinstance(value, str) else _json(value)
        except RecursionError:
            raise UnreadableValueError(f"{_spelled(value)} is nested too deeply") from None
        if "\0" in written:
            raise UnreadableValueError("the text holds a NUL character, which no text column can keep")
        try:
            size = len(written.encode())
        except UnicodeEncodeError:
            raise UnreadableValueError("the text holds half of a surrogate pair, which is no character") from None
        if size > most_bytes:
            raise UnreadableValueError(f"the text has {size} bytes, and the column keeps {most_bytes}")
        return written

    return convert


def integer(bits: int) -> Callable[[object], int | None]:
    """A whole number of at most so many bits, the sign included."""
    limit = 2 ** (bits - 1)

    def convert(value: object) -> int | None:
        literal = _number_text(value)
        if literal is None:
            return None
        if not _INTEGER.fullmatch(literal):
            raise UnreadableValueError(f"{_spelled(value)} is not a whole number")
        if len(literal.lstrip("+-").lstrip("0")) > _LONGEST_INTEGER or not -limit <= int(literal) < limit:
            raise UnreadableValueError(f"{_spelled(value)} does not fit into {bits} bits")
        return int(literal)

    return convert


_bigint = integer(64)


def epoch_milliseconds(value: object) -> int | None:
    """A time in milliseconds since 1970, from 2000-01-01 to before 2100-01-01 UTC."""
    ts = _bigint(value)
    if ts is None or FIRST_TS <= ts < AFTER_LAST_TS:
        return ts
    if FIRST_TS <= ts * _THOUSAND < AFTER_LAST_TS:
        what = "looks like seconds"
    elif FIRST_TS <= ts // _THOUSAND < AFTER_LAST_TS:
        what = "looks like microseconds"
    elif FIRST_TS <= ts // _MILLION < AFTER_LAST_TS:
        what = "looks like nanoseconds"
    else:
        what = "lies outside 2000-01-01 to 2100-01-01"
    raise UnreadableValueError(f"{ts} {what}: ts is in milliseconds since 1970")


def decimal(value: object) -> Decimal | None:
    """An exact number of at most five digits before the point, rounded to five after it."""
    literal = _number_text(value)
    if literal is None:
        return None
    if not _NUMBER.fullmatch(literal):
        raise UnreadableValueError(f"{_spelled(value)} is not a number")
    try:
        # COPY makes a double of a number that is not in quotes.
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html#copy-usage-json-rounding
        written = Decimal(float(literal) if isinstance(value, JsonNumber) else literal)
        number = written.quantize(_FIVE_DECIMALS, context=_DECIMAL_38)
    except ArithmeticError:
        number = None
    if number is None or abs(number) >= _ABOVE_ANY_DECIMAL:
        raise UnreadableValueError(f"{literal} has more digits than a decimal column can keep")
    return number


def floating(value: object) -> float | None:
    """A double precision number."""
    literal = _number_text(value)
    if literal is None:
        return None
    if not _NUMBER.fullmatch(literal):
        raise UnreadableValueError(f"{_spelled(value)} is not a number")
    number = float(literal)
    if math.isinf(number):
        raise UnreadableValueError(f"{_spelled(value)} is too large for a double precision number")
    return number


def _number_text(value: object) -> str | None:
    """The spelling of a number given as number or text; None for null and blank text."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableValueError(f"{_spelled(value)} is not a number")
    return value.strip(" \t\r\n\v\f") or None


def _json(value: object) -> str:
    """The JSON of a value that was decoded with :class:`JsonNumber` for its numbers, without blanks."""
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, str):
        return f'the text "{value}"'
    return "an array" if isinstance(value, list) else "an object"
