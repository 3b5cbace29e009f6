"""docs/stand-in-reference.md lists every form and construct that the package emits, with its page, and no other.

And none of them is one that a cluster may refuse where PostgreSQL does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.local.conformance.doubts import doubts
from tests.local.conformance.shapes import FORMS, shape

PAGE = Path(__file__).parents[3] / "docs" / "stand-in-reference.md"
SECTION = "## The statements that the package emits"
LINE = re.compile(r"\| `(.+)` \| \[(.+)\]\((.+)\) \|")
AMAZON = "https://docs.aws.amazon.com/redshift/latest/dg/"


@pytest.fixture(scope="module")
def emitted(heard: Sequence[str]) -> Mapping[str, str]:
    """Every form and construct, with a statement that shows it."""
    found: dict[str, str] = {}
    for statement in heard:
        form, constructs = shape(statement)
        for name in (form, *constructs):
            found.setdefault(name, statement)
    return found


def listed() -> dict[str, str]:
    section = PAGE.read_text().partition(SECTION)[2].partition("\n## ")[0]
    return {name.replace("\\|", "|"): address for name, _, address in LINE.findall(section)}


def test_every_form_and_construct_has_its_line(emitted: Mapping[str, str]) -> None:
    missing = {name: statement for name, statement in emitted.items() if name not in listed()}
    shown = "\n".join(f"{name!r} in: {statement}" for name, statement in missing.items())
    assert not missing, f"{PAGE.name}, {SECTION!r}, has no line with a page of documentation for\n{shown}"


def test_no_statement_has_a_construct_that_a_cluster_may_refuse(heard: Sequence[str]) -> None:
    assert sum("select" in statement for statement in heard) > 100
    assert {doubt for statement in heard for doubt in doubts(statement)} == set()


@pytest.mark.parametrize(
    ("statement", "doubt"),
    [
        ("select 1 from a where b = 1 or c in (select d from e)",
         "a subquery under OR: b = 1 OR c IN (SELECT d FROM e)"),
        ("delete from a where exists (select 1 from b) or a = 1",
         "a subquery under OR: EXISTS(SELECT 1 FROM b) OR a = 1"),
        ("select 1 from a left join b on a.c = b.c and a.d in (select d from e)",
         "a subquery in the ON of an outer join: a.c = b.c AND a.d IN (SELECT d FROM e)"),
    ],
)  # fmt: skip
def test_such_a_construct_is_found(statement: str, doubt: str) -> None:
    assert doubts(statement) == [doubt]


def test_no_line_stands_for_what_is_no_longer_emitted(emitted: Mapping[str, str]) -> None:
    assert sorted(listed().keys() - emitted.keys()) == []


def test_every_line_names_a_page_of_amazons_documentation() -> None:
    assert listed()
    assert [name for name, address in listed().items() if not re.fullmatch(rf"{AMAZON}[\w-]+\.html", address)] == []


@pytest.mark.parametrize(
    ("statement", "form", "constructs"),
    [
        ("Begin", "begin", set()),
        ("select 1 from pg_catalog.pg_class", "select …", {"pg_class"}),
        ("select a from x where exists (select 1 from y)", "select …", {"exists (select …)"}),
        ("select case when a = 1 then current_date end from x", "select …",
         {"case", "= <> < <= > >=", "CurrentDate"}),
        ("select nvl(a, 'nvl(b)') from x", "select …", {"nvl()"}),
        ("select a from x union all select a from y", "select …", {"union all"}),
        ("select sum(a) over (order by b rows unbounded preceding) from x", "select …",
         {"sum()", "over (partition by … order by …)", "order by", "WindowSpec"}),
        ("copy x from 's3://b/k' iam_role default format as json 'auto' gzip maxerror 3", "copy … from …",
         {"copy … iam_role", "copy … format as json", "copy … gzip", "copy … maxerror"}),
        ("create table if not exists x (a varchar(3) not null, b numeric(9, 2)) diststyle all compound sortkey (a)",
         "create table if not exists …", {"varchar", "decimal", "not null", "diststyle all", "compound sortkey"}),
        ("set statement_timeout to 3", "set … to …", {"set statement_timeout"}),
        ("vacuum full x to 99 percent", "vacuum full x to", set()),
    ],
)  # fmt: skip
def test_a_statement_is_reduced_to_its_shape(statement: str, form: str, constructs: set[str]) -> None:
    assert shape(statement) == (form, frozenset(constructs))


def test_every_form_is_reached_by_its_own_pattern() -> None:
    assert len(set(FORMS.values())) == len(FORMS)
