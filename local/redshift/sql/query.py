"""SELECT, INSERT, UPDATE and DELETE: parsed by sqlglot, checked against an allow list, written for PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokens import TokenType

from local.redshift.sql.functions import (
    DATE_PARTS,
    FUNCTIONS,
    HIDDEN_COLUMNS,
    PARTS_OF,
    SCHEMA,
    SYSTEM_VIEWS,
    Function,
)
from local.redshift.sql.lexer import MAX_IDENTIFIER_BYTES, Token, text_of
from local.redshift.sql.plan import RefusedError


class _Source(Redshift):
    """Redshift's grammar without sqlglot's function translations: every call stays as it was written."""

    class Parser(Redshift.Parser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in Redshift.Parser.FUNCTION_PARSERS.items()
            if name in ("CAST", "CONVERT", "EXTRACT", "SUBSTRING", "POSITION", "TRIM")
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {
            token: function
            for token, function in Redshift.Parser.NO_PAREN_FUNCTIONS.items()
            if token
            in (
                TokenType.CURRENT_DATE,
                TokenType.CURRENT_USER,
                TokenType.CURRENT_SCHEMA,
                TokenType.SESSION_USER,
            )
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in Redshift.Parser.NO_PAREN_FUNCTION_PARSERS.items()
            if name in ("CASE", "SYSDATE")
        }


_BINARY = {"this", "expression"}
_QUERY = {"with_", "order", "limit", "offset"}
# What a node may hold; any other node, or any other part of one of these, is refused.
_ALLOWED: dict[type[exp.Expr], set[str]] = {
    exp.Select: _QUERY | {"expressions", "distinct", "from_", "joins", "where", "group", "having"},
    exp.Union: _QUERY | _BINARY | {"distinct"},
    exp.Except: _QUERY | _BINARY | {"distinct"},
    exp.Intersect: _QUERY | _BINARY | {"distinct"},
    exp.Insert: {"this", "expression", "with_"},
    exp.Update: {"this", "expressions", "from_", "where", "with_"},
    exp.Delete: {"this", "using", "where", "with_"},
    exp.With: {"expressions"},
    exp.CTE: {"this", "alias"},
    exp.TableAlias: {"this", "columns"},
    exp.Subquery: _QUERY | {"this", "alias"},
    exp.From: {"this"},
    exp.Join: {"this", "side", "kind", "on", "using"},
    exp.Table: {"this", "db", "alias", "joins"},
    exp.Schema: {"this", "expressions"},
    exp.Values: {"expressions"},
    exp.Where: {"this"},
    exp.Having: {"this"},
    exp.Group: {"expressions"},
    exp.Order: {"expressions", "this"},
    exp.Ordered: {"this", "desc", "nulls_first"},
    exp.Limit: {"expression"},
    exp.Offset: {"expression"},
    exp.Distinct: {"expressions"},
    exp.Alias: {"this", "alias"},
    exp.Column: {"this", "table", "db"},
    exp.Identifier: {"this", "quoted"},
    exp.Star: set(),
    exp.Literal: {"this", "is_string"},
    exp.Boolean: {"this"},
    exp.Null: set(),
    exp.Var: {"this"},
    exp.Parameter: {"this"},
    exp.Paren: {"this"},
    exp.Tuple: {"expressions"},
    exp.Not: {"this"},
    exp.Neg: {"this"},
    exp.Case: {"this", "ifs", "default"},
    exp.If: {"this", "true"},
    exp.In: {"this", "expressions", "query"},
    exp.Between: {"this", "low", "high"},
    exp.Exists: {"this"},
    exp.Is: _BINARY,
    exp.Like: _BINARY,
    exp.ILike: _BINARY,
    exp.SimilarTo: _BINARY,
    exp.RegexpLike: _BINARY,
    exp.Cast: {"this", "to"},
    exp.DataType: {"this", "expressions", "nested"},
    exp.DataTypeParam: {"this"},
    exp.Interval: {"this", "unit"},
    exp.AtTimeZone: {"this", "zone"},
    exp.Extract: _BINARY,
    exp.Trim: {"this", "expression", "position"},
    exp.Substring: {"this", "start", "length"},
    exp.StrPosition: {"this", "substr"},
    exp.Anonymous: {"this", "expressions"},
    exp.WithinGroup: _BINARY,
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
    exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side"},
    exp.CurrentDate: set(),
    exp.CurrentUser: set(),
    exp.CurrentSchema: set(),
    exp.SessionUser: set(),
    exp.CurrentTimestamp: {"sysdate"},
    **{
        node: _BINARY | {"typed", "safe"}
        for node in (
            *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
            *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe),
        )
    },
}
_TYPES = {
    **dict.fromkeys(["SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ"], 0),
    "DECIMAL": 2,
    "CHAR": 1,
    "BPCHAR": 1,
    "VARCHAR": 1,
    "NVARCHAR": 1,
    "TEXT": 0,
}
_BYTE_LENGTH = {"VARCHAR", "NVARCHAR", "TEXT"}
_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery)


def rewrite_query(tokens: list[Token], *, only_select: bool = False) -> str:
    """PostgreSQL text for a SELECT or a DML statement; raise RefusedError for what is not known for certain.

    :param only_select: refuse everything but a query, as in the body of a view.
    """
    text = text_of(tokens)
    tree = _parse(text)
    if not isinstance(tree, _QUERIES) and (only_select or not isinstance(tree, exp.Insert | exp.Update | exp.Delete)):
        raise RefusedError(f"The stand-in does not know this statement: {text[:80]}")
    if isinstance(tree, _QUERIES) and _reads_only_the_catalogue(tree):
        return text
    return _write(tree)


def rewrite_expression(tokens: list[Token]) -> str:
    """PostgreSQL text for one expression, as in a column's DEFAULT."""
    tree = _parse("select " + text_of(tokens))
    if not isinstance(tree, exp.Select) or {part for part, value in tree.args.items() if value} != {"expressions"}:
        raise RefusedError(f"{text_of(tokens)[:80]} is refused: it is not an expression.")
    if len(tree.expressions) != 1 or isinstance(tree.expressions[0], exp.Alias):
        raise RefusedError(f"{text_of(tokens)[:80]} is refused: it is not one expression.")
    return _write(tree).removeprefix("SELECT ")


