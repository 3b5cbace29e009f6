"""SELECT, INSERT, UPDATE and DELETE: parsed by sqlglot, checked against an allow list, written for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
            Redshift.Parser.FUNCTION_PARSERS, "CAST", "TRY_CAST", "CONVERT", "EXTRACT", "SUBSTRING", "POSITION", "TRIM"
        )
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = _some(
            Redshift.Parser.NO_PAREN_FUNCTIONS, "CURRENT_DATE", "CURRENT_USER", "CURRENT_SCHEMA", "SESSION_USER"
        )
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            **_some(Redshift.Parser.NO_PAREN_FUNCTION_PARSERS, "CASE", "SYSDATE"),
            "APPROXIMATE": _approximate,
        }


# What a node may hold; any other node, or any other part of one of these, is refused.
_NODES = {getattr(exp, node): parts.split() for nodes, parts in ALLOWED["nodes"].items() for node in nodes.split()}
_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery)
_KINDS: dict[str, Any] = {"SELECT": _QUERIES, "INSERT": exp.Insert, "UPDATE": exp.Update, "DELETE": exp.Delete}
_SYSTEM_NAME = re.compile("(stl|stv|stcs|svl|svv|svcs|sys)_", re.IGNORECASE)
_Wrong = Callable[[Any], object]


def rewrite_query(tokens: list[Token], kind: str = "SELECT", *, late: bool = False) -> str:
    """PostgreSQL text for a statement of this kind; raise RefusedError for what is not known for certain.

    :param late: it is the query of a late-binding view, which no search path will be there for.
    """
    tree = _parse(text_of(tokens))
    if late and not all(table.db for table in _tables(tree)):
        raise RefusedError(
            "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING."
        )
    if late and any(each.args.get("recursive") for each in tree.find_all(exp.With)):
        raise RefusedError("WITH RECURSIVE is refused in a view WITH NO SCHEMA BINDING.")
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
        near = (getattr(error, "errors", None) or [{}])[0].get("highlight") or text[:40]
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


def _tables(tree: exp.Expr) -> list[exp.Table]:
    """The tables it names, less those it defines itself."""
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.name.lower() not in names or table.db]


def _reads_only_the_catalogue(tree: exp.Expr) -> bool:
    read = _tables(tree)
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
    for wrong, words, *code in _RULES.get(type(node), ()):
        if wrong(node):
            raise RefusedError(words.format(node, _spoken(node)), *code)
    if type(node) in _CHECKS:
        _CHECKS[type(node)](node)


def _spoken(node: exp.Expr) -> str:
    text = node.sql(dialect="redshift", unsupported_level=ErrorLevel.IGNORE)
    return f"{type(node).__name__} ({text[:60]})"


def _sorts(select: exp.Expr) -> set[str]:
    """What the aggregates that sort sort by, in Redshift's words."""
    return {sort_of(item) for item in select.expressions for item in item.walk() if is_aggregate(item)} - {""}


def _straight_after_from(select: exp.Expr) -> bool:
    source = select.args.get("from_")
    between = any(select.args.get(part) for part in ("joins", "where", "group", "having"))
    return bool(select.args.get("qualify")) and not between and not (source and source.this.alias)


def _within(*parents: type[exp.Expr]) -> Sequence[tuple[_Wrong, str]]:
    return [(lambda node: not isinstance(node.parent, parents), "{1} is refused here by the stand-in.")]


def _frame(node: exp.Expr) -> str:
    """The kind of a window's frame; an empty text if it has none."""
    return str(node.args["spec"].args.get("kind")).upper() if node.args.get("spec") else ""


def _kind(node: exp.Expr) -> str:
    return FUNCTIONS[call_name(node)].kind if call_name(node) in FUNCTIONS else ""


