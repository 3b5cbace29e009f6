"""What a statement of the allow list may hold, node by node: what is not known for certain is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from local.redshift.sql.functions import ALLOWED, FUNCTIONS, HIDDEN_COLUMNS, SCHEMA, SYSTEM_VIEWS, Function
from local.redshift.sql.lexer import MAX_IDENTIFIER_BYTES
from local.redshift.sql.plan import RefusedError
from local.redshift.sql.postgresql import call_name, date_part, is_aggregate, postgresql_type, sort_of

# What a node may hold; any other node, or any other part of one of these, is refused.
_NODES = {getattr(exp, node): parts.split() for nodes, parts in ALLOWED["nodes"].items() for node in nodes.split()}
_SYSTEM_NAME = re.compile("(stl|stv|stcs|svl|svv|svcs|sys)_", re.IGNORECASE)
_FRAMED = {"aggregate", "edge"}
_WINDOWS = {"ranking", "offset", "edge", "ratio"}
_EXTENSIONS = (exp.Rollup, exp.Cube, exp.GroupingSets)
_TIMES = ("date", "timestamp", "timestamptz")
_SPOKEN_TIMES = {"now", "today", "tomorrow", "yesterday", "infinity", "-infinity", "+infinity", "allballs"}
# Lookaround, what is matched as seldom as possible, references, and escapes that only PostgreSQL knows.
_OWN_PATTERN = re.compile(r"\(\?|[*+?}][?+]|\[\[(?:[.=]|:[<>])|^\*\*\*|\\[^dDwWsS\W]")
_FORMATTED = ("to_char", "to_date", "to_timestamp")
# https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html does not have them, PostgreSQL has.
_OWN_FORMAT = re.compile(r"FF[1-6]|TZ[HM]|S{4,5}|FX|TM|SP", re.IGNORECASE)
_JOINS = (None, "", "INNER", "CROSS", "OUTER")


def check(tree: exp.Expr) -> None:
    """Raise RefusedError for the first node that is not known for certain."""
    for node in tree.walk():
        allowed = _NODES.get(type(node))
        if allowed is None:
            raise RefusedError(f"The stand-in does not know {spoken(node)} for certain and refuses it.")
        for part, value in node.args.items():
            if value and part not in allowed:
                raise RefusedError(f"{part.rstrip('_')} in {spoken(node)} is refused by the stand-in.")
        if type(node) in _CHECKS:
            _CHECKS[type(node)](node)
    _check_place_of_functions(tree)


def tables_of(tree: exp.Expr) -> list[exp.Table]:
    """The tables it names, less those it defines itself."""
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.name.lower() not in names or table.db]


def _check_place_of_functions(tree: exp.Expr) -> None:
    """Refuse functions of the leader node in a query of tables, and those of compute nodes in one without.

    https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_MEDIAN.html
    """
    has_tables = bool(tables_of(tree))
    for call in tree.find_all(exp.Anonymous):
        kind = _function_kind(call)
        if kind == "leader" and has_tables:
            words = "Specified types or functions (one per INFO message) not supported on Redshift tables."
            raise RefusedError(f"{words} Function {call_name(call)}() runs on the leader node only.")
        if kind in ("ordered", "within") and not has_tables:
            raise RefusedError(
                "One or more of the used functions must be applied on at least one user created tables. "
                f"{call_name(call)}() is one of them."
            )


def spoken(node: exp.Expr) -> str:
    """A node as messages name it."""
    text = node.sql(dialect="redshift", unsupported_level=ErrorLevel.IGNORE)
    return f"{type(node).__name__} ({text[:60]})"


def _check_select(node: exp.Expr) -> None:
    if _straight_after_from(node):
        raise RefusedError("QUALIFY straight after FROM is refused: Redshift needs an alias of the table there.")
    sorts = {sort_of(item) for each in node.expressions for item in each.walk() if is_aggregate(item)}
    if len(sorts - {""}) > 1:
        raise RefusedError("within group ORDER BY clauses for aggregate functions must be the same", "42601")


def _straight_after_from(select: exp.Expr) -> bool:
    source = select.args.get("from_")
    between = any(select.args.get(part) for part in ("joins", "where", "group", "having"))
    return bool(select.args.get("qualify")) and not between and not (source and source.this.alias)


def _check_identifier(node: exp.Expr) -> None:
    if len(node.name.encode()) > MAX_IDENTIFIER_BYTES:
        raise RefusedError(f'The name "{node.name}" is refused: PostgreSQL would cut it. Use a shorter name.')


def _check_column(node: exp.Expr) -> None:
    if node.name.lower() in HIDDEN_COLUMNS:
        raise RefusedError(f'column "{node.name}" does not exist', "42703")


def _check_table(node: exp.Expr) -> None:
    name = node.name.lower()
    schema = node.text("db").lower()
    if schema == SCHEMA:
        raise RefusedError(f"{spoken(node)} is refused: the schema is the stand-in's own.")
    if not schema and name not in SYSTEM_VIEWS and _SYSTEM_NAME.match(name):
        raise RefusedError(f"The system view {node.name} is refused: the stand-in does not keep it.", "42P01")


def _check_window(node: exp.Expr) -> None:
    kind = _function_kind(node.this)
    frame = str(node.args["spec"].args.get("kind")).upper() if node.args.get("spec") else ""
    if not kind:
        raise RefusedError(f"{spoken(node)} is refused as a window function.")
    if not frame and node.args.get("order") and kind in _FRAMED | {"ratio"}:
        raise RefusedError("Aggregate window functions with an ORDER BY clause require a frame clause", "42601")
    if frame and (frame != "ROWS" or kind not in _FRAMED):
        raise RefusedError("A frame is known only as ROWS, for aggregates, first_value and last_value.")


def _function_kind(node: exp.Expr) -> str:
    return FUNCTIONS[call_name(node)].kind if call_name(node) in FUNCTIONS else ""


def _check_join(node: exp.Expr) -> None:
    if node.args.get("kind") not in _JOINS:
        raise RefusedError(f"{spoken(node)} is refused.")


def _check_update(node: exp.Expr) -> None:
    for each in node.expressions:
        if not (isinstance(each, exp.EQ) and isinstance(each.this, exp.Column) and not each.this.table):
            raise RefusedError("UPDATE is known only with SET column = value, the column without its table.")


def _check_in(node: exp.Expr) -> None:
    if not (node.expressions or node.args.get("query")):
        raise RefusedError("IN needs a list or a query.", "42601")


def _check_with(node: exp.Expr) -> None:
    named = all(each.args["alias"].columns for each in node.expressions)
    if node.args.get("recursive") and not named:
        raise RefusedError("WITH RECURSIVE needs the names of its columns.", "42601")


def _check_group(node: exp.Expr) -> None:
    if node.find(*_EXTENSIONS) and len(node.expressions) > 1:
        raise RefusedError("ROLLUP, CUBE and GROUPING SETS are refused beside others in GROUP BY.")


def _check_is(node: exp.Expr) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html"""
    if not isinstance(node.expression, exp.Boolean):
        return
    child, parent = node, node.parent
    while parent is not None and not isinstance(parent, exp.Select):
        child, parent = parent, parent.parent
    if parent is not None and child.arg_key == "expressions":
        raise RefusedError("IS with a Boolean value is not implemented in the SELECT list. Use = there.")


