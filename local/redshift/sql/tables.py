"""Tables as PostgreSQL shall make them: physical attributes fall away; byte lengths, keys and zone maps come in.

A key is kept as a CHECK that is not enforced: so it is renamed and dropped with its table, and the compatibility
schema's views of keys read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local.redshift.sql.data_types import BYTE_LIMIT_SUFFIX, byte_limit, limit_of, read_type
from local.redshift.sql.functions import ALLOWED, SCHEMA
from local.redshift.sql.grammar import Grammar, Match, Reader
from local.redshift.sql.lexer import MAX_IDENTIFIER_BYTES, Cursor, quote_literal, quote_name, quote_user, relation
from local.redshift.sql.plan import Plan, RefusedError, Script, Send
from local.redshift.sql.query import rewrite_expression, rewrite_query

# In place of Redshift's zone maps; 128 pages are 1 MB, as Redshift's blocks are. And new rows go to the end, as there:
# vacuumed after inserts, they would fill the holes of old ones, and zone maps that know of both moments tell nothing.
_ZONE_MAP = (
    "CREATE INDEX IF NOT EXISTS {0} ON {1} USING brin ({2}) WITH (pages_per_range = 128, autosummarize = on); "
    "ALTER TABLE {1} SET (autovacuum_vacuum_insert_threshold = -1)"
)
_ZONE_MAP_SUFFIX = "_zone_map"
_MOST_SORTED = 400
_MOST_INTERLEAVED = 8
_KEY_SUFFIXES = {"PRIMARY KEY": "_pkey", "UNIQUE": "_key", "FOREIGN KEY": "_fkey"}
_AFTER_DEFAULT = frozenset(("NOT", "NULL", "PRIMARY", "UNIQUE", "REFERENCES", "ENCODE", "SORTKEY", "DISTKEY", ",", ")"))


@dataclass
class _Table:
    """What is gathered while a definition is read; names are PostgreSQL text."""

    name: str
    temporary: bool = False
    elements: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    sort_key: list[str] = field(default_factory=list)
    own_sort_keys: int = 0
    distribution_keys: list[str] = field(default_factory=list)
    distribution_style: str = ""
    keys: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def read_one(self, cursor: Cursor, kind: str, column: str = "") -> str | None:
        """What PostgreSQL gets of the attribute the cursor is at; None if it is none of this kind."""
        for pattern, fact, *target in ALLOWED[kind]:
            if match := GRAMMAR.read(pattern, cursor):
                self._note(fact, match.all("column") or [column], match)
                return match.fill("".join(target))
        return None

    def _note(self, fact: str, columns: list[str], match: Match) -> None:
        unknown = [name for name in columns if name and fact and self.types and name not in self.types]
        if unknown:
            raise RefusedError(f"column {unknown[0]} named in key does not exist", "42703")
        if fact in ("SORTKEY", "INTERLEAVED SORTKEY"):
            self.own_sort_keys += not match.all("column")
            self.sort_key += columns
            most = _MOST_INTERLEAVED if fact == "INTERLEAVED SORTKEY" else _MOST_SORTED
            if len(columns) > most or self.own_sort_keys > 1:
                raise RefusedError(f"The sort key is refused: it has {most} columns at most, one in columns.", "42601")
        elif fact == "DISTKEY":
            self.distribution_keys += columns
        elif fact == "DISTSTYLE":
            self.distribution_style = match["style"].upper()
        elif fact == "IDENTITY" and self.types[columns[0]] not in ("integer", "bigint"):
            raise RefusedError(f"The identity column {columns[0]} is refused: it must be INT or BIGINT.", "42804")
        elif fact in _KEY_SUFFIXES:
            self._note_key(fact, columns, match)

    def _note_key(self, fact: str, columns: list[str], match: Match) -> None:
        suffix = _KEY_SUFFIXES[fact]
        if fact == "PRIMARY KEY":
            name = _derived(self.name, suffix)
            self.keys += [f"NOT NULL {column}" for column in columns]
        else:
            name = _derived(self.name, suffix, columns)
        if match["constraint"]:
            name = match["constraint"]
        listed = ", ".join(columns)
        self.keys.append(f"CONSTRAINT {name} CHECK (ROW('{fact}', {listed}) IS NOT NULL) NOT ENFORCED")
        self.after += [f"SELECT CAST({quote_literal(table)} AS regclass)" for table in match.all("relation")]

    def element(self, cursor: Cursor) -> None:
        """Read a column or a table constraint."""
        if self.read_one(cursor, "table_constraints") is None:
            name = quote_name(cursor.name())
            if name in self.types:
                raise RefusedError(f"column {name} specified more than once", "42701")
            self.elements.append(self.column(cursor, name))

    def column(self, cursor: Cursor, name: str) -> str:
        """PostgreSQL text for a column whose name was read."""
        kind = self.types[name] = read_type(cursor)
        text = f"{name} {kind}"
        while (token := cursor.peek()) is not None and token.upper not in (",", ")"):
            attribute = self.read_one(cursor, "column_attributes", name)
            if attribute is None:
                raise RefusedError(f'The column attribute "{token.text}" of {name} is refused by the stand-in.')
            text += f" {attribute}" if attribute else ""
        limited = _limited(name, kind)
        return f"{text} {limited}" if limited else text

    def attributes(self, cursor: Cursor) -> None:
        """Read what follows the columns."""
        while (token := cursor.peek()) is not None and token.upper != "AS":
            if self.read_one(cursor, "table_attributes") is None:
                raise RefusedError(f'The table attribute "{token.text}" is refused by the stand-in.')

    def _check_distribution(self) -> None:
        """Refuse a DISTKEY of two columns, or beside another style.

        https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
        """
        keys = self.distribution_keys
        if len(keys) > 1:
            raise RefusedError(f"DISTKEY is refused for {', '.join(keys)}: a table has one.", "42601")
        if keys and self.distribution_style not in ("", "KEY"):
            raise RefusedError(f"DISTKEY is refused beside DISTSTYLE {self.distribution_style}.", "42601")
        if not keys and self.distribution_style == "KEY":
            raise RefusedError("DISTSTYLE KEY is refused without a DISTKEY column.", "42601")

    def plan(self, statement: str, tag: str) -> Plan:
        """The statement with what has to follow it."""
        self._check_distribution()
        dates = [name for name, kind in self.types.items() if kind.startswith(("date", "timestamp"))]
        # BRIN has no minmax operators for booleans.
        columns = [name for name in dict.fromkeys(self.sort_key + dates) if self.types.get(name) != "boolean"]
        if self.sort_key and columns and not self.temporary:
            self.after.append(zone_map(self.name, columns))
        return Script("; ".join([statement, *self.after]), tag) if self.after else Send(statement)


def create_table(cursor: Cursor) -> Plan:
    """The plan for CREATE TABLE in all its forms."""
    head = GRAMMAR.read("CREATE [local] [temp | temporary] TABLE [IF NOT EXISTS] <relation>", cursor)
    if head is None:
        raise cursor.error()
    name = head["relation"]
    temporary = cursor.tokens[1].upper != "TABLE" or name.startswith('"#')
    statement = head.sql().replace("CREATE TABLE", "CREATE TEMP TABLE", 1) if temporary else head.sql()
    table = _Table(name, temporary)
    if like := GRAMMAR.read("( LIKE <relation> [INCLUDING DEFAULTS | excluding defaults] )", cursor):
        if (token := cursor.peek()) is not None:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html#create-table-like
            words = "LIKE takes it from the other table, and it cannot be set beside it."
            raise RefusedError(f'The table attribute "{token.text}" is refused: {words}', "42601")
        # The byte limits of VARCHAR are constraints in PostgreSQL; keys are too, and are not copied by Redshift.
        options = "INCLUDING CONSTRAINTS"
        if "INCLUDING" in like.all(""):
            options += " INCLUDING DEFAULTS"
        table.after = [f"SELECT {SCHEMA}.drop_keys({quote_literal(name)}, {quote_literal(like['relation'])})"]
        return table.plan(f"{statement} (LIKE {like['relation']} {options})", "CREATE TABLE")
    listed = GRAMMAR.read("( <name, ...> )", cursor)
    if listed or not cursor.accept("("):
        table.attributes(cursor)
        cursor.expect("AS")
        columns = f" ({listed['name']})" if listed else ""
        table.after.append(f"SELECT {SCHEMA}.limit_columns({quote_literal(name)})")
        return table.plan(f"{statement}{columns} AS {rewrite_query(cursor.rest())}", "SELECT")
    table.element(cursor)
    while cursor.accept(","):
        table.element(cursor)
    cursor.expect(")")
    table.attributes(cursor)
    cursor.end()
    return table.plan(f"{statement} ({', '.join([*table.elements, *table.keys])})", "CREATE TABLE")


def add_column(cursor: Cursor) -> str:
    """PostgreSQL text for the column of an ADD COLUMN."""
    table = _Table("")
    name = quote_name(cursor.name())
    text = table.column(cursor, name)
    if table.keys or table.sort_key or any(words in text for words in (" NOT NULL", " IDENTITY (")):
        raise RefusedError("ADD COLUMN is known only with a type, DEFAULT, NULL and ENCODE.")
    return text


def add_key(cursor: Cursor) -> Plan:
    """The plan for ALTER TABLE … ADD of a constraint."""
    cursor.expect("ALTER", "TABLE")
    table = _Table(relation(cursor.qualified_name()))
    cursor.expect("ADD")
    if table.read_one(cursor, "table_constraints") is None:
        raise cursor.error()
    cursor.end()
    return table.plan(f"ALTER TABLE {table.name} {', '.join(f'ADD {key}' for key in table.keys)}", "ALTER TABLE")


def alter_type(match: Match) -> Plan:
    """PostgreSQL text for a VARCHAR that shall be longer, its limit in bytes included."""
    column = match["name"]
    kind = match["type"]
    if byte_limit(kind) is None:
        raise RefusedError("ALTER COLUMN … TYPE is known only for VARCHAR.")
    limit = _derived(column, BYTE_LIMIT_SUFFIX)
    changes = f"ALTER COLUMN {column} TYPE {kind}, DROP CONSTRAINT {limit}, ADD {_limited(column, kind)}"
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    alone = f"SELECT {SCHEMA}.outside_of_transactions('ALTER TABLE ALTER COLUMN')"
    return Script(f"{alone}; ALTER TABLE {match['relation']} {changes}", "ALTER TABLE")


def alter_sort_key(match: Match) -> Plan:
    """The plan for another sort key: another zone map."""
    table = match["relation"]
    columns = match.all("name")
    index = _derived(table, _ZONE_MAP_SUFFIX)
    if schema := table.rpartition(".")[0]:
        index = f"{schema}.{index}"
    statements = [f"ALTER TABLE {table} RESET (fillfactor)", f"DROP INDEX IF EXISTS {index}"]
    if columns:
        statements.append(zone_map(table, columns))
    return Script("; ".join(statements), "ALTER TABLE")


def zone_map(table: str, columns: list[str]) -> str:
    """The statement that makes a table's zone map."""
    return _ZONE_MAP.format(_derived(table, _ZONE_MAP_SUFFIX), table, ", ".join(columns))


