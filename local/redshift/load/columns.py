"""What COPY makes of a JSON value for a column; codes and words are those of Redshift's load error reference."""

from __future__ import annotations

import functools
import json
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from local.redshift.load import times
from local.redshift.sql.plan import Load

INTEGER_BITS = {"int2": 15, "int4": 31, "int8": 63}
TEXT_TYPES = ("varchar", "bpchar")
# Options of COPY that change texts.
TEXT_FLAGS = frozenset(("BLANKSASNULL", "EMPTYASNULL", "TRUNCATECOLUMNS"))
_LARGEST = {"float4": 3.4028234663852886e38, "float8": 1.7976931348623157e308}
_TYPE_WORDS = {
    "int2": "Short",
    "int4": "Integer",
    "int8": "Long",
    "numeric": "Decimal",
    "float4": "Real",
    "float8": "Double",
}
_TRUE = ("t", "true", "y", "yes", "1")
_FALSE = ("f", "false", "n", "no", "0")
_WHITE_SPACE = " \t\n\v\f\r"
# Of a character in UTF-8, by the first five bits of its first byte.
_LENGTHS = {**dict.fromkeys(range(0b11000, 0b11100), 2), **dict.fromkeys((0b11100, 0b11101), 3), 0b11110: 4}
_LONGEST_CHARACTER = 4
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Wide enough that cutting to a scale never rounds.
_EXACT = Context(prec=400)
_DIGITS_OF_64_BITS = 19
_DIGITS_OF_A_DOUBLE = 15
_UNITS = [Decimal(1).scaleb(-scale) for scale in range(39)]


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class ValueRefusedError(Exception):
    """One value cannot be loaded."""

    def __init__(self, code: int, words: str, position: int = 0) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.position = position


@dataclass(frozen=True)
class Column:
    """A table's column; ``type`` is PostgreSQL's name, ``length`` in bytes, or 0 for none."""

    name: str
    type: str
    not_null: bool = False
    identity: bool = False
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def loadable(self) -> bool:
        """Whether COPY can load it; PostgreSQL's numeric without a precision is nothing that Redshift has."""
        return self.type in _CONVERSIONS and (self.type != "numeric" or self.precision > 0)


def convert(column: Column, load: Load, value: Any) -> str | float | None:
    """What PostgreSQL is to read for a JSON value, as a text or a number or null; raise ValueRefusedError."""
    text = "" if value is None else as_text(value)
    if column.type not in TEXT_TYPES:
        text = text.strip(_WHITE_SPACE)
    if column.type == "numeric" and isinstance(value, Number | int) and not isinstance(value, bool):
        text = _of_double(text, column, load)
    converted: str | float | None = None
    if text or (value is not None and column.type in TEXT_TYPES):
        converted = _CONVERSIONS[column.type](text, column, load)
    if converted is None and column.not_null:
        raise ValueRefusedError(1213, "Missing data for not-null field")
    return converted


def as_text(value: Any) -> str:
    """A JSON value as text: what was written for numbers and text, JSON again for the rest."""
    try:
        return str(value) if isinstance(value, str) else _json(value)
    except RecursionError:
        raise ValueRefusedError(1216, "Invalid JSON format: it is nested too deeply") from None