def _check_cast(node: exp.Expr) -> None:
    """Refuse what PostgreSQL reads as a time, and Amazon does not list."""
    value = node.this
    if value.is_string and node.to.is_type(*_TIMES) and value.name.strip().lower() in _SPOKEN_TIMES:
        raise RefusedError(f"The time '{value.name}' is refused: the stand-in does not know it for certain.")


def _check_try_cast(node: exp.Expr) -> None:
    """Refuse types whose limits are checked by a cast of our own, which would fail where TRY_CAST gives null."""
    if node.to.is_type("char", "nchar", "bpchar", "decimal"):
        raise RefusedError("TRY_CAST to CHAR and to DECIMAL is refused: the stand-in does not know it for certain.")


def _check_pattern(node: exp.Expr) -> None:
    _refuse_pattern("~", node.expression)


def _refuse_pattern(what: str, pattern: exp.Expr) -> None:
    """Refuse a pattern that is not of what POSIX and Redshift's Perl-influenced operators share with PostgreSQL.

    https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-posix.html
    """
    if not pattern.is_string:
        raise RefusedError(f"{what} is refused with a pattern other than a literal.")
    if _OWN_PATTERN.search(pattern.name):
        raise RefusedError(f"The pattern '{pattern.name[:60]}' is refused: PostgreSQL and Redshift may read it apart.")


