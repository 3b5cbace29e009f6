"""A JSON value becomes a column's value, as COPY converts it.

COPY's rules, from Amazon's pages on data conversion and on JSON: blank text is null where the column is
not text and is kept where it is; a decimal with too many digits is truncated, not rounded; a number
arriving as text is a number. Anything COPY is not known to accept is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal
from typing import TypeAlias

Value: TypeAlias = str | int | float | Decimal | None


class UnreadableValueError(ValueError):
    """A value COPY could not load into its column."""


class JsonNumber(str):
    """A JSON number as it is spelled in the file, so that no digit is lost on the way."""

    __slots__ = ()


_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FIVE_DECIMALS = Decimal("0.00001")
# Redshift's DECIMAL has at most 38 digits; one more would be cut, and is refused instead.
_DECIMAL_38 = Context(prec=38, rounding=ROUND_DOWN)
_LONGEST_INTEGER = 19
_BIGINT = 2**63


def text(value: object) -> str | None:
    """Text, kept as it is; a number gives its own spelling."""
    if value is None:
        return None
    if isinstance(value, JsonNumber):
        return str(value)
    if not isinstance(value, str):
        raise UnreadableValueError(f"{_spelled(value)} is neither text nor a number")
    if "\0" in value:
        raise UnreadableValueError("the text holds a NUL character, which no text column can keep")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnreadableValueError("the text holds half of a surrogate pair, which is no character") from None
    return value


def integer(value: object) -> int | None:
    """A whole number of at most 64 bits."""
    literal = _number_text(value)
    if literal is None:
        return None
    if not _INTEGER.fullmatch(literal):
        raise UnreadableValueError(f"{_spelled(value)} is not a whole number")
    if len(literal.lstrip("+-").lstrip("0")) > _LONGEST_INTEGER or not -_BIGINT <= int(literal) < _BIGINT:
        raise UnreadableValueError(f"{_spelled(value)} does not fit into 64 bits")
    return int(literal)


def decimal(value: object) -> Decimal | None:
    """An exact number, truncated to five decimals."""
    literal = _number_text(value)
    if literal is None:
        return None
    if not _NUMBER.fullmatch(literal):
        raise UnreadableValueError(f"{_spelled(value)} is not a number")
    return truncated(literal)


def truncated(literal: str) -> Decimal:
    """The number that *literal* spells, truncated to five decimals."""
    try:
        return Decimal(literal).quantize(_FIVE_DECIMALS, context=_DECIMAL_38)
    except ArithmeticError:
        raise UnreadableValueError(f"{literal} has more digits than a decimal column can keep") from None


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


Conversion: TypeAlias = Callable[[object], Value]


def _number_text(value: object) -> str | None:
    """The spelling of a number given as number or text; None for null and blank text."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableValueError(f"{_spelled(value)} is not a number")
    return value.strip(" \t\r\n\v\f") or None


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, str):
        return f'the text "{value}"'
    return "an array" if isinstance(value, list) else "an object"
