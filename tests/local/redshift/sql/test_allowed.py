from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from sqlglot import exp

from local.redshift.sql.functions import ALLOWED, FUNCTIONS
from local.redshift.sql.lexer import quote_literal
from local.redshift.sql.plan import Refuse
from local.redshift.sql.rewrite import rewrite

PAGE = Path(__file__).parents[4] / "docs" / "stand-in-reference.md"
GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg/"


def link(page: str) -> str:
    return f"[{page}]({GUIDE}{page}.html)"


def listed(rows: list[tuple[str, str]]) -> str:
    """A table with one line a page."""
    by_page = defaultdict(list)
    for page, what in rows:
        by_page[page].append(f"`{what}`".replace("|", "\\|"))
    return "\n".join(f"| {link(page)} | {'<br>'.join(entries)} |" for page, entries in by_page.items())


def test_the_page_of_the_stand_in_lists_every_statement_function_and_type_with_its_source() -> None:
    text = PAGE.read_text()
    statements = [(page, form) for page, form, *_ in ALLOWED["statements"]]
    functions = [(known.page, name) for name, known in FUNCTIONS.items()]
    types = [(page, form) for page, form, _ in ALLOWED["types"]]
    for table in (listed(statements), listed(functions), listed(types)):
        missing = [line for line in table.splitlines() if line not in text]
        assert not missing, f"{PAGE.name} lacks:\n{chr(10).join(missing)}"


def test_every_node_of_the_table_is_one_of_sqlglots() -> None:
    for names in ALLOWED["nodes"]:
        for name in names.split():
            assert issubclass(getattr(exp, name), exp.Expr), name


# What a form's parts may be, to write a statement of it.
PARTS = {
    "select": "select 1", "late_select": "select 1", "insert": "insert into t values (1)",
    "update": "update t set a = 1", "delete": "delete from t", "whole": "5", "string": "'x'",
    "password": "'Abcdefg1'", "setting": "query_group", "shown": "query_group", "value": "'x'", "type": "varchar(9)",
    "column": "c int", "condition": "t.a = u.a", "expression": "1",
}  # fmt: skip


def spellings(form: str) -> list[str]:
    """Statements of a form: with the first and with the last of its choices, with and without its options."""
    return [_write(form, last, options) for last in (False, True) for options in (False, True)]


def _write(form: str, last: bool, options: bool) -> str:
    while "<" in form:
        name = re.search(r"<(\w+)(?::\w+)?(?:, \.\.\.)?>", form)
        assert name
        form = form[: name.start()] + ALLOWED["forms"].get(name[1], PARTS.get(name[1], "t")) + form[name.end() :]
    while inner := re.search(r"\[([^\[\]{}]*)\]|\{([^\[\]{}]*)\}", form):
        choices = (inner[1] or inner[2]).split("|")
        chosen = choices[-1 if last else 0] if inner[2] or options else ""
        form = form[: inner.start()] + chosen + form[inner.end() :]
    return form


@pytest.mark.parametrize("form", [form for _, form, *_ in ALLOWED["statements"] if "…" not in form])
def test_every_form_is_read(form: str) -> None:
    for statement in spellings(form):
        (plan,) = rewrite(statement)
        assert not isinstance(plan, Refuse), (statement, plan)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_there_with_its_fewest_and_its_most_arguments(name: str) -> None:
    known = FUNCTIONS[name]
    for count in {known.least, known.most}:
        first = {"datepart": "day", "setting": "'query_group'"}.get(known.kind, "'c'")
        arguments = [first, *["'c'"] * (count - 1)][:count]
        after = {
            "within": " within group (order by a)", "ranking": " over (order by a)", "offset": " over (order by a)",
            "edge": " over ()", "ratio": " over ()",
        }.get(known.kind, "")  # fmt: skip
        source = "" if known.kind == "leader" else " from t"
        (plan,) = rewrite(f"select {name}({', '.join(arguments)}){after}{source}")
        assert not isinstance(plan, Refuse), plan
    (plan,) = rewrite(f"select {name}({', '.join([quote_literal('x')] * (known.most + 1))}) from t")
    assert isinstance(plan, Refuse)
