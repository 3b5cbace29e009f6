"""Constructs that PostgreSQL takes and that Redshift may refuse or plan badly: none is to be emitted."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

OUTER = ("LEFT", "RIGHT", "FULL")


def doubts(statement: str) -> list[str]:
    """What a sceptical engineer would ask about in a statement."""
    try:
        tree = sqlglot.parse_one(statement, dialect="redshift")
    except sqlglot.ParseError:
        # COPY and the like, which hold no query.
        return []
    either = [one for one in tree.find_all(exp.Or) if one.find(exp.Select)]
    outer = [join.args["on"] for join in tree.find_all(exp.Join) if join.side in OUTER and join.args.get("on")]
    return [
        *(f"a subquery under OR: {one.sql('redshift')}" for one in either),
        *(f"a subquery in the ON of an outer join: {on.sql('redshift')}" for on in outer if on.find(exp.Select)),
    ]
