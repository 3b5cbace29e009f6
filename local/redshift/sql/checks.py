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
    exp.Anonymous: _check_function,
    exp.Extract: lambda node: date_part(node.this, "date_part"),
}
