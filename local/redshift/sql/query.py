"""SELECT, INSERT, UPDATE and DELETE: parsed by sqlglot, checked against an allow list, written for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, SqlglotError

from local.redshift.sql.functions import (
    ALLOWED,
    CATALOGUE_FUNCTIONS,
    FUNCTIONS,
    HIDDEN_COLUMNS,
    KEY_VIEWS,
    SCHEMA,
    SYSTEM_VIEWS,
)
from local.redshift.sql.lexer import MAX_IDENTIFIER_BYTES, Token, quote_literal, text_of
from local.redshift.sql.plan import RefusedError
from local.redshift.sql.postgresql import Writer, call_name, date_part, is_aggregate, postgresql_type, sort_of


def _some(table: dict[Any, Any], *names: str) -> dict[Any, Any]:
    return {key: value for key, value in table.items() if getattr(key, "name", key) in names}


def _approximate(parser: Redshift.Parser) -> exp.Expr:
    """The exact number is one an approximate count may give."""
    call = parser._parse_function()
    if call_name(call) != "count" or not isinstance(call.expressions[0], exp.Distinct):
        raise RefusedError("APPROXIMATE is known only before COUNT(DISTINCT …).")
    return call


class _Source(Redshift):
    """Redshift's grammar without sqlglot's function translations: every call stays as it was written."""

    class Parser(Redshift.Parser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = _some(
            Redshift.Parser.FUNCTION_PARSERS,
            *["CAST", "TRY_CAST", "CONVERT", "EXTRACT", "SUBSTRING", "POSITION", "TRIM"],
        )
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = _some(
            Redshift.Parser.NO_PAREN_FUNCTIONS, *["CURRENT_DATE", "CURRENT_USER", "CURRENT_SCHEMA", "SESSION_USER"]
        )
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            **_some(Redshift.Parser.NO_PAREN_FUNCTION_PARSERS, "CASE", "SYSDATE"),
            "APPROXIMATE": _approximate,
        }


# What a node may hold; any other node, or any other part of one of these, is refused.
_NODES = {getattr(exp, node): parts.split() for nodes, parts in ALLOWED["nodes"].items() for node in nodes.split()}
_KINDS: dict[str, tuple[type[exp.Expr], ...]] = {
    "SELECT": (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery),
    "INSERT": (exp.Insert,),
    "UPDATE": (exp.Update,),
    "DELETE": (exp.Delete,),
}
_SYSTEM_NAME = re.compile("(stl|stv|stcs|svl|svv|svcs|sys)_")


def rewrite_query(tokens: list[Token], kind: str = "SELECT") -> str:
    """PostgreSQL text for a statement of this kind; raise RefusedError for what is not known for certain."""
    tree = _parse(text_of(tokens))
    if not isinstance(tree, _KINDS[kind]):
        raise RefusedError(f"This is no {kind}: {text_of(tokens)[:80]}", "42601")
    return _catalogue_query(tree, tokens) if _reads_only_the_catalogue(tree) else _write(tree)


def rewrite_expression(tokens: list[Token]) -> str:
    """PostgreSQL text for one expression, as in a column's DEFAULT."""
    tree = _parse("select " + text_of(tokens))
    only = {part for part, value in tree.args.items() if value} == {"expressions"} and len(tree.expressions) == 1
    if not only or isinstance(tree.expressions[0], exp.Alias | exp.Star):
        raise RefusedError(f"{text_of(tokens)[:80]} is refused: it is not one expression.")
    return _write(tree).removeprefix("SELECT ")


def _parse(text: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(text, read=_Source)
    except RefusedError:
        raise
    except SqlglotError as error:
        where = getattr(error, "errors", None) or [{}]
        near = where[0].get("highlight") or text[:40]
        raise RefusedError(f'syntax error at or near "{near}"', "42601") from None
    # sqlglot fails on some texts in ways of its own (recursion, missing attributes): whatever it is, nothing was run.
    except Exception as error:
        raise RefusedError(f"The statement could not be read ({type(error).__name__}): {text[:80]}", "42601") from None
    if len(trees) != 1 or trees[0] is None:
        raise RefusedError(f"The statement could not be read: {text[:80]}", "42601")
    return trees[0]


def _write(tree: exp.Expr) -> str:
    try:
        for node in tree.walk():
            _check(node)
        return str(Writer().generate(tree.transform(_rename), copy=False))
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"The statement could not be translated ({type(error).__name__}: {error})") from None


