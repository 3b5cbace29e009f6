from __future__ import annotations

import pytest

from local.redshift.sql.grammar import Grammar
from local.redshift.sql.lexer import Cursor, quote_name, tokenize

GRAMMAR = Grammar({"name": lambda cursor: quote_name(cursor.name()), "pair": "<name:left> = <name:right>"})


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("DROP [TABLE] <name>", "drop table a", 'DROP TABLE "a"'),
        ("DROP [table] <name>", "drop table a", 'DROP "a"'),
        ("DROP [TABLE] <name>", "drop a", 'DROP "a"'),
        ("A {B | C D} E", "a c d e", "A C D E"),
        ("A {B | B C} C", "a b c c", "A B C C"),
        ("SET <pair, ...>", "set a = b, C = d", 'SET "a" = "b", "c" = "d"'),
        ("A [( <name, ...> )]", "a (b, c)", 'A ( "b", "c" )'),
        ("A <name>", "a 'b'", None),
        ("A <name>", "a b c", None),
        ("A <name, ...>", "a b,", None),
        ("A B", 'a "b"', None),
    ],
)
def test_a_form_matches_a_whole_statement_or_not_at_all(form: str, text: str, found: str | None) -> None:
    match = GRAMMAR.read(form, Cursor(tokenize(text)), whole=True)
    assert (match and match.sql()) == found


def test_what_was_found_is_kept_by_label() -> None:
    match = GRAMMAR.read("SET <pair, ...>", Cursor(tokenize("set a = b, c = d")))
    assert match is not None
    assert (match["left"], match.all("right"), match["missing"]) == ('"a", "c"', ['"b"', '"d"'], "")
    assert match.fill("{right} <- {left} {missing}") == '"b", "d" <- "a", "c"'


def test_a_form_that_does_not_match_leaves_the_cursor_and_says_how_far_it_got() -> None:
    cursor = Cursor(tokenize("drop table a cascade now"))
    assert GRAMMAR.read("DROP TABLE <name> [CASCADE]", cursor, whole=True) is None
    assert cursor.position == 0
    assert cursor.refusal().message.startswith("DROP TABLE a cascade now is refused")
