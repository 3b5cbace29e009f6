"""A table's column as COPY sees it, and the exact, slow conversion of one JSON value by Redshift's rules."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import Any

# Wide enough that cutting to a scale never rounds.
EXACT = Context(prec=400)
INTEGER_BITS = {"int2": 15, "int4": 31, "int8": 63}
TEXT_TYPES = ("varchar", "bpchar")
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC).replace(tzinfo=None)
_NAMES = {
    "int2": "Short", "int4": "Integer", "int8": "Long", "numeric": "Decimal", "float4": "Real", "float8": "Double",
}  # fmt: skip
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIMESTAMP = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?")
_ZONE = re.compile(r" ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)$")


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class ValueRefusedError(Exception):
    """One value cannot be loaded; code and words are those of Redshift's load error reference."""

    def __init__(self, code: int, words: str, position: int = 0) -> None:
        super().__init__(words)
        self.code, self.words, self.position = code, words, position


@dataclass(frozen=True)
class Column:
    """``length`` is in bytes for text; ``scale`` and ``precision`` are those of a numeric."""

    name: str
    type: str
    oid: int
    not_null: bool = False
    length: int = 0
    precision: int = 0
    scale: int = 0

    @classmethod
    def of(cls, name: str, type_: str, oid: int, modifier: int, not_null: bool) -> Column:
        """A column from pg_attribute's words; *modifier* is atttypmod."""
        if type_ == "numeric" and modifier >= 4:
            return cls(name, type_, oid, not_null, 0, (modifier - 4) >> 16, (modifier - 4) & 0x7FF)
        return cls(name, type_, oid, not_null, modifier - 4 if modifier >= 4 and type_ in TEXT_TYPES else 0)


@dataclass(frozen=True)
class Rules:
    """The options of COPY that change values."""

    time_format: str = ""
    blanks_as_null: bool = False
    empty_as_null: bool = False
    truncate: bool = False


def converter(column: Column, rules: Rules) -> Callable[[Any], Any]:
    """A function from a JSON value to what psycopg writes for the column; it raises ValueRefusedError."""
    convert: Callable[[str], Any]
    if column.type in TEXT_TYPES:
        convert = _text(column, rules)
    elif column.type in INTEGER_BITS:
        convert = _integer(column)
    elif column.type == "numeric":
        convert = _decimal(column)
    elif column.type in ("float4", "float8"):
        convert = _float(column)
    elif column.type == "bool":
        convert = _boolean
    elif column.type == "date":
        convert = _date
    else:
        convert = _timestamp(column, rules)
    plain = column.type not in TEXT_TYPES

    def with_nulls(value: Any) -> Any:
        # An empty or blank text is NULL for every column that is not text.
        if value is None or (plain and isinstance(value, str) and not value.strip()):
            converted = None
        else:
            converted = convert(_written(value))
        if converted is None and column.not_null:
            raise ValueRefusedError(1213, "Missing data for not-null field")
        return converted

    return with_nulls


def _written(value: Any) -> str:
    """A JSON value as text: what was written for numbers and text, JSON again for the rest."""
    if isinstance(value, str):
        return value
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _text(column: Column, rules: Rules) -> Callable[[str], str | None]:
    def convert(text: str) -> str | None:
        if rules.empty_as_null and not text:
            return None
        if rules.blanks_as_null and text and not text.strip():
            return None
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise ValueRefusedError(
                1220, "String contains invalid or unsupported UTF-8 codepoints.", error.start
            ) from None
        if "\0" in text:
            raise ValueRefusedError(1224, "Invalid null byte - field longer than 1 byte", text.index("\0"))
        if column.type == "bpchar" and size != len(text):
            raise ValueRefusedError(1220, "Multibyte character not supported for CHAR (Hint: Try using VARCHAR).")
        if column.length and size > column.length:
            if not rules.truncate:
                raise ValueRefusedError(1204, "String length exceeds DDL length")
            return text.encode()[: column.length].decode(errors="ignore")
        return text

    return convert


