"""A checked statement written for PostgreSQL, functions and types taken from our own tables."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ErrorLevel

from local.redshift.sql.data_types import byte_limit, read_type
from local.redshift.sql.decimals import decimal_type, quotient_type
from local.redshift.sql.functions import DATE_PARTS, FUNCTIONS, PARTS_OF, SCHEMA, setting_name, setting_value
from local.redshift.sql.lexer import Cursor, quote_literal, tokenize
from local.redshift.sql.plan import RefusedError
from local.redshift.sql.qualify import without_qualify

_WHOLE = ("smallint", "integer", "bigint")
_AGGREGATES = {"aggregate", "ordered", "within"}


def _kept(value: str, kind: str) -> str:
    """A value from a table, cast to this type: it is not certain whether decimals that the type has not are rounded."""
    if kind.startswith("numeric"):
        return f"{SCHEMA}.kept({value}, {kind.rstrip(')').rpartition(',')[2].strip()})"
    return f"{SCHEMA}.whole({value})" if kind in _WHOLE else value


def call_name(node: exp.Expr) -> str:
    """The name of the function this is a call of."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else ""


def date_part(node: exp.Expr, function: str) -> str:
    """PostgreSQL's word for a date part, if the function takes it."""
    part = DATE_PARTS.get(node.name.lower(), "")
    written = node.is_string if isinstance(node, exp.Literal) else isinstance(node, exp.Var | exp.Column)
    if not written or part not in PARTS_OF[function]:
        raise RefusedError(f"The date part {node.name.lower() or node} is refused in {function}().")
    return part


def postgresql_type(node: exp.Expr) -> str:
    """PostgreSQL's text for a type in a cast."""
    cursor = Cursor(tokenize("TEXT" if node.this == exp.DType.TEXT else node.sql(dialect="redshift")))
    kind = read_type(cursor)
    cursor.end()
    return kind


def is_aggregate(node: exp.Expr) -> bool:
    """Whether this makes one value of many rows."""
    known = FUNCTIONS.get(call_name(node))
    over = isinstance(node.parent, exp.Window) and node.parent.this is node
    return known is not None and known.kind in _AGGREGATES and not over


def sort_of(aggregate: exp.Expr) -> str:
    """What an aggregate that sorts sorts by, in Redshift's words."""
    if FUNCTIONS[call_name(aggregate)].kind == "within" and aggregate.parent is not None:
        return ", ".join(item.sql("redshift") for item in aggregate.parent.expression.expressions)
    return aggregate.expressions[0].sql("redshift") if call_name(aggregate) == "median" else ""


def _grouped(select: exp.Expr) -> list[exp.Expr]:
    """What GROUP BY ALL groups by: the items of the list that hold no aggregate."""
    positions = []
    for position, item in enumerate(select.expressions, 1):
        beside = item.transform(lambda node: exp.Null() if is_aggregate(node) else node)
        if item.is_star or item.find(exp.Window) or (beside != item and beside.find(exp.Column)):
            raise RefusedError("GROUP BY ALL is refused with *, and with an item that is only in part an aggregate.")
        if beside == item:
            positions.append(exp.Literal.number(position))
    return positions