def _parse(text: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(text, read=_Source)
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
        tree = tree.transform(_rename)
        return str(_Target().generate(tree, copy=False))
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"The statement could not be translated ({type(error).__name__}: {error})") from None


def _reads_only_the_catalogue(tree: exp.Expr) -> bool:
    tables = list(tree.find_all(exp.Table))
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    read = [table for table in tables if table.name.lower() not in names or table.db]
    return bool(read) and all(
        table.db.lower() in ("pg_catalog", "information_schema")
        or (not table.db and table.name.lower().startswith("pg_"))
        for table in read
    )


def _check(node: exp.Expr) -> None:
    allowed = _ALLOWED.get(type(node))
    if allowed is None:
        raise RefusedError(f"The stand-in does not know {_spoken(node)} for certain and refuses it.")
    for part, value in node.args.items():
        if value and part not in allowed:
            raise RefusedError(f"{part.rstrip('_')} in {_spoken(node)} is refused by the stand-in.")
    check = _CHECKS.get(type(node))
    if check:
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


def _check_type(node: exp.Expr) -> None:
    name = node.this.name if isinstance(node.this, exp.DType) else str(node.this)
    if name == "INTERVAL":
        return
    if name not in _TYPES or len(node.expressions) > _TYPES[name]:
        raise RefusedError(f"The type {node.sql(dialect='redshift')} is refused by the stand-in.")