def _limited(column: str, kind: str) -> str:
    """The constraint for what a column's type holds less here than in PostgreSQL; an empty text if there is none."""
    limit = limit_of(column, kind)
    return f"CONSTRAINT {_derived(column, limit[0])} CHECK ({limit[1]})" if limit else ""


def _derived(name: str, suffix: str, columns: list[str] | None = None) -> str:
    """A name made of a table's or a column's, as long as PostgreSQL allows."""
    bare = "_".join(part.rpartition('"."')[2].strip('"') for part in [name, *(columns or [])])
    return quote_name(bare.encode()[: MAX_IDENTIFIER_BYTES - len(suffix)].decode(errors="ignore") + suffix)


def _default(cursor: Cursor) -> str:
    return rewrite_expression(cursor.until(_AFTER_DEFAULT))


def _style(cursor: Cursor) -> str:
    token = cursor.peek()
    if token is None or token.upper not in ("ALL", "EVEN", "KEY", "AUTO"):
        raise cursor.error()
    return cursor.next().text


READERS: dict[str, Reader | str] = {
    "name": lambda cursor: quote_name(cursor.name()),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html
    "user": lambda cursor: quote_user(cursor.user()),
    "relation": lambda cursor: relation(cursor.qualified_name()),
    "whole": lambda cursor: str(cursor.whole()),
    "word": lambda cursor: cursor.take("word"),
    "style": _style,
    "type": read_type,
    "default": _default,
}
GRAMMAR = Grammar(READERS)
