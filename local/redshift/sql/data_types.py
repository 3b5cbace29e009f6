"""The data types the stand-in knows, and what PostgreSQL calls them."""

from __future__ import annotations

from local.redshift.sql.functions import ALLOWED
from local.redshift.sql.grammar import Grammar
from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import RefusedError

_MAX_VARCHAR, _MAX_CHAR = 65535, 4096


def read_type(cursor: Cursor) -> str:
    """PostgreSQL's text for the type the cursor is at; raise RefusedError for one that is not known."""
    for _, pattern, target in ALLOWED["types"]:
        if match := _GRAMMAR.read(pattern, cursor):
            return match.fill(target)
    raise RefusedError(f'The type "{cursor.next().text}" is refused: the stand-in does not know it for certain.')


def byte_limit(kind: str) -> int | None:
    """How many bytes a type of PostgreSQL's holds in Redshift, for those that are limited in bytes."""
    return int(kind[8:-1]) if kind.startswith("varchar(") else None


def _bytes(cursor: Cursor) -> str:
    return _length(cursor, "varchar", 256, _MAX_VARCHAR)


def _characters(cursor: Cursor) -> str:
    return _length(cursor, "char", 1, _MAX_CHAR)


def _length(cursor: Cursor, kind: str, default: int, most: int) -> str:
    if not cursor.accept("("):
        return f"({default})"
    length = _MAX_VARCHAR if cursor.accept("MAX") else cursor.whole()
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
