"""CREATE TABLE by tokens: physical attributes fall away, byte lengths and zone maps come in."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.redshift.sql.lexer import MAX_IDENTIFIER_BYTES, Cursor, Token, quote_name, relation
from local.redshift.sql.plan import Plan, RefusedError, Script, Send
from local.redshift.sql.query import rewrite_expression, rewrite_query

# In place of Redshift's zone maps; 128 pages are 1 MB, as Redshift's blocks are.
_ZONE_MAP = "USING brin ({columns}) WITH (pages_per_range = 128, autosummarize = on)"
# New rows go to the end, as on Redshift. Vacuumed after inserts, they would fill the holes of old ones, and zone maps
# that know of both moments tell nothing.
_AT_THE_END = "SET (autovacuum_vacuum_insert_threshold = -1)"
_ZONE_MAP_SUFFIX = "_zone_map"
BYTE_LIMIT_SUFFIX = "_byte_limit"
MAX_VARCHAR = 65535
_PLAIN_TYPES = {
    "SMALLINT": "smallint", "INT2": "smallint", "INTEGER": "integer", "INT": "integer", "INT4": "integer",
    "BIGINT": "bigint", "INT8": "bigint", "REAL": "real", "FLOAT4": "real", "FLOAT": "double precision",
    "FLOAT8": "double precision", "BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamptz",
}  # fmt: skip
_TEXT_TYPES = {"VARCHAR", "NVARCHAR", "TEXT"}
# BRIN has no minmax operators for these.
_WITHOUT_ZONE_MAP = {"boolean"}


@dataclass
class _Table:
    """What is gathered while the definition is read."""

    elements: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    not_null: set[str] = field(default_factory=set)
    sort_key: list[str] = field(default_factory=list)


def create_table(cursor: Cursor) -> Plan:
    """The plan for a CREATE TABLE whose words CREATE [TEMP] TABLE have yet to be read."""
    cursor.expect("CREATE")
    cursor.accept("LOCAL")
    temporary = cursor.accept("TEMPORARY") or cursor.accept("TEMP")
    cursor.expect("TABLE")
    unless_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified_name()
    temporary = temporary or name[-1].startswith("#")
    head = f"CREATE {'TEMP ' if temporary else ''}TABLE {'IF NOT EXISTS ' if unless_exists else ''}{relation(name)}"
    table = _Table()
    if not cursor.at("("):
        return _create_as(cursor, head, name, table, temporary)
    if (following := cursor.peek(1)) is not None and following.upper == "LIKE":
        return _create_like(cursor, head)
    if _is_list_of_names(cursor):
        columns = cursor.names()
        named = f"{head} ({', '.join(map(quote_name, columns))})"
        return _create_as(cursor, named, name, table, temporary)
    cursor.expect("(")
    _element(cursor, table)
    while cursor.accept(","):
        _element(cursor, table)
    cursor.expect(")")
    _table_attributes(cursor, table)
    cursor.end()
    lines = [_with_not_null(element, table) for element in table.elements]
    return _with_zone_map(f"{head} ({', '.join(lines)})", name, table, temporary, "CREATE TABLE")


def _create_as(cursor: Cursor, head: str, name: tuple[str, ...], table: _Table, temporary: bool) -> Plan:
    _table_attributes(cursor, table)
    cursor.expect("AS")
    body = cursor.rest()
    if body and body[0].upper == "(" and body[-1].upper == ")":
        body = _without_parentheses(body)
    return _with_zone_map(f"{head} AS {rewrite_query(body, only_select=True)}", name, table, temporary, "SELECT")


def _without_parentheses(body: list[Token]) -> list[Token]:
    depth = 0
    for token in body[:-1]:
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if depth == 0:
            return body
    return body[1:-1]


def _create_like(cursor: Cursor, head: str) -> Plan:
    cursor.expect("(")
    cursor.expect("LIKE")
    parent = cursor.qualified_name()
    # The byte limits of VARCHAR are constraints in PostgreSQL.
    options = "INCLUDING CONSTRAINTS"
    if cursor.accept("INCLUDING", "DEFAULTS"):
        options += " INCLUDING DEFAULTS"
    else:
        cursor.accept("EXCLUDING", "DEFAULTS")
    cursor.expect(")")
    _table_attributes(cursor, _Table())
    cursor.end()
    return Send(f"{head} (LIKE {relation(parent)} {options})")


def _is_list_of_names(cursor: Cursor) -> bool:
    """Whether the parenthesis holds only names, as in CREATE TABLE t (a, b) AS SELECT."""
    following = cursor.peek(2)
    return following is not None and following.upper in (",", ")")


def _with_zone_map(statement: str, name: tuple[str, ...], table: _Table, temporary: bool, tag: str) -> Plan:
    columns = list(dict.fromkeys(table.sort_key))
    unknown = [column for column in columns if table.types and column not in table.types]
    if unknown:
        raise RefusedError(f'column "{unknown[0]}" named in the sort key does not exist', "42703")
    columns += [c for c, kind in table.types.items() if kind.startswith(("date", "timestamp")) and c not in columns]
    columns = [column for column in columns if table.types.get(column) not in _WITHOUT_ZONE_MAP]
    if temporary or not table.sort_key or not columns:
        return Send(statement)
    index = quote_name(_short(name[-1], _ZONE_MAP_SUFFIX))
    covered = _ZONE_MAP.format(columns=", ".join(map(quote_name, columns)))
    mapped = f"CREATE INDEX IF NOT EXISTS {index} ON {relation(name)} {covered}"
    return Script(f"{statement}; {mapped}; ALTER TABLE {relation(name)} {_AT_THE_END}", tag)


def _short(name: str, suffix: str) -> str:
    """The name with the suffix, as long as PostgreSQL allows."""
    return name.encode()[: MAX_IDENTIFIER_BYTES - len(suffix)].decode(errors="ignore") + suffix


def _with_not_null(element: str, table: _Table) -> str:
    column, _, rest = element.partition("\0")
    return element if not rest else f"{column} {rest}{' NOT NULL' if column[1:-1] in table.not_null else ''}"


def _element(cursor: Cursor, table: _Table) -> None:
    if cursor.accept("CONSTRAINT"):
        cursor.name()
        _table_constraint(cursor, table)
    elif cursor.at("PRIMARY", "KEY") or cursor.at("UNIQUE", "(") or cursor.at("FOREIGN", "KEY"):
        _table_constraint(cursor, table)
    else:
        _column(cursor, table)


def _table_constraint(cursor: Cursor, table: _Table) -> None:
    """Keys inform Redshift's planner and are not enforced; only what a primary key says of NULL is."""
    if cursor.accept("PRIMARY", "KEY"):
        table.not_null.update(cursor.names())
    elif cursor.accept("UNIQUE"):
        cursor.names()
    elif cursor.accept("FOREIGN", "KEY"):
        cursor.names()
        cursor.expect("REFERENCES")
        _reference(cursor)
    else:
        raise cursor.error()