_FRAMED = {"aggregate", "edge"}
_WINDOWS = {"ranking", "offset", "edge", "ratio"}
_EXTENSIONS = (exp.Rollup, exp.Cube, exp.GroupingSets)
# When a node is wrong, what is said of it ({1} is the node as it is spoken of), and the SQLSTATE.
_RULES: dict[type[exp.Expr], Sequence[tuple[_Wrong, str] | tuple[_Wrong, str, str]]] = {
    exp.Select: [
        (_straight_after_from, "QUALIFY straight after FROM is refused: Redshift needs an alias of the table there."),
        (lambda node: len(_sorts(node)) > 1,
         "within group ORDER BY clauses for aggregate functions must be the same", "42601"),
    ],
    exp.Identifier: [
        (lambda node: len(node.name.encode()) > MAX_IDENTIFIER_BYTES,
         'The name "{0.name}" is refused: PostgreSQL would cut it. Use a shorter name.'),
    ],
    exp.Column: [
        (lambda node: node.name.lower() in HIDDEN_COLUMNS, 'column "{0.name}" does not exist', "42703"),
    ],
    exp.Table: [
        (lambda node: node.text("db").lower() == SCHEMA, "{1} is refused: the schema is the stand-in's own."),
        (lambda node: not node.text("db") and node.name.lower() not in SYSTEM_VIEWS and _SYSTEM_NAME.match(node.name),
         "The system view {0.name} is refused: the stand-in does not keep it.", "42P01"),
    ],
    exp.Window: [
        (lambda node: not _kind(node.this), "{1} is refused as a window function."),
        (lambda node: not _frame(node) and node.args.get("order") and _kind(node.this) in _FRAMED | {"ratio"},
         "Aggregate window functions with an ORDER BY clause require a frame clause", "42601"),
        (lambda node: _frame(node) and (_frame(node) != "ROWS" or _kind(node.this) not in _FRAMED),
         "A frame is known only as ROWS, for aggregates, first_value and last_value."),
    ],
    exp.Join: [(lambda node: node.args.get("kind") not in (None, "", "INNER", "CROSS", "OUTER"), "{1} is refused.")],
    exp.Update: [(lambda node: not all(isinstance(each, exp.EQ) and isinstance(each.this, exp.Column)
                                       and not each.this.table for each in node.expressions),
                  "UPDATE is known only with SET column = value, the column without its table.")],
    exp.In: [(lambda node: not (node.expressions or node.args.get("query")), "IN needs a list or a query.", "42601")],
    exp.With: [(lambda node: node.args.get("recursive") and not all(each.args["alias"].columns
                                                                    for each in node.expressions),
                "WITH RECURSIVE needs the names of its columns.", "42601")],
    exp.Group: [(lambda node: node.find(*_EXTENSIONS) and len(node.expressions) > 1,
                 "ROLLUP, CUBE and GROUPING SETS are refused beside others in GROUP BY.")],
    **dict.fromkeys(_EXTENSIONS, _within(exp.Group)),
    # Redshift has no table of values.
    exp.Values: _within(exp.Insert),
    exp.Var: _within(exp.Extract, exp.Interval, exp.Tuple, exp.DataTypeParam, exp.WindowSpec),
}  # fmt: skip


def _check_type(node: exp.Expr) -> None:
    if not isinstance(node.parent, exp.Cast) or node.this != exp.DType.INTERVAL:
        postgresql_type(node)


def _check_function(node: exp.Expr) -> None:
    name, arguments = call_name(node), node.expressions
    known = FUNCTIONS.get(name)
    if known is None:
        raise RefusedError(f"function {name}() is refused: the stand-in does not know it for certain.", "42883")
    over = isinstance(node.parent, exp.Window) and node.parent.this is node
    last = arguments[-1] if arguments else node
    distinct = [each for each in arguments if isinstance(each, exp.Distinct)]
    for wrong, words in (
        (not known.least <= len(arguments) <= known.most, f"is refused with {len(arguments)} arguments"),
        (known.kind in _WINDOWS and not over, "needs an OVER clause"),
        (known.kind not in {*_WINDOWS, "aggregate"} and over, "is refused as a window function"),
        (known.kind == "within" and not isinstance(node.parent, exp.WithinGroup), "is refused without WITHIN GROUP"),
        (name != "count" and any(isinstance(each, exp.Star) for each in arguments), "is refused with *"),
        (distinct and known.kind not in ("aggregate", "within"), "is refused with DISTINCT"),
        (any(len(each.expressions) > 1 + (name == "listagg") for each in distinct), "is refused with such DISTINCT"),
        (name == "regexp_replace" and len(arguments) > 2 and not _plain(arguments[2]),
         "is refused with a replacement other than a plain literal"),
        (known.kind == "setting" and not last.is_string, "needs a parameter's name in quotes"),
        (known.kind == "regexp" and len(arguments) == known.most and last.name not in ("c", "i"),
         "is known only with 'c' or 'i' for its parameters"),
    ):  # fmt: skip
        if wrong:
            raise RefusedError(f"{name}() {words}.", "42883")


def _plain(node: exp.Expr) -> bool:
    return bool(node.is_string) and not set(node.name) & set("\\$")


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], object]] = {
    exp.DataType: _check_type,
    exp.Anonymous: _check_function,
    exp.Extract: lambda node: date_part(node.this, "date_part"),
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