def _json(value: Any) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def invalid_utf8(text: str) -> ValueRefusedError | None:
    """What is wrong with a text that was decoded with surrogates in place of bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        sequence = text[error.start : error.start + _LONGEST_CHARACTER].encode(errors="surrogateescape")
        return _bad_utf8(sequence, error.start)
    return None


def _bad_utf8(sequence: bytes, position: int) -> ValueRefusedError:
    """The error of the bytes at the beginning of a sequence.

    https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
    """
    length = _LENGTHS.get(sequence[0] >> 3, 1)
    if length == 1:
        kind = 1 if 0xF8 <= sequence[0] < 0xFE else 3
    elif not all(0x80 <= byte < 0xC0 for byte in sequence[1:length]):
        kind = 4
    elif len(sequence) < length:
        kind = 2
    else:
        kind = 5 if sequence[0] == 0xED else 8 if sequence[0] >= 0xF4 else 9
    shown = f"{sequence[:length].hex(' ')} (error {kind})"
    words = f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {shown}"
    return ValueRefusedError(1220, words, position)


def _multibyte(text: str) -> ValueRefusedError:
    position, letter = next((at, letter) for at, letter in enumerate(text) if not letter.isascii())
    words = "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char:"
    return ValueRefusedError(1220, f"{words} {letter.encode().hex(' ')}", position)


def _text(text: str, column: Column, load: Load) -> str | None:
    if ("EMPTYASNULL" in load.flags and not text) or (
        "BLANKSASNULL" in load.flags and text and not text.strip(_WHITE_SPACE)
    ):
        return None
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        # Half a surrogate: JSON can write it, UTF-8 has no bytes for it.
        raise _bad_utf8(text[error.start].encode(errors="surrogatepass"), error.start) from None
    if "\0" in text:
        raise ValueRefusedError(1218, "Invalid null byte - field longer than 1 byte", text.index("\0"))
    if column.type == "bpchar" and not text.isascii():
        raise _multibyte(text)
    if column.length and len(encoded) > column.length:
        if "TRUNCATECOLUMNS" not in load.flags:
            raise ValueRefusedError(1204, "String length exceeds DDL length")
        return encoded[: column.length].decode(errors="ignore")
    return text


def _number(form: re.Pattern[str], text: str, column: Column) -> str:
    if form.fullmatch(text):
        return text
    allowed = "+-0123456789" if form is _INTEGER else "+-.eE0123456789"
    position = next((i for i, letter in enumerate(text) if letter not in allowed), 0)
    words = f"Invalid digit, Value '{text[position]}', Pos {position}, Type: {_TYPE_WORDS[column.type]}"
    raise ValueRefusedError(1207, words, position)


def _integer(text: str, column: Column, load: Load) -> int:
    limit = 1 << INTEGER_BITS[column.type]
    # Python takes its time over many digits, and from 4,300 on it refuses them.
    if len(_number(_INTEGER, text, column)) < 40 and -limit <= int(text) < limit:
        return int(text)
    words = f"Overflow (Max: {limit - 1}), Value {text[:40]}, Type: {_TYPE_WORDS[column.type]}"
    raise ValueRefusedError(1222, words)


def _decimal(text: str, column: Column, load: Load) -> str:
    """Cuts to the column's scale; rounds with ROUNDEC, as INSERT does.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html#copy-roundec
    """
    if column.precision != _DIGITS_OF_64_BITS and _fitting(column.precision, column.scale).fullmatch(text):
        return text
    rounding = ROUND_HALF_UP if "ROUNDEC" in load.flags else ROUND_DOWN
    try:
        written = Decimal(_number(_NUMBER, text, column))
        exact = written.quantize(_UNITS[column.scale], rounding, _EXACT)
        if exact.adjusted() < column.precision - column.scale and not _over_64_bits(exact, column):
            return text if exact == written and "e" not in text.lower() else f"{exact:f}"
    except InvalidOperation:
        pass
    raise ValueRefusedError(1209, f"Overflow for NUMERIC({column.precision},{column.scale})")


@functools.cache
def _fitting(precision: int, scale: int) -> re.Pattern[str]:
    """What most numbers look like that need neither be cut nor rounded."""
    whole = rf"[0-9]{{1,{precision - scale}}}" if precision > scale else "0"
    return re.compile(rf"-?{whole}(?:\.[0-9]{{1,{scale}}})?" if scale else rf"-?{whole}")


def _of_double(text: str, column: Column, load: Load) -> str:
    """The digits of the double that COPY makes of a JSON number, which cutting may make less than what was written.

    A number in quotes keeps its digits, and ROUNDEC gives those of a number of up to 15:
    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html#copy-usage-json-rounding
    """
    fits = len(text) <= _DIGITS_OF_A_DOUBLE and _fitting(column.precision, column.scale).fullmatch(text)
    if fits and ("ROUNDEC" in load.flags or "." not in text):
        return text
    double = float(text)
    return text if math.isinf(double) else f"{Decimal(double):f}"


def _over_64_bits(value: Decimal, column: Column) -> bool:
    """Whether a DECIMAL of 19 digits does not fit into the 64-bit integer that Redshift keeps it in.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    """
    return column.precision == _DIGITS_OF_64_BITS and abs(value.scaleb(column.scale, _EXACT)) >= 1 << 63


def _float(text: str, column: Column, load: Load) -> str | float:
    value = float(_number(_NUMBER, text, column))
    if abs(value) > _LARGEST[column.type]:
        raise ValueRefusedError(1208, f"Overflow, Value {text[:40]}, Type: {_TYPE_WORDS[column.type]}")
    # PostgreSQL refuses what is too small for a float4 and not zero.
    return str(struct.unpack("f", struct.pack("f", value))[0]) if column.type == "float4" else value


def _boolean(text: str, column: Column, load: Load) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueRefusedError(1210, f"Unknown boolean format, Value '{text[:40]}'")
    return text.lower() in _TRUE


def _moment(text: str, column: Column, load: Load) -> str:
    date = column.type == "date"
    zoned = column.type == "timestamptz"
    try:
        moment = times.read(text, times.DATE if date else load.time_format or times.TIMESTAMP, zoned)
    except (ValueError, OverflowError):
        if date:
            raise ValueRefusedError(1205, "Invalid Date Format - length must be 10 or more") from None
        shown = load.time_format or "YYYY-MM-DD HH24:MI:SS"
        raise ValueRefusedError(1206, f"Invalid timestamp format or value [{shown}]") from None
    return str(moment.date() if date else moment if zoned else moment.replace(tzinfo=None))


_CONVERSIONS: dict[str, Callable[[str, Column, Load], str | float | None]] = {
    **dict.fromkeys(TEXT_TYPES, _text),
    **dict.fromkeys(INTEGER_BITS, _integer),
    **dict.fromkeys(_LARGEST, _float),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _moment),
    "numeric": _decimal,
    "bool": _boolean,
}