def _check_function(node: exp.Expr) -> None:
    name = str(node.this).lower()
    known = FUNCTIONS.get(name)
    if known is None:
        raise RefusedError(f"function {name}() is refused: the stand-in does not know it for certain.", "42883")
    count = len(node.expressions)
    if count < known.least or (known.most >= 0 and count > known.most):
        raise RefusedError(f"function {name}() is refused with {count} arguments.", "42883")
    window = node.parent if isinstance(node.parent, exp.Window) and node.parent.this is node else None
    if known.kind in ("ranking", "offset", "edge", "ratio") and window is None:
        raise RefusedError(f"{name}() needs an OVER clause.", "42809")
    if window is not None and known.kind in ("", "datepart"):
        raise RefusedError(f"{name}() is not a window function.", "42809")
    if any(isinstance(argument, exp.Distinct) for argument in node.expressions) and known.kind != "aggregate":
        raise RefusedError(f"DISTINCT is refused in {name}().", "42809")
    if any(isinstance(argument, exp.Star) for argument in node.expressions) and name != "count":
        raise RefusedError(f"* is refused in {name}().", "42601")
    if name == "regexp_replace":
        replacement = node.expressions[2]
        if not replacement.is_string or set(replacement.name) & set("\\$"):
            raise RefusedError("regexp_replace() is refused with a replacement other than a plain literal.")
    if name == "listagg" and not isinstance(node.parent, exp.WithinGroup):
        raise RefusedError("listagg() is refused without WITHIN GROUP (ORDER BY …): its order would be open.")


def _check_window(node: exp.Expr) -> None:
    spec, function = node.args.get("spec"), node.this
    known = FUNCTIONS.get(str(function.this).lower()) if isinstance(function, exp.Anonymous) else None
    if known is None:
        raise RefusedError(f"{_spoken(node)} is refused as a window function.")
    if spec is None and node.args.get("order") and known.kind in ("aggregate", "edge", "ratio"):
        raise RefusedError("Aggregate window functions with an ORDER BY clause require a frame clause", "42601")
    if spec is not None and (str(spec.args.get("kind")).upper() != "ROWS" or known.kind not in ("aggregate", "edge")):
        raise RefusedError("A frame is known only as ROWS, for aggregates, first_value and last_value.")


def _check_values(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Insert):
        raise RefusedError("VALUES is refused outside of INSERT: Redshift has no table of values.", "42601")


def _check_distinct(node: exp.Expr) -> None:
    call = node.parent
    most = 2 if isinstance(call, exp.Anonymous) and str(call.this).lower() == "listagg" else 1
    if isinstance(call, exp.Anonymous) and len(node.expressions) > most:
        raise RefusedError("DISTINCT is refused over several arguments.")


def _check_join(node: exp.Expr) -> None:
    if node.args.get("kind") not in (None, "", "INNER", "CROSS", "OUTER"):
        raise RefusedError(f"{node.args['kind']} JOIN is refused by the stand-in.")


def _check_extract(node: exp.Expr) -> None:
    _date_part(node.this, "date_part")


def _check_update(node: exp.Expr) -> None:
    for assignment in node.expressions:
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.this, exp.Column):
            raise RefusedError("UPDATE is known only with SET column = value.")
        if assignment.this.table:
            raise RefusedError("A column to be set must be named without its table.", "42601")


def _check_word(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Extract | exp.Interval | exp.Tuple | exp.DataTypeParam | exp.WindowSpec):
        raise RefusedError(f"The word {node.name} is refused here by the stand-in.")


def _check_in(node: exp.Expr) -> None:
    if not node.expressions and not node.args.get("query"):
        raise RefusedError("IN needs a list or a query.", "42601")


_CHECKS = {
    exp.Identifier: _check_identifier,
    exp.Column: _check_column,
    exp.DataType: _check_type,
    exp.Anonymous: _check_function,
    exp.Window: _check_window,
    exp.Values: _check_values,
    exp.Distinct: _check_distinct,
    exp.Join: _check_join,
    exp.Extract: _check_extract,
    exp.Update: _check_update,
    exp.In: _check_in,
    exp.Var: _check_word,
}


def _date_part(node: exp.Expr, function: str) -> str:
    if isinstance(node, exp.Literal) and not node.is_string:
        raise RefusedError(f"{function}() needs a date part.", "42601")
    spelling = node.name.lower()
    part = DATE_PARTS.get(spelling)
    if part not in PARTS_OF[function] or not isinstance(node, exp.Literal | exp.Var | exp.Column):
        raise RefusedError(f"The date part {spelling or node} is refused in {function}().")
    return part


