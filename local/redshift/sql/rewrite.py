"""A client's SQL text to plans, statement by statement: an allow list by leading word."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from local.redshift.sql.copy_statement import parse_copy
from local.redshift.sql.functions import SCHEMA
from local.redshift.sql.lexer import Cursor, Token, quote_literal, quote_name, relation, split, tokenize
from local.redshift.sql.plan import Plan, Refuse, RefusedError, Script, Send
from local.redshift.sql.query import rewrite_query
from local.redshift.sql.tables import column_attributes, column_type, create_table

_CACHED_LENGTH = 32_768
# Redshift's own limit of a statement.
MAX_STATEMENT_BYTES = 16 * 1024 * 1024
# Session parameters PostgreSQL knows by the same name and meaning.
_SHARED_SETTINGS = {
    "application_name", "client_encoding", "datestyle", "extra_float_digits", "statement_timeout", "timezone",
}  # fmt: skip
# Parameters only Redshift has: remembered and shown, without effect.
REDSHIFT_SETTINGS = {
    "query_group": "", "wlm_query_slot_count": "1", "enable_result_cache_for_session": "on",
    "enable_case_sensitive_identifier": "off", "analyze_threshold_percent": "10", "mv_enable_aqmv_for_session": "on",
    "enable_vacuum_boost": "off", "json_serialization_enable": "off", "describe_field_name_in_uppercase": "off",
    "downcase_delimited_identifier": "on",
}  # fmt: skip


def rewrite(text: str) -> tuple[Plan, ...]:
    """The plans of every statement in *text*; never raises, an unknown statement is a Refuse."""
    return _cached(text) if len(text) <= _CACHED_LENGTH else _rewrite(text)


def _rewrite(text: str) -> tuple[Plan, ...]:
    if len(text) > MAX_STATEMENT_BYTES:
        return (Refuse("The statement is refused: it is longer than 16 MB.", "54000"),)
    try:
        statements = split(tokenize(text))
    except RefusedError as refused:
        return (Refuse(refused.message, refused.code),)
    return tuple(_plan(statement, text) for statement in statements)


_cached = lru_cache(maxsize=1024)(_rewrite)


def _plan(tokens: list[Token], text: str) -> Plan:
    try:
        word = tokens[0].upper
        rewriter = _STATEMENTS.get(word)
        if rewriter is None:
            raise RefusedError(f"The stand-in does not know the statement {tokens[0].text} and refuses it.")
        return rewriter(Cursor(tokens), text[tokens[0].start : tokens[-1].end])
    except RefusedError as refused:
        return Refuse(refused.message, refused.code)


def _query(cursor: Cursor, text: str) -> Plan:
    return Send(rewrite_query(cursor.rest()))


def _begin(cursor: Cursor, text: str) -> Plan:
    if cursor.accept("START"):
        cursor.expect("TRANSACTION")
    else:
        cursor.expect("BEGIN")
        cursor.accept("WORK")
        cursor.accept("TRANSACTION")
    mode = ""
    while cursor.peek() is not None:
        if cursor.accept("READ", "ONLY"):
            mode = " READ ONLY"
        elif cursor.accept("ISOLATION", "LEVEL"):
            # Redshift takes every level and gives the database's own.
            if not any(
                cursor.accept(*level)
                for level in (("SERIALIZABLE",), ("REPEATABLE", "READ"), ("READ", "COMMITTED"), ("READ", "UNCOMMITTED"))
            ):
                raise cursor.error()
        elif not (cursor.accept("READ", "WRITE") or cursor.accept(",")):
            raise cursor.error()
    return Send(f"BEGIN{mode}")


def _finish(cursor: Cursor, text: str) -> Plan:
    word = cursor.next().upper
    cursor.accept("WORK")
    cursor.accept("TRANSACTION")
    cursor.end()
    return Send("COMMIT" if word in ("COMMIT", "END") else "ROLLBACK")


def _set(cursor: Cursor, text: str) -> Plan:
    cursor.expect("SET")
    scope = "LOCAL " if cursor.accept("LOCAL") else ""
    cursor.accept("SESSION")
    name = cursor.name()
    if not (cursor.accept("TO") or cursor.accept("=")):
        raise RefusedError(f"SET {name} is refused: the stand-in knows only SET parameter TO value.")
    values = _setting_values(cursor)
    if name == "search_path":
        return Send(f"SET {scope}search_path TO {', '.join(quote_name(v) if v else quote_literal(v) for v in values)}")
    if len(values) != 1:
        raise RefusedError(f"SET {name} takes one value.", "22023")
    if name == "enable_case_sensitive_identifier" and values[0].lower() not in ("off", "false", "0", "default"):
        raise RefusedError("enable_case_sensitive_identifier is refused: names are always folded to lower case here.")
    return Send(f"SET {scope}{_setting(name)} TO {quote_literal(values[0])}")


def _setting(name: str) -> str:
    if name in _SHARED_SETTINGS:
        return name
    if name in REDSHIFT_SETTINGS:
        return f"redshift.{name}"
    raise RefusedError(f'The parameter "{name}" is refused: the stand-in does not know it.', "42704")


def _setting_values(cursor: Cursor) -> list[str]:
    values = []
    while True:
        sign = "-" if cursor.accept("-") else ""
        token = cursor.next()
        if token.kind not in ("string", "word", "number", "quoted"):
            raise RefusedError(f'syntax error at or near "{token.text}"', "42601")
        values.append(sign + (token.text.lower() if token.kind == "word" else token.text))
        if not cursor.accept(","):
            break
    cursor.end()
    return values


def _show(cursor: Cursor, text: str) -> Plan:
    cursor.expect("SHOW")
    name = cursor.name()
    cursor.end()
    if name in REDSHIFT_SETTINGS:
        return Send(f"SELECT {SCHEMA}.current_setting({quote_literal(name)}) AS {quote_name(name)}")
    if name in _SHARED_SETTINGS | {"search_path", "transaction_isolation"}:
        return Send(f"SHOW {name}")
    raise RefusedError(f'The parameter "{name}" is refused: the stand-in does not know it.', "42704")


def _reset(cursor: Cursor, text: str) -> Plan:
    cursor.expect("RESET")
    name = cursor.name()
    cursor.end()
    return Send(f"RESET {'ALL' if name == 'all' else 'search_path' if name == 'search_path' else _setting(name)}")


def _lock(cursor: Cursor, text: str) -> Plan:
    cursor.expect("LOCK")
    cursor.accept("TABLE")
    return Send(f"LOCK TABLE {_relations(cursor)} IN ACCESS EXCLUSIVE MODE")


def _relations(cursor: Cursor) -> str:
    names = [relation(cursor.qualified_name())]
    while cursor.accept(","):
        names.append(relation(cursor.qualified_name()))
    cursor.end()
    return ", ".join(names)


def _truncate(cursor: Cursor, text: str) -> Plan:
    cursor.expect("TRUNCATE")
    cursor.accept("TABLE")
    name = relation(cursor.qualified_name())
    cursor.end()
    return Script(f"TRUNCATE TABLE {name}", "TRUNCATE TABLE", commits=True)


def _vacuum(cursor: Cursor, text: str) -> Plan:
    cursor.expect("VACUUM")
    _ = any(cursor.accept(*w) for w in (("FULL",), ("SORT", "ONLY"), ("DELETE", "ONLY"), ("REINDEX",), ("RECLUSTER",)))
    token = cursor.peek()
    name = relation(cursor.qualified_name()) if token is not None and token.upper not in ("TO", "BOOST") else ""
    if cursor.accept("TO"):
        cursor.take("number")
        cursor.accept("PERCENT")
    cursor.accept("BOOST")
    cursor.end()
    # Analysed too, as Redshift does by itself after a load.
    return Send(f"VACUUM (ANALYZE) {name}".strip())


def _analyze(cursor: Cursor, text: str) -> Plan:
    cursor.next()
    if cursor.at("COMPRESSION"):
        raise RefusedError("ANALYZE COMPRESSION is refused: nothing is compressed here.")
    token = cursor.peek()
    parts = relation(cursor.qualified_name()) if token is not None and token.upper not in ("PREDICATE", "ALL") else ""
    if cursor.at("("):
        cursor.names()
    _ = cursor.accept("PREDICATE", "COLUMNS") or cursor.accept("ALL", "COLUMNS")
    cursor.end()
    return Send(f"ANALYZE {parts}".strip())


def _create(cursor: Cursor, text: str) -> Plan:
    second = (cursor.peek(1) or cursor.tokens[0]).upper
    if second in ("TABLE", "TEMP", "TEMPORARY", "LOCAL"):
        return create_table(cursor)
    if second == "SCHEMA":
        cursor.expect("CREATE", "SCHEMA")
        unless = "IF NOT EXISTS " if cursor.accept("IF", "NOT", "EXISTS") else ""
        name = quote_name(cursor.name())
        owner = f" AUTHORIZATION {quote_name(cursor.name())}" if cursor.accept("AUTHORIZATION") else ""
        cursor.end()
        return Send(f"CREATE SCHEMA {unless}{name}{owner}")
    if cursor.accept("CREATE", "VIEW") or cursor.accept("CREATE", "OR", "REPLACE", "VIEW"):
        replace = "OR REPLACE " if cursor.tokens[1].upper == "OR" else ""
        name = relation(cursor.qualified_name())
        columns = f" ({', '.join(map(quote_name, cursor.names()))})" if cursor.at("(") else ""
        cursor.expect("AS")
        body = cursor.rest()
        if [token.upper for token in body[-4:]] == ["WITH", "NO", "SCHEMA", "BINDING"]:
            raise RefusedError("WITH NO SCHEMA BINDING is refused: a view is bound to its tables here.")
        return Send(f"CREATE {replace}VIEW {name}{columns} AS {rewrite_query(body, only_select=True)}")
    raise RefusedError(f"CREATE {second} is refused by the stand-in.")


def _drop(cursor: Cursor, text: str) -> Plan:
    cursor.expect("DROP")
    kind = cursor.next().upper
    if kind not in ("TABLE", "VIEW", "SCHEMA"):
        raise RefusedError(f"DROP {kind} is refused by the stand-in.")
    exists = "IF EXISTS " if cursor.accept("IF", "EXISTS") else ""
    names = [relation(cursor.qualified_name())]
    while cursor.accept(","):
        names.append(relation(cursor.qualified_name()))
    behaviour = " CASCADE" if cursor.accept("CASCADE") else ""
    cursor.accept("RESTRICT")
    cursor.end()
    return Send(f"DROP {kind} {exists}{', '.join(names)}{behaviour}")


def _alter(cursor: Cursor, text: str) -> Plan:
    cursor.expect("ALTER")
    if cursor.accept("SCHEMA"):
        name = quote_name(cursor.name())
        word = "OWNER" if cursor.accept("OWNER") else "RENAME"
        if word == "RENAME":
            cursor.expect("RENAME")
        cursor.expect("TO")
        statement = f"ALTER SCHEMA {name} {word} TO {quote_name(cursor.name())}"
        cursor.end()
        return Send(statement)
    cursor.expect("TABLE")
    head = f"ALTER TABLE {relation(cursor.qualified_name())}"
    if cursor.accept("ADD"):
        cursor.accept("COLUMN")
        column = cursor.name()
        kind, limit = column_type(cursor)
        if any(token.upper in ("NOT", "PRIMARY", "SORTKEY", "DISTKEY") for token in cursor.tokens[cursor.position :]):
            raise RefusedError("ADD COLUMN is known only with a type, DEFAULT, NULL and ENCODE.")
        statement = f"{head} ADD COLUMN {quote_name(column)} {kind}{column_attributes(cursor, column, limit)}"
    elif cursor.accept("DROP"):
        cursor.accept("COLUMN")
        statement = f"{head} DROP COLUMN {quote_name(cursor.name())}"
        statement += " CASCADE" if cursor.accept("CASCADE") else ""
        cursor.accept("RESTRICT")
    elif cursor.accept("RENAME", "COLUMN"):
        statement = f"{head} RENAME COLUMN {quote_name(cursor.name())} TO "
        cursor.expect("TO")
        statement += quote_name(cursor.name())
    elif cursor.accept("RENAME", "TO"):
        statement = f"{head} RENAME TO {quote_name(cursor.name())}"
    elif cursor.accept("OWNER", "TO"):
        statement = f"{head} OWNER TO {quote_name(cursor.name())}"
    else:
        token = cursor.next()
        raise RefusedError(f"ALTER TABLE … {token.text} is refused by the stand-in.")
    cursor.end()
    return Send(statement)


_PRIVILEGES = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "TRUNCATE", "ALL", "PRIVILEGES", "USAGE", "CREATE", "TEMP",
    "TEMPORARY", ",",
}  # fmt: skip


def _grant(cursor: Cursor, text: str) -> Plan:
    verb = cursor.next().upper
    privileges = []
    while not cursor.accept("ON"):
        token = cursor.next()
        if token.upper not in _PRIVILEGES:
            raise RefusedError(f"{verb} {token.text} is refused by the stand-in.")
        privileges.append(token.upper)
    kind = "TABLE"
    for words in (("ALL", "TABLES", "IN", "SCHEMA"), ("TABLE",), ("SCHEMA",), ("DATABASE",)):
        if cursor.accept(*words):
            kind = " ".join(words)
            break
    objects = [relation(cursor.qualified_name())]
    while cursor.accept(","):
        objects.append(relation(cursor.qualified_name()))
    cursor.expect("TO" if verb == "GRANT" else "FROM")
    grantees = [_grantee(cursor)]
    while cursor.accept(","):
        grantees.append(_grantee(cursor))
    option = " WITH GRANT OPTION" if verb == "GRANT" and cursor.accept("WITH", "GRANT", "OPTION") else ""
    cursor.end()
    direction = "TO" if verb == "GRANT" else "FROM"
    what = f"{' '.join(privileges)} ON {kind} {', '.join(objects)}"
    return Send(f"{verb} {what} {direction} {', '.join(grantees)}{option}")


def _grantee(cursor: Cursor) -> str:
    if cursor.accept("PUBLIC"):
        return "PUBLIC"
    _ = cursor.accept("GROUP") or cursor.accept("ROLE")
    return quote_name(cursor.name())


def _comment(cursor: Cursor, text: str) -> Plan:
    cursor.expect("COMMENT", "ON")
    kind = cursor.next().upper
    if kind not in ("TABLE", "COLUMN", "VIEW", "SCHEMA"):
        raise RefusedError(f"COMMENT ON {kind} is refused by the stand-in.")
    parts = [*cursor.qualified_name()]
    if cursor.accept("."):
        parts.append(cursor.name())
    cursor.expect("IS")
    comment = "NULL" if cursor.accept("NULL") else quote_literal(cursor.take("string"))
    cursor.end()
    return Send(f"COMMENT ON {kind} {relation(tuple(parts))} IS {comment}")


def _deallocate(cursor: Cursor, text: str) -> Plan:
    cursor.expect("DEALLOCATE")
    cursor.accept("PREPARE")
    name = "ALL" if cursor.accept("ALL") else quote_name(cursor.name())
    cursor.end()
    return Send(f"DEALLOCATE {name}")


_STATEMENTS: dict[str, Callable[[Cursor, str], Plan]] = {
    **dict.fromkeys(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "("), _query),
    **dict.fromkeys(("BEGIN", "START"), _begin),
    **dict.fromkeys(("COMMIT", "END", "ROLLBACK", "ABORT"), _finish),
    **dict.fromkeys(("ANALYZE", "ANALYSE"), _analyze),
    **dict.fromkeys(("GRANT", "REVOKE"), _grant),
    "SET": _set,
    "SHOW": _show,
    "RESET": _reset,
    "LOCK": _lock,
    "TRUNCATE": _truncate,
    "VACUUM": _vacuum,
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "COMMENT": _comment,
    "DEALLOCATE": _deallocate,
    "COPY": parse_copy,
}
