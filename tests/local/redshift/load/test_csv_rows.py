"""PostgreSQL reads in CSV what the rows held, whatever characters that are."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.redshift.load.csv_rows import OPTIONS, encode
from local.stack.postgres import Postgres

TEXTS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
    st.text('\\"nrt\n\r\t\x01\x1f\x7f,[].u0é', max_size=9),
    st.sampled_from(["null", "\\.", "\n\\.\n", "]\n[", "],[", '"', "\\", '\\"', "\\n"]),
)
ROWS = st.lists(st.tuples(TEXTS, st.none() | st.integers(-(2**63), 2**63 - 1), TEXTS), max_size=4)


@pytest.fixture(scope="module")
def connection(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.dsn("dev"), autocommit=True) as connection:
        connection.execute("create temporary table t (a text, b bigint, c text) on commit delete rows")
        yield connection


@settings(deadline=None, max_examples=settings().max_examples * 2)
@given(ROWS)
@example([("\n", 1, "\\n"), ("a", None, None)])
def test_postgresql_reads_what_was_written(
    connection: psycopg.Connection, rows: list[tuple[str | None, int | None, str | None]]
) -> None:
    with connection.transaction():
        with connection.cursor().copy(f"copy t from stdin ({OPTIONS})") as copy:
            copy.write(encode(rows))
        assert connection.execute("select * from t").fetchall() == rows


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ((None,), b"null\n"),
        (("null",), b'"null"\n'),
        (("",), b'""\n'),
        (('say "a\\b"', 1, 2.5), b'"say \\"a\\\\b\\"",1,2.5\n'),
        (("a\nb\x1f\\n",), b'"a\nb\x1f\\\\n"\n'),
    ],
)
def test_a_row_is_a_line(row: tuple[str | float | None, ...], line: bytes) -> None:
    assert encode([row]) == line


def test_no_rows_are_no_lines() -> None:
    assert encode([]) == b""