def _reads_only_the_catalogue(tree: exp.Expr) -> bool:
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    read = [table for table in tree.find_all(exp.Table) if table.name.lower() not in names or table.db]
    return bool(read) and all(
        table.db.lower() in ("pg_catalog", "information_schema")
        or (not table.db and table.name.lower().startswith("pg_"))
        for table in read
    )


def _catalogue_query(tree: exp.Expr, tokens: list[Token]) -> str:
    """The statement as it was written: what drivers ask the catalogue with is PostgreSQL's own SQL."""
    for call in tree.find_all(exp.Anonymous, exp.Into, exp.Lock, exp.Insert, exp.Update, exp.Delete):
        name = call_name(call)
        same = name in FUNCTIONS and FUNCTIONS[name].target == name
        if not same and name not in CATALOGUE_FUNCTIONS:
            raise RefusedError(f"{_spoken(call)} is refused in a query of the catalogue.", "42883")
    written = [quote_literal(token.text) if token.kind == "string" else token.sql() for token in tokens]
    for at in range(len(tokens) - 2):
        if tokens[at].text.lower() == "information_schema" and tokens[at + 2].text.lower() in KEY_VIEWS:
            written[at] = SCHEMA
    return " ".join(written)


def _check(node: exp.Expr) -> None:
    allowed = _NODES.get(type(node))
    if allowed is None:
        raise RefusedError(f"The stand-in does not know {_spoken(node)} for certain and refuses it.")
    for part, value in node.args.items():
        if value and part not in allowed:
            raise RefusedError(f"{part.rstrip('_')} in {_spoken(node)} is refused by the stand-in.")
    if check := _CHECKS.get(type(node)):
        check(node)


def _spoken(node: exp.Expr) -> str:
    text = node.sql(dialect="redshift", unsupported_level=ErrorLevel.IGNORE)
    return f"{type(node).__name__} ({text[:60]})"


def _check_identifier(node: exp.Expr) -> None:
    if len(node.name.encode()) > MAX_IDENTIFIER_BYTES:
        raise RefusedError(f'The name "{node.name}" is refused: PostgreSQL would cut it. Use a shorter name.')


def _check_column(node: exp.Expr) -> None:
    if node.name.lower() in HIDDEN_COLUMNS:
        raise RefusedError(f'column "{node.name}" does not exist', "42703")


def _check_select(node: exp.Expr) -> None:
    straight = not any(node.args.get(part) for part in ("joins", "where", "group", "having"))
    if node.args.get("qualify") and straight and not (node.args.get("from_") and node.args["from_"].this.alias):
        raise RefusedError("QUALIFY straight after FROM is refused: Redshift needs the table to have an alias there.")
    sorts = {sort_of(item) for item in node.expressions for item in item.walk() if is_aggregate(item)} - {""}
    if len(sorts) > 1:
        raise RefusedError("within group ORDER BY clauses for aggregate functions must be the same", "42601")


def _check_table(node: exp.Expr) -> None:
    if not node.text("db") and node.name.lower() not in SYSTEM_VIEWS and _SYSTEM_NAME.match(node.name.lower()):
        raise RefusedError(f"The system view {node.name} is refused: the stand-in does not keep it.", "42P01")
    if node.text("db").lower() == SCHEMA:
        raise RefusedError(f"The schema {SCHEMA} is the stand-in's own and refused.", "3F000")


def _check_type(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Cast) or node.this != exp.DType.INTERVAL:
        postgresql_type(node)


def _check_function(node: exp.Expr) -> None:
    name = call_name(node)
    known = FUNCTIONS.get(name)
    if known is None:
        raise RefusedError(f"function {name}() is refused: the stand-in does not know it for certain.", "42883")
    arguments = node.expressions
    if len(arguments) < known.least or (known.most >= 0 and len(arguments) > known.most):
        raise RefusedError(f"function {name}() is refused with {len(arguments)} arguments.", "42883")
    over = isinstance(node.parent, exp.Window) and node.parent.this is node
    if known.kind in _WINDOWS and not over:
        raise RefusedError(f"{name}() needs an OVER clause.", "42809")
    if known.kind not in _WINDOWS | {"aggregate"} and over:
        raise RefusedError(f"{name}() is refused as a window function.", "42809")
    if known.kind == "within" and not isinstance(node.parent, exp.WithinGroup):
        raise RefusedError(f"{name}() is refused without WITHIN GROUP (ORDER BY …): its order would be open.")
    for argument in arguments:
        if isinstance(argument, exp.Star) and name != "count":
            raise RefusedError(f"* is refused in {name}().", "42601")
        if isinstance(argument, exp.Distinct) and (
            known.kind not in ("aggregate", "within") or len(argument.expressions) > 1 + (name == "listagg")
        ):
            raise RefusedError(f"DISTINCT is refused like this in {name}().", "42809")
    if known.kind == "regexp":
        if name == "regexp_replace" and len(arguments) > 2 and not _plain(arguments[2], "\\$"):
            raise RefusedError("regexp_replace() is refused with a replacement other than a plain literal.")
        if len(arguments) == known.most and arguments[-1].name not in ("c", "i"):
            raise RefusedError(f"{name}() is known only with 'c' or 'i' for its parameters.")


