"""The data types the stand-in knows, and what PostgreSQL calls them."""

from __future__ import annotations

from local.redshift.sql.functions import ALLOWED
from local.redshift.sql.grammar import Grammar
from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import RefusedError

_MAX_VARCHAR = 65535
_MAX_CHAR = 4096
_MOST_OF_19 = 2**63 - 1
# What the constraints are named by that stand for limits PostgreSQL's types do not have.
BYTE_LIMIT_SUFFIX = "_byte_limit"
SINGLE_BYTE_SUFFIX = "_single_byte"
DECIMAL_LIMIT_SUFFIX = "_decimal_limit"


def read_type(cursor: Cursor) -> str:
    """PostgreSQL's text for the type the cursor is at; raise RefusedError for one that is not known."""
    for _, pattern, target in ALLOWED["types"]:
        if match := _GRAMMAR.read(pattern, cursor):
            return match.fill(target)
    raise RefusedError(f'The type "{cursor.next().text}" is refused: the stand-in does not know it for certain.')


def byte_limit(kind: str) -> int | None:
    """How many bytes a type of PostgreSQL's holds in Redshift, for those that are limited in bytes."""
    return int(kind[8:-1]) if kind.startswith("varchar(") else None


def limit_of(column: str, kind: str) -> tuple[str, str] | None:
    """What a column of this type holds less than PostgreSQL's: a suffix for its name, and the condition.

    DECIMAL of 19 digits is a 64-bit integer: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    """
    if (limit := byte_limit(kind)) is not None:
        return BYTE_LIMIT_SUFFIX, f"octet_length({column}) <= {limit}"
    if kind.startswith("char"):
        text = f"CAST({column} AS text)"
        return SINGLE_BYTE_SUFFIX, f"octet_length({text}) = char_length({text})"
    if kind.startswith("numeric(19,"):
        return DECIMAL_LIMIT_SUFFIX, f"CAST(replace(CAST(abs({column}) AS text), '.', '') AS numeric) <= {_MOST_OF_19}"
    return None


def _bytes(cursor: Cursor) -> str:
    return _length(cursor, "varchar", 256, _MAX_VARCHAR)


def _characters(cursor: Cursor) -> str:
    return _length(cursor, "char", 1, _MAX_CHAR)


def _length(cursor: Cursor, kind: str, default: int, most: int) -> str:
    if not cursor.accept("("):
        return f"({default})"
    length = most if cursor.accept("MAX") else cursor.whole()
    cursor.expect(")")
    if not 1 <= length <= most:
        raise RefusedError(f"The length {length} is refused: {kind} has 1 to {most}.", "22023")
    return f"({length})"


def _precision(cursor: Cursor) -> str:
    precision = 18
    scale = 0
    if cursor.accept("("):
        precision = cursor.whole()
        if cursor.accept(","):
            scale = cursor.whole()
        cursor.expect(")")
    if not (1 <= precision <= 38 and scale <= min(precision, 37)):
        raise RefusedError(f"DECIMAL({precision}, {scale}) is refused: precision 1 to 38, scale up to 37.", "22023")
    return f"({precision}, {scale})"


_GRAMMAR = Grammar({"bytes": _bytes, "characters": _characters, "precision": _precision})