def _rename(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Identifier):
        # enable_case_sensitive_identifier is off by default: quoted names are folded too.
        node.set("this", node.name.lower())
        node.set("quoted", True)
    elif isinstance(node, exp.Table) and node.name.lower() in SYSTEM_VIEWS:
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
        node.set("db", exp.to_identifier(SCHEMA))
    return node


class _Target(Postgres.Generator):
    """Writes PostgreSQL, taking functions and casts from our own tables."""

    def __init__(self) -> None:
        super().__init__(dialect="postgres", identify=True, unsupported_level=ErrorLevel.RAISE)

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        name = str(expression.this).lower()
        known = FUNCTIONS[name]
        if known.kind == "datepart":
            return self._date_function(name, known, expression)
        arguments = [self.sql(argument) for argument in expression.expressions]
        if "{0}" in known.target:
            return known.target.format(*arguments)
        return f"{known.target}({', '.join(arguments)})"

    def _date_function(self, name: str, known: Function, expression: exp.Anonymous) -> str:
        part = _date_part(expression.expressions[0], name)
        arguments = [self.sql(argument) for argument in expression.expressions[1:]]
        if name == "date_part":
            return self._part_of(part, arguments[0])
        return f"{known.target}('{part}', {', '.join(arguments)})"

    def _part_of(self, part: str, value: str) -> str:
        # Redshift answers an integer where PostgreSQL answers a decimal with a fraction.
        whole = "bigint" if part == "epoch" else "integer"
        return f"CAST(trunc(date_part('{part}', {value})) AS {whole})"

    def extract_sql(self, expression: exp.Extract) -> str:
        return self._part_of(_date_part(expression.this, "date_part"), self.sql(expression, "expression"))

    def currenttimestamp_sql(self, expression: exp.CurrentTimestamp) -> str:
        return f"{SCHEMA}.sysdate()"

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        kind = expression.to.this.name
        if kind == "DECIMAL" and not expression.to.expressions:
            return f"CAST({self.sql(expression, 'this')} AS DECIMAL(18, 0))"
        if kind not in _BYTE_LENGTH:
            return str(super().cast_sql(expression, safe_prefix))
        # A Redshift cast cuts at bytes, PostgreSQL's own at characters.
        length = "256"
        if expression.to.expressions:
            length = expression.to.expressions[0].name
            length = "65535" if length.upper() == "MAX" else length
        return f"{SCHEMA}.to_varchar(CAST({self.sql(expression, 'this')} AS TEXT), {int(length)})"

    def withingroup_sql(self, expression: exp.WithinGroup) -> str:
        call, order = expression.this, expression.expression
        if not isinstance(call, exp.Anonymous) or str(call.this).lower() != "listagg":
            raise RefusedError(f"WITHIN GROUP is refused after {_spoken(call)}.")
        arguments, distinct = call.expressions, ""
        if isinstance(arguments[0], exp.Distinct):
            distinct, arguments = "DISTINCT ", arguments[0].expressions
        value = f"CAST({self.sql(arguments[0])} AS TEXT)"
        between = self.sql(arguments[1]) if len(arguments) > 1 else "''"
        ordering = self.sql(order).strip()
        if distinct:
            # PostgreSQL sorts distinct values only by the very expression it collects.
            ordering = ordering.replace(self.sql(arguments[0]), value, 1)
        return f"string_agg({distinct}{value}, {between} {ordering})"

    def window_sql(self, expression: exp.Window) -> str:
        call = expression.this
        if isinstance(call, exp.Anonymous) and str(call.this).lower() == "ratio_to_report":
            value = self.sql(call.expressions[0])
            whole = expression.copy()
            whole.set("this", exp.Anonymous(this="sum", expressions=[call.expressions[0].copy()]))
            return f"(CAST({value} AS DOUBLE PRECISION) / NULLIF({self.window_sql(whole)}, 0))"
        return str(super().window_sql(expression))