class Writer(Postgres.Generator):
    """sqlglot's PostgreSQL where it is certain, and our own tables for the rest."""

    # sqlglot's own would come before the methods here, and leak a column of QUALIFY.
    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        node: writer for node, writer in Postgres.Generator.TRANSFORMS.items() if node not in (exp.Select, exp.TryCast)
    }

    def __init__(self) -> None:
        super().__init__(dialect="postgres", identify=True, unsupported_level=ErrorLevel.RAISE)

    def select_sql(self, expression: exp.Select) -> str:
        group = expression.args.get("group")
        if group is not None and group.args.get("all"):
            positions = _grouped(expression)
            expression.set("group", exp.Group(expressions=positions) if positions else None)
        if expression.args.get("qualify"):
            expression = without_qualify(expression)
        return str(super().select_sql(expression))

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        name = call_name(expression)
        known = FUNCTIONS[name]
        if known.kind == "datepart":
            part, *values = expression.expressions
            return self._dated(name, date_part(part, name), [self.sql(value) for value in values])
        if known.kind == "setting":
            parameter = expression.expressions[0].name.lower()
            if name == "current_setting":
                return setting_value(parameter)
            value, is_local = (self.sql(each) for each in expression.expressions[1:])
            return f"pg_catalog.set_config({quote_literal(setting_name(parameter))}, {value}, {is_local})"
        values = [self.sql(value) for value in expression.expressions]
        if known.kind == "decode":
            return self._decoded(values)
        if name == "regexp_replace":
            values = [*values, *["''", "1"][len(values) - 2 :]]
            values.insert(4, "0")
        # A target with a blank or a place is a text, not a name.
        text = known.target if set(known.target) & set(" {") else f"{known.target}({', '.join(values)})"
        return text.format(*values) if text is known.target else text

    @staticmethod
    def _decoded(values: list[str]) -> str:
        """DECODE as a CASE; NULL finds NULL."""
        subject, *rest = values
        default = rest.pop() if len(rest) % 2 else "NULL"
        found = (
            f"WHEN {subject} IS NOT DISTINCT FROM {a} THEN {b}" for a, b in zip(rest[::2], rest[1::2], strict=True)
        )
        return f"CASE {' '.join(found)} ELSE {default} END"

    @staticmethod
    def _dated(name: str, part: str, values: list[str]) -> str:
        return f"{FUNCTIONS[name].target}('{part}', {', '.join(values)})"

    def extract_sql(self, expression: exp.Extract) -> str:
        part = date_part(expression.this, "date_part")
        # EXTRACT gives an integer, DATE_PART a number with its fraction, as PostgreSQL's does.
        whole = "bigint" if part == "epoch" else "integer"
        return f"CAST(trunc(date_part('{part}', {self.sql(expression, 'expression')})) AS {whole})"

    def div_sql(self, expression: exp.Div) -> str:
        left = decimal_type(expression.this)
        right = decimal_type(expression.expression)
        if left is None or right is None or (left.whole and right.whole):
            return str(self.binary(expression, "/"))
        dividend, divisor = self.sql(expression, "this"), self.sql(expression, "expression")
        return f"{SCHEMA}.quotient({dividend}, {divisor}, {quotient_type(left, right).scale})"

    def currenttimestamp_sql(self, expression: exp.CurrentTimestamp) -> str:
        return f"{SCHEMA}.sysdate()"

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        value = self.sql(expression, "this")
        if expression.to.this == exp.DType.INTERVAL:
            return f"CAST({value} AS interval)"
        kind = postgresql_type(expression.to)
        if (limit := byte_limit(kind)) is not None:
            # A Redshift cast cuts at bytes, PostgreSQL's own at characters.
            value = f"{SCHEMA}.to_varchar(CAST({value} AS text), {limit})"
        elif kind.startswith("char"):
            value = f"{SCHEMA}.single_byte(CAST({value} AS text))"
        elif expression.this.find(exp.Column, exp.Subquery):
            value = _kept(value, kind)
        if kind.startswith("numeric(19,"):
            value = f"{SCHEMA}.of_64_bits(CAST({value} AS {kind}))"
        return f"CAST({value} AS {kind})"

    def trycast_sql(self, expression: exp.TryCast) -> str:
        kind = postgresql_type(expression.to)
        text = f"CAST({self.sql(expression, 'this')} AS text)"
        # PostgreSQL may evaluate a CASE's constants beforehand, but not what the CASE is handed to.
        return f"CAST(CASE WHEN pg_input_is_valid({text}, '{kind}') THEN {text} END AS {kind})"

    def withingroup_sql(self, expression: exp.WithinGroup) -> str:
        call = expression.this
        order = self.sql(expression, "expression").strip()
        if call_name(call) == "percentile_cont":
            return f"percentile_cont({self.sql(call.expressions[0])}) WITHIN GROUP ({order})"
        if call_name(call) != "listagg":
            raise RefusedError(f"WITHIN GROUP is refused after {call_name(call) or call}.")
        arguments = call.expressions
        distinct = ""
        if isinstance(arguments[0], exp.Distinct):
            distinct = "DISTINCT "
            arguments = arguments[0].expressions
        value = f"CAST({self.sql(arguments[0])} AS TEXT)"
        between = self.sql(arguments[1]) if len(arguments) > 1 else "''"
        if distinct:
            # PostgreSQL sorts distinct values only by the very expression it collects.
            order = order.replace(self.sql(arguments[0]), value, 1)
        return f"{SCHEMA}.listed(string_agg({distinct}{value}, {between} {order}))"

    def window_sql(self, expression: exp.Window) -> str:
        if call_name(expression.this) != "ratio_to_report":
            return str(super().window_sql(expression))
        (value,) = expression.this.expressions
        whole = expression.copy()
        whole.set("this", exp.Anonymous(this="sum", expressions=[value.copy()]))
        return f"(CAST({self.sql(value)} AS DOUBLE PRECISION) / NULLIF({self.window_sql(whole)}, 0))"