def _reference(cursor: Cursor) -> None:
    cursor.qualified_name()
    if cursor.at("("):
        cursor.names()


def _column(cursor: Cursor, table: _Table) -> None:
    name = cursor.name()
    kind, limit = column_type(cursor)
    if name in table.types:
        raise RefusedError(f'column "{name}" specified more than once', "42701")
    table.types[name] = kind
    rest = column_attributes(cursor, name, limit, table)
    table.elements.append(f"{quote_name(name)}\0{kind}{rest}")


def column_attributes(cursor: Cursor, name: str, limit: int | None, table: _Table | None = None) -> str:
    """PostgreSQL text for what follows a column's type, the physical attributes left out."""
    table = table or _Table()
    text = ""
    while (token := cursor.peek()) is not None and token.upper not in (",", ")"):
        if cursor.accept("DEFAULT"):
            text += f" DEFAULT {rewrite_expression(_default_tokens(cursor))}"
        elif cursor.accept("NOT", "NULL") or cursor.accept("PRIMARY", "KEY"):
            table.not_null.add(name)
        elif cursor.accept("REFERENCES"):
            _reference(cursor)
        elif cursor.accept("ENCODE"):
            cursor.name()
        elif cursor.accept("SORTKEY"):
            table.sort_key.append(name)
        elif not (cursor.accept("NULL") or cursor.accept("UNIQUE") or cursor.accept("DISTKEY")):
            raise RefusedError(f'The column attribute "{token.text}" of {name} is refused by the stand-in.')
    if limit is not None:
        constraint = quote_name(_short(name, BYTE_LIMIT_SUFFIX))
        text += f" CONSTRAINT {constraint} CHECK (octet_length({quote_name(name)}) <= {limit})"
    return text


