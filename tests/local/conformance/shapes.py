"""A statement's shape: its form, and every construct in it that has a page of documentation.

A form is the statement's own words (``DELETE FROM … USING …``). A construct is a clause, a condition, a function, a
type, a system table, an attribute of a table, an option of COPY or a session parameter. Nothing passes because it is
not known: what the tables below do not name is shown by the parser's or the statement's own word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from local.redshift.sql.lexer import Token, text_of, tokenize

# The first that matches the statement in capitals, literals cut out.
FORMS = {
    "begin": r"BEGIN$",
    "commit": r"COMMIT$",
    "rollback": r"ROLLBACK$",
    "set … to …": r"SET \w+ TO ",
    "lock …": r"LOCK ",
    "copy … from …": r"COPY ",
    "create schema if not exists …": r"CREATE SCHEMA IF NOT EXISTS ",
    "create or replace view … with no schema binding": r"CREATE OR REPLACE VIEW .* WITH NO SCHEMA BINDING$",
    "create role …": r"CREATE ROLE ",
    "grant usage on schema … to role …": r"GRANT USAGE ON SCHEMA \w+ TO ROLE ",
    "grant select on … to role …": r"GRANT SELECT ON .* TO ROLE ",
    "grant select (…) on … to role …": r"GRANT SELECT \(.*\) ON .* TO ROLE ",
    "revoke select on … from role …": r"REVOKE SELECT ON .* FROM ROLE ",
    "create table if not exists …": r"CREATE TABLE IF NOT EXISTS ",
    "create temp table … (like …)": r"CREATE TEMP TABLE \w+ \( LIKE ",
    "create temp table …": r"CREATE TEMP TABLE \w+ \(",
    "create temp table … as …": r"CREATE TEMP TABLE \w+ AS ",
    "drop table if exists …": r"DROP TABLE IF EXISTS ",
    "drop view if exists …": r"DROP VIEW IF EXISTS ",
    "insert into … values …": r"INSERT INTO \w+ \([^)]*\) VALUES ",
    "insert into … select …": r"INSERT INTO \w+ \([^)]*\) (SELECT|WITH) ",
    "update … set … where …": r"UPDATE \w+ SET .* WHERE ",
    "delete from … using … where …": r"DELETE FROM \w+ USING .* WHERE ",
    "delete from … where …": r"DELETE FROM \w+ WHERE ",
    "delete from …": r"DELETE FROM \w+$",
    "select …": r"(SELECT|WITH) ",
}
UNPARSED = ("begin", "commit", "rollback", "lock", "create role", "grant", "revoke")
# What the documentation calls the parser's nodes; '' for what the form, a function or another node already says.
NODES: dict[type[exp.Expr], str] = {
    **dict.fromkeys(
        (exp.Select, exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Schema, exp.ColumnDef, exp.Values,
         exp.Tuple, exp.Table, exp.TableAlias, exp.Column, exp.Identifier, exp.Alias, exp.Literal, exp.Null, exp.Paren,
         exp.DataTypeParam, exp.Var, exp.Parameter, exp.CTE, exp.Properties, exp.TemporaryProperty, exp.LikeProperty,
         exp.ColumnConstraint, exp.IndexParameters, exp.From, exp.Where, exp.Star, exp.Not, exp.Interval, exp.Ordered,
         exp.If),
        "",
    ),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), "= <> < <= > >="),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg), "+ - * / %"),
    **dict.fromkeys((exp.And, exp.Or), "and, or, not"),
    exp.With: "with",
    exp.Except: "except",
    exp.Distinct: "distinct",
    exp.Group: "group by",
    exp.Having: "having",
    exp.Order: "order by",
    exp.Limit: "limit",
    exp.Window: "over (partition by … order by …)",
    exp.Between: "between",
    exp.In: "in (…)",
    exp.Is: "is null",
    exp.Exists: "exists (select …)",
    exp.Case: "case",
    exp.Like: "like",
    exp.DPipe: "||",
    exp.Cast: "cast",
    exp.NotNullColumnConstraint: "not null",
    exp.PrimaryKey: "primary key",
    exp.DistKeyProperty: "distkey",
    exp.DistStyleProperty: "diststyle all",
}  # fmt: skip
# Words before a parenthesis that are neither functions nor types.
NOT_FUNCTIONS = {
    "AND", "AS", "BETWEEN", "BY", "CAST", "DISTKEY", "EXCEPT", "EXISTS", "FROM", "IN", "JOIN", "KEY", "LIKE", "NOT",
    "ON", "OR", "OVER", "SELECT", "SORTKEY", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "VARCHAR", "CHAR",
    "NUMERIC", "DECIMAL",
}  # fmt: skip
BEFORE_A_TABLE = ("INTO", "EXISTS", "TABLE")
CALL = re.compile(r"\w+\(")
SYSTEM_TABLE = re.compile(r"(svv|sys|stl|stv|svl|pg)_\w+")
# An option of COPY is one word or, with AS and the kind of file, several.
COPY_OPTION = re.compile(r"FORMAT AS \w+|[A-Z]\w*")
COPY_VALUES = {"OFF", "ON", "DEFAULT"}


def shape(statement: str) -> tuple[str, frozenset[str]]:
    """The form and the constructs; a form that is not known is given by the statement's first words."""
    tokens = tokenize(statement)
    flat = " ".join("'…'" if token.kind == "string" else token.text.upper() for token in tokens)
    form = next((form for form, pattern in FORMS.items() if re.match(pattern, flat)), "")
    if not form:
        return " ".join(flat.lower().split()[:4]), frozenset()
    if form.startswith("set"):
        return form, frozenset({f"set {tokens[1].text}"})
    if form.startswith("copy"):
        options = COPY_OPTION.findall(flat.partition(" FROM '…' ")[2].replace("'…'", ""))
        return form, frozenset(f"copy … {option.lower()}" for option in options if option not in COPY_VALUES)
    if form.startswith(UNPARSED):
        return form, frozenset()
    return form, frozenset({*_nodes(tokens), *_words(tokens)} - {""})