def _check_type(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Cast) or node.this != exp.DType.INTERVAL:
        postgresql_type(node)


def _within(*parents: type[exp.Expr]) -> Callable[[exp.Expr], None]:
    def check_parent(node: exp.Expr) -> None:
        if not isinstance(node.parent, parents):
            raise RefusedError(f"{spoken(node)} is refused here by the stand-in.")

    return check_parent


def _check_function(node: exp.Expr) -> None:
    name = call_name(node)
    known = FUNCTIONS.get(name)
    if known is None:
        raise RefusedError(f"function {name}() is refused: the stand-in does not know it for certain.", "42883")
    if wrong := _wrong_place(node, known) or _wrong_arguments(name, node.expressions, known):
        raise RefusedError(f"{name}() {wrong}.", "42883")


def _wrong_place(node: exp.Expr, known: Function) -> str:
    """Why a function may not stand where it does; an empty text if it may."""
    over = isinstance(node.parent, exp.Window) and node.parent.this is node
    if known.kind in _WINDOWS and not over:
        return "needs an OVER clause"
    if known.kind not in {*_WINDOWS, "aggregate"} and over:
        return "is refused as a window function"
    if known.kind == "within" and not isinstance(node.parent, exp.WithinGroup):
        return "is refused without WITHIN GROUP"
    return ""


def _wrong_arguments(name: str, arguments: list[exp.Expr], known: Function) -> str:
    """Why a function may not have these arguments; an empty text if it may."""
    if not known.least <= len(arguments) <= known.most:
        return f"is refused with {len(arguments)} arguments"
    if name != "count" and any(isinstance(each, exp.Star) for each in arguments):
        return "is refused with *"
    most_distinct = 2 if name == "listagg" else 1
    for each in arguments:
        if isinstance(each, exp.Distinct):
            if known.kind not in ("aggregate", "within"):
                return "is refused with DISTINCT"
            if len(each.expressions) > most_distinct:
                return "is refused with such DISTINCT"
    if name == "regexp_replace" and len(arguments) > 2 and not _plain(arguments[2]):
        return "is refused with a replacement other than a plain literal"
    if known.kind == "setting" and not arguments[0].is_string:
        return "needs a parameter's name in quotes"
    if known.kind == "regexp":
        _refuse_pattern(f"{name}()", arguments[1])
    if name in _FORMATTED and arguments[1].is_string and (own := _OWN_FORMAT.search(arguments[1].name)):
        return f"is refused with {own[0]} in its format"
    if known.kind == "regexp" and len(arguments) == known.most and arguments[-1].name not in ("c", "i"):
        return "is known only with 'c' or 'i' for its parameters"
    return ""


def _plain(node: exp.Expr) -> bool:
    return bool(node.is_string) and not set(node.name) & set("\\$")


_CHECKS: dict[type[exp.Expr], Callable[[Any], object]] = {
    exp.Select: _check_select,
    exp.Identifier: _check_identifier,
    exp.Column: _check_column,
    exp.Table: _check_table,
    exp.Window: _check_window,
    exp.Join: _check_join,
    exp.Update: _check_update,
    exp.In: _check_in,
    exp.With: _check_with,
    exp.Group: _check_group,
    **dict.fromkeys(_EXTENSIONS, _within(exp.Group)),
    # Redshift has no table of values.
    exp.Values: _within(exp.Insert),
    exp.Var: _within(exp.Extract, exp.Interval, exp.Tuple, exp.DataTypeParam, exp.WindowSpec),
    exp.DataType: _check_type,
    exp.Is: _check_is,
    exp.Cast: _check_cast,
    exp.TryCast: _check_try_cast,
    exp.RegexpLike: _check_pattern,
    exp.Anonymous: _check_function,
    exp.Extract: lambda node: date_part(node.this, "date_part"),
}