_ATTRIBUTES = {"NOT", "NULL", "PRIMARY", "UNIQUE", "REFERENCES", "ENCODE", "SORTKEY", "DISTKEY", "IDENTITY", ",", ")"}


def _default_tokens(cursor: Cursor) -> list[Token]:
    tokens: list[Token] = [cursor.next()]
    depth = 1 if tokens[0].upper == "(" else 0
    while (token := cursor.peek()) is not None and (depth or token.upper not in _ATTRIBUTES):
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        tokens.append(cursor.next())
    return tokens


def column_type(cursor: Cursor) -> tuple[str, int | None]:
    """A type as PostgreSQL text, and for VARCHAR its length in bytes."""
    token = cursor.next()
    word = token.upper
    if word == "CHARACTER":
        word = "VARCHAR" if cursor.accept("VARYING") else "CHAR"
    if word == "DOUBLE":
        cursor.expect("PRECISION")
        return "double precision", None
    if word in _TEXT_TYPES:
        # Redshift turns TEXT into VARCHAR(256), whatever length is asked for.
        length = 256 if word == "TEXT" else _length(cursor, 256)
        if length > MAX_VARCHAR:
            raise RefusedError(f"length for type varchar cannot exceed {MAX_VARCHAR}", "22023")
        return f"varchar({length})", length
    if word in ("CHAR", "NCHAR", "BPCHAR"):
        length = 256 if word == "BPCHAR" else _length(cursor, 1)
        if length > 4096:
            raise RefusedError("length for type char cannot exceed 4096", "22023")
        return f"char({length})", None
    if word in ("DECIMAL", "NUMERIC"):
        return _decimal(cursor), None
    if word not in _PLAIN_TYPES:
        raise RefusedError(f'The type "{token.text}" is refused: the stand-in does not know it for certain.')
    kind = _PLAIN_TYPES[word]
    if word == "TIMESTAMP" and cursor.accept("WITH", "TIME", "ZONE"):
        kind = "timestamptz"
    elif word == "TIMESTAMP":
        cursor.accept("WITHOUT", "TIME", "ZONE")
    return kind, None


def _length(cursor: Cursor, default: int) -> int:
    if not cursor.accept("("):
        return default
    length = MAX_VARCHAR if cursor.accept("MAX") else _whole(cursor)
    cursor.expect(")")
    if length < 1:
        raise RefusedError("the length of a text type must be at least 1", "22023")
    return length


def _whole(cursor: Cursor) -> int:
    digits = cursor.take("number")
    if not digits.isdecimal() or len(digits) > 9:
        raise RefusedError(f'syntax error at or near "{digits}"', "42601")
    return int(digits)


def _decimal(cursor: Cursor) -> str:
    precision, scale = 18, 0
    if cursor.accept("("):
        precision = _whole(cursor)
        if cursor.accept(","):
            scale = _whole(cursor)
        cursor.expect(")")
    if not (1 <= precision <= 38 and scale <= min(precision, 37)):
        raise RefusedError(f"DECIMAL({precision}, {scale}) is refused: precision 1 to 38, scale up to 37.", "22023")
    return f"numeric({precision}, {scale})"


def _table_attributes(cursor: Cursor, table: _Table) -> None:
    while (token := cursor.peek()) is not None and token.upper != "AS":
        if cursor.accept("BACKUP"):
            cursor.name()
        elif cursor.accept("DISTSTYLE"):
            if cursor.name() not in ("all", "even", "key", "auto"):
                raise RefusedError("DISTSTYLE is ALL, EVEN, KEY or AUTO.", "42601")
        elif cursor.accept("DISTKEY"):
            if len(cursor.names()) != 1:
                raise RefusedError("DISTKEY takes one column.", "42601")
        elif cursor.accept("ENCODE", "AUTO") or cursor.accept("SORTKEY", "AUTO"):
            continue
        elif cursor.at("SORTKEY") or cursor.at("COMPOUND", "SORTKEY") or cursor.at("INTERLEAVED", "SORTKEY"):
            cursor.accept("COMPOUND")
            cursor.accept("INTERLEAVED")
            cursor.expect("SORTKEY")
            table.sort_key.extend(cursor.names())
        else:
            raise RefusedError(f'The table attribute "{token.text}" is refused by the stand-in.')