def _nodes(tokens: list[Token]) -> Iterator[str]:
    for node in sqlglot.parse_one(text_of(tokens), dialect="redshift").walk():
        if isinstance(node, exp.Join):
            yield f"{node.side or 'inner'} join".lower()
        elif isinstance(node, exp.Subquery):
            yield "subquery in from" if isinstance(node.parent, exp.From | exp.Join) else "subquery as a value"
        elif isinstance(node, exp.DataType):
            yield node.sql("redshift").partition("(")[0].lower()
        elif isinstance(node, exp.SortKeyProperty):
            yield "compound sortkey" if node.args.get("compound") else "sortkey"
        elif isinstance(node, exp.Union):
            yield "union" if node.args.get("distinct") else "union all"
        elif isinstance(node, exp.In) and node.args.get("query"):
            yield "in (select …)"
        elif type(node) in NODES:
            yield NODES[type(node)]
        elif not (isinstance(node, exp.Func) and CALL.match(node.sql("redshift"))):
            yield type(node).__name__


def _words(tokens: list[Token]) -> Iterator[str]:
    """What the parser gives another name, or none: functions as they are written, literals, system tables."""
    before = after_all = Token("operator", "", 0, 0)
    for token, after in itertools.pairwise([*tokens, after_all]):
        word = token.upper
        if token.kind == "word" and after.upper == "(":
            if word not in NOT_FUNCTIONS and before.upper not in BEFORE_A_TABLE:
                yield f"{word.lower()}()"
        elif word in ("TIMESTAMP", "INTERVAL", "DATE") and after.kind == "string":
            yield f"{word.lower()} '…'"
        elif word == "NULLS":
            yield "nulls last"
        elif SYSTEM_TABLE.fullmatch(token.text) and after.upper != ".":
            yield token.text
        before = token
