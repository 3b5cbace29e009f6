"""SELECT, INSERT, UPDATE and DELETE: parsed by sqlglot, checked against an allow list, written for PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError

from local.redshift.sql.checks import check, spoken, tables_of
from local.redshift.sql.functions import CATALOGUE_FUNCTIONS, FUNCTIONS, KEY_VIEWS, SCHEMA, SYSTEM_VIEWS
from local.redshift.sql.lexer import Token, quote_literal, text_of
from local.redshift.sql.plan import RefusedError
from local.redshift.sql.postgresql import Writer, call_name


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


_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery)
_KINDS: dict[str, Any] = {"SELECT": _QUERIES, "INSERT": exp.Insert, "UPDATE": exp.Update, "DELETE": exp.Delete}


def rewrite_query(tokens: list[Token], kind: str = "SELECT", *, late: bool = False) -> str:
    """PostgreSQL text for a statement of this kind; raise RefusedError for what is not known for certain.

    :param late: it is the query of a late-binding view, which no search path will be there for.
    """
    tree = _parse(text_of(tokens))
    if late and not all(table.db for table in tables_of(tree)):
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
        check(tree)
        return str(Writer().generate(tree.transform(_rename), copy=False))
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"The statement could not be translated ({type(error).__name__}: {error})") from None


def _reads_only_the_catalogue(tree: exp.Expr) -> bool:
    read = tables_of(tree)
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
            raise RefusedError(f"{spoken(call)} is refused in a query of the catalogue.", "42883")
    written = [quote_literal(token.text) if token.kind == "string" else token.sql() for token in tokens]
    for at in range(len(tokens) - 2):
        if tokens[at].text.lower() == "information_schema" and tokens[at + 2].text.lower() in KEY_VIEWS:
            written[at] = SCHEMA
    return " ".join(written)


def _rename(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Identifier):
        # enable_case_sensitive_identifier is off by default: quoted names are folded too.
        node.set("this", node.name.lower())
        node.set("quoted", True)
    elif isinstance(node, exp.Table):
        name = node.name.lower()
        schema = node.text("db").lower()
        keys = schema == "information_schema" and name in KEY_VIEWS
        if keys or name in SYSTEM_VIEWS:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            node.set("db", exp.to_identifier(SCHEMA))
    return node