def _bad_digit(text: str, column: Column, allowed: str) -> ValueRefusedError:
    position = next((i for i, letter in enumerate(text) if letter not in allowed), 0)
    return ValueRefusedError(
        1207, f"Invalid digit, Value '{text[position]}', Pos {position}, Type: {_NAMES[column.type]}", position
    )


def _integer(column: Column) -> Callable[[str], int]:
    limit = 1 << INTEGER_BITS[column.type]
    pattern = re.compile(r"[+-]?[0-9]{1,40}")

    def convert(text: str) -> int:
        text = text.strip()
        if not pattern.fullmatch(text):
            raise _bad_digit(text, column, "+-0123456789")
        value = int(text)
        if not -limit <= value < limit:
            raise ValueRefusedError(1208, f"Overflow (Max: {limit - 1}), Value {text}, Type: {_NAMES[column.type]}")
        return value

    return convert


def _decimal(column: Column) -> Callable[[str], Decimal]:
    pattern = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)

    def convert(text: str) -> Decimal:
        text = text.strip()
        if not pattern.fullmatch(text):
            raise _bad_digit(text, column, "+-.eE0123456789")
        return cut(Decimal(text), column)

    return convert


def cut(value: Decimal, column: Column) -> Decimal:
    """The value cut, not rounded, to the column's scale, as COPY does without ROUNDEC."""
    if not column.precision:
        return value
    try:
        exact = value.quantize(Decimal(1).scaleb(-column.scale), ROUND_DOWN, EXACT)
    except InvalidOperation:
        exact = None
    if exact is None or len(exact.as_tuple().digits) > column.precision:
        raise ValueRefusedError(1208, f"Overflow for NUMERIC({column.precision},{column.scale})")
    return exact


def _float(column: Column) -> Callable[[str], float]:
    largest = 3.4028234663852886e38 if column.type == "float4" else 1.7976931348623157e308
    pattern = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

    def convert(text: str) -> float:
        text = text.strip()
        if not pattern.fullmatch(text):
            raise _bad_digit(text, column, "+-.eE0123456789")
        value = float(text)
        if abs(value) > largest:
            raise ValueRefusedError(1208, f"Overflow, Value {text}, Type: {_NAMES[column.type]}")
        return value

    return convert


_BOOLEANS = {
    **dict.fromkeys(("t", "true", "y", "yes", "1"), True),
    **dict.fromkeys(("f", "false", "n", "no", "0"), False),
}


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueRefusedError(1210, f"Unknown boolean format, Value '{text[:40]}'") from None


def _date(text: str) -> dt.date:
    try:
        match = _DATE.fullmatch(text.strip())
        if match is not None:
            return dt.date(int(match[1]), int(match[2]), int(match[3]))
        raise ValueError(text)
    except ValueError:
        raise ValueRefusedError(1205, "Invalid Date Format - length must be 10 or more") from None


def _timestamp(column: Column, rules: Rules) -> Callable[[str], dt.datetime]:
    zoned = column.type == "timestamptz"

    def convert(text: str) -> dt.datetime:
        try:
            if rules.time_format in ("epochsecs", "epochmillisecs"):
                unit = 1 if rules.time_format == "epochsecs" else 1000
                value = _EPOCH + dt.timedelta(microseconds=int(Decimal(text) * (1_000_000 // unit)))
            else:
                value = _read_timestamp(text.strip(), zoned)
        except (ValueError, OverflowError, InvalidOperation):
            shown = rules.time_format or "YYYY-MM-DD HH24:MI:SS"
            raise ValueRefusedError(1206, f"Invalid timestamp format or value [{shown}]") from None
        return value.replace(tzinfo=dt.UTC) if zoned else value

    return convert


def _read_timestamp(text: str, zoned: bool) -> dt.datetime:
    offset = dt.timedelta()
    if zoned and (zone := _ZONE.search(text)):
        text = text[: zone.start()]
        if zone[1][0] in "+-":
            digits = zone[1][1:].replace(":", "").ljust(4, "0")
            offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[1][0] == "-" else 1)
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0"))
    return dt.datetime(year, month, day, hour, minute, second, micro, dt.UTC).replace(tzinfo=None) - offset