def _plain(node: exp.Expr, without: str) -> bool:
    return bool(node.is_string) and not set(node.name) & set(without)


def _check_window(node: exp.Expr) -> None:
    spec, known = node.args.get("spec"), FUNCTIONS.get(call_name(node.this))
    if known is None:
        raise RefusedError(f"{_spoken(node)} is refused as a window function.")
    if spec is None and node.args.get("order") and known.kind in ("aggregate", "edge", "ratio"):
        raise RefusedError("Aggregate window functions with an ORDER BY clause require a frame clause", "42601")
    if spec is not None and (str(spec.args.get("kind")).upper() != "ROWS" or known.kind not in ("aggregate", "edge")):
        raise RefusedError("A frame is known only as ROWS, for aggregates, first_value and last_value.")


def _check_join(node: exp.Expr) -> None:
    if node.args.get("kind") not in (None, "", "INNER", "CROSS", "OUTER"):
        raise RefusedError(f"{node.args['kind']} JOIN is refused by the stand-in.")


def _check_update(node: exp.Expr) -> None:
    for assignment in node.expressions:
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.this, exp.Column):
            raise RefusedError("UPDATE is known only with SET column = value.")
        if assignment.this.table:
            raise RefusedError("A column to be set must be named without its table.", "42601")


def _only_within(*parents: type[exp.Expr]) -> Callable[[exp.Expr], None]:
    def check(node: exp.Expr) -> None:
        if not isinstance(node.parent, parents):
            raise RefusedError(f"{_spoken(node)} is refused here by the stand-in.", "42601")

    return check


def _check_in(node: exp.Expr) -> None:
    if not node.expressions and not node.args.get("query"):
        raise RefusedError("IN needs a list or a query.", "42601")


def _check_recursion(node: exp.Expr) -> None:
    for cte in node.expressions if node.args.get("recursive") else []:
        if not cte.args["alias"].args.get("columns"):
            raise RefusedError("WITH RECURSIVE needs the names of its columns.", "42601")


def _check_group(node: exp.Expr) -> None:
    if node.find(exp.Rollup, exp.Cube, exp.GroupingSets) and len(node.expressions) > 1:
        raise RefusedError("ROLLUP, CUBE and GROUPING SETS are refused beside others in GROUP BY.")


_WINDOWS = {"ranking", "offset", "edge", "ratio"}
_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], object]] = {
    exp.Select: _check_select,
    exp.Identifier: _check_identifier,
    exp.Column: _check_column,
    exp.Table: _check_table,
    exp.DataType: _check_type,
    exp.Anonymous: _check_function,
    exp.Window: _check_window,
    # Redshift has no table of values.
    exp.Values: _only_within(exp.Insert),
    exp.Join: _check_join,
    exp.Extract: lambda node: date_part(node.this, "date_part"),
    exp.Update: _check_update,
    exp.In: _check_in,
    exp.With: _check_recursion,
    exp.Group: _check_group,
    exp.Rollup: _only_within(exp.Group),
    exp.Cube: _only_within(exp.Group),
    exp.GroupingSets: _only_within(exp.Group),
    exp.Var: _only_within(exp.Extract, exp.Interval, exp.Tuple, exp.DataTypeParam, exp.WindowSpec),
}


def _rename(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Identifier):
        # enable_case_sensitive_identifier is off by default: quoted names are folded too.
        node.set("this", node.name.lower())
        node.set("quoted", True)
    elif isinstance(node, exp.Table):
        name, schema = node.name.lower(), node.text("db").lower()
        keys = schema == "information_schema" and name in KEY_VIEWS
        if keys or name in SYSTEM_VIEWS:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            node.set("db", exp.to_identifier(SCHEMA))
    return node
