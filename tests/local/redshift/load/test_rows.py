"""Whole blocks and single objects are read by different means; no file may show the difference, or stop either."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.redshift.load import csv_rows
from local.redshift.load.columns import TEXT_TYPES, Column
from local.redshift.load.rows import RowEncoder
from local.redshift.sql.plan import Load
from local.stack.postgres import Postgres

TYPES = [
    ("int2", {}),
    ("int4", {}),
    ("int4", {"not_null": True}),
    ("int8", {}),
    ("numeric", {"precision": 10, "scale": 5}),
    ("numeric", {"precision": 38, "scale": 0, "not_null": True}),
    ("float4", {}),
    ("float8", {}),
    ("bool", {}),
    ("varchar", {"length": 5}),
    ("varchar", {"length": 5, "not_null": True}),
    ("bpchar", {"length": 3}),
    ("date", {}),
    ("timestamp", {}),
    ("timestamptz", {}),
]
ODD = [
    "null", "true", "false", "0", "-0", "1", "1.0", "1.50", "1e2", "1E-9", "-0.000001", "99999.999999", "100000",
    "32768", "2147483648", "9223372036854775808", "1541105830796", "1e400", "1e999999999", "9" * 40, "9" * 5000, "NaN",
    '""', '" "', '"\\t"', '"12"', '" 12"', '"+12"', '"-12"', '"1_000"', '"１２"', '"0x1"', '"1."', '".5"', '"1e2"',
    '"NaN"', '"inf"', '"null"', '"t"', '"No"', '"abcde"', '"abcdef"', '"ééé"', '"éé"', '"\\u00e9\\u00e9\\u00e9"',
    '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000"', '"\\/"', '"\x01"', '"\x7f"', '"open', '"2018-11-01"', '"2018-11-1"',
    '"2018-02-30"', '"2018-11-01 21:01:46"', '"2018-11-01 21:01:46.7967"', '"2018-11-01T21:01:46Z"',
    '"0001-01-01 00:00:00+01"', '"9999-12-31 23:59:59-01"', '{"b": [1.50, "é", null]}', "[]", "[" * 2000,
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(max_size=7).map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=7).map(
        lambda t: json.dumps(t, ensure_ascii=False)
    ),
)
OBJECTS = st.one_of(
    VALUES.map(lambda value: f'{{"a": {value}}}'),
    st.tuples(VALUES, VALUES).map(lambda two: f'{{"a": {two[0]}, "other": {two[1]}}}'),
    st.tuples(VALUES, VALUES).map(lambda two: f'{{"a": {two[0]},\n"a":\n{two[1]}\n}}'),
    VALUES.map(lambda value: f'{{"other": [\n{{"a": {value}}}\n]}}'),
    st.sampled_from(
        [
            "{}",
            "{",
            "}",
            '{"a": 1',
            '{"a": 1,',
            '{"a":',
            '{"a": [',
            '[{"a": 1}',
            "]",
            ",",
            "junk",
            "[1]",
            "\ufeff{}",
            "\x1a",
            "",
            " ",
        ]
    ),
    st.sampled_from(['"\\u0000"', '"\\ud83d"', '"\\udcb0"', '"\x9b\u202e\u2028"', '"\x01"', '"a"']).map(
        lambda key: f'{{{key}: 1, "a": {{{key}: [{key}]}}}}'
    ),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
BYTES = st.one_of(OBJECTS, st.binary(max_size=12), st.just(b'{"a": 1, "other": "\xff"}'), st.just(b'{"a": "\xc3"}'))
FILES = st.lists(
    st.tuples(BYTES, st.sampled_from([b"\n", b"\r\n", b"\r\r\n", b"\r", b"\n\n", b" ", b",\n", b""])), max_size=6
).map(lambda parts: b"".join(part + end for part, end in parts))
LOADS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    time_format=st.sampled_from(["", "auto", "epochsecs", "epochmillisecs"]),
    flags=st.frozensets(st.sampled_from(["BLANKSASNULL", "EMPTYASNULL", "ROUNDEC", "TRUNCATECOLUMNS"])),
)


@pytest.fixture(scope="module")
def connection(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.dsn("dev"), autocommit=True) as connection:
        yield connection


def encode(kind: tuple[str, Any], data: bytes, block: int, **load: Any) -> tuple[bytes, int, list[dict[str, object]]]:
    """The lines, without the quotes that PostgreSQL passes over, their number, and the errors."""
    column = Column("a", kind[0], **kind[1])
    errors: list[dict[str, object]] = []
    plan = Load("", ("t",), (), "s3://b/k", max_errors=100_000, **load)
    encoder = RowEncoder([column], [("a",)], plan, errors)
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    lines = b"".join(encoder.encode([("s3://b/k", blocks)]))
    return lines if kind[0] in TEXT_TYPES else lines.replace(b'"', b""), encoder.rows, errors


@settings(deadline=None, max_examples=settings().max_examples * 4)
@given(st.sampled_from(TYPES), FILES, st.integers(9, 60), LOADS)
@example(("numeric", {"precision": 10, "scale": 5}), b'{"a": "1_000"}', 60, {})
@example(("int4", {}), b'{"a": true}\n{"a": 1}', 60, {})
@example(("int4", {}), b'{"a": 1, "other": "\xff"}\n{"a": "x"}', 60, {})
@example(("int2", {}), b'{"a": 1, "other": "\xff"}\n{"other": 1}\r\n\t\x0b\r\n', 29, {})
@example(("varchar", {"length": 5}), b'{"a":\n{"b":1}}{"a":"\xc3\xa9\xc3\xa9\xc3\xa9"}\n', 60, {})
def test_a_file_gives_the_same_rows_and_errors_by_blocks_and_by_objects(
    kind: tuple[str, Any], data: bytes, block: int, load: dict[str, Any]
) -> None:
    # Names in any case are looked up object by object, and all names here are in lower case.
    by_objects = encode(kind, data, len(data) + 1, json_paths="auto ignorecase", **load)
    assert encode(kind, data, len(data) + 1, **load) == by_objects
    rows, count, errors = encode(kind, data, block, **load)
    assert (rows, count) == by_objects[:2]
    assert errors == by_objects[2]


@settings(deadline=None, max_examples=settings().max_examples * 4)
@given(st.sampled_from(TYPES), FILES, LOADS)
@example(("float4", {}), b'{"a": 1e-46}\n{"a": 1e-40}\n{"a": 3.4028234663852886e38}', {})
@example(("float8", {}), b'{"a": 1e-400}\n{"a": 5e-324}\n{"a": -1.7976931348623157e308}', {})
@example(("numeric", {"precision": 10, "scale": 5}), b'{"a": "1."}\n{"a": "+.5"}\n{"a": 0e99999}\n{"a": 1E2}', {})
@example(("timestamptz", {}), b'{"a": "0001-01-01 00:00:00"}\n{"a": "9999-12-31 23:59:59.999999"}', {})
@example(("varchar", {"length": 5}), b'{"a": "null"}\n{"a": null}\n{"a": ""}\n{"a": "\\\\."}\n{"a": "\\n\\\\.\\n"}', {})
def test_postgresql_reads_every_row_that_is_not_refused(
    connection: psycopg.Connection, kind: tuple[str, Any], data: bytes, load: dict[str, Any]
) -> None:
    size = ", ".join(str(kind[1][name]) for name in ("length", "precision", "scale") if name in kind[1])
    with connection.transaction():
        connection.execute(f"create temporary table t (a {kind[0]}{size and f'({size})'}) on commit drop")
        lines, count, _ = encode(kind, data, len(data) + 1, **load)
        with connection.cursor().copy(f"copy t from stdin ({csv_rows.OPTIONS})") as copy:
            copy.write(lines)
        assert connection.execute("select count(*) from t").fetchone() == (count,)


def test_a_line_of_many_objects_is_read_to_the_last() -> None:
    data = b'{"a": 1}' * 100_000
    assert encode(("int4", {}), data + b'{"a": "x"}', 1 << 16)[1] == 100_000


def test_blank_lines_are_counted_and_not_kept() -> None:
    _, rows, errors = encode(("int4", {}), b"\n" * 300_000 + b'{"a": "x"}', 1 << 16)
    assert (rows, errors[0]["line_number"]) == (0, 300_001)


def test_what_is_nested_too_deeply_to_be_a_text_is_refused() -> None:
    # Hypothesis lets functions call each other more deeply than a running stand-in does.
    _, rows, errors = encode(("varchar", {}), b'{"a": ' + b"[" * 700 + b"]" * 700 + b"}", 1 << 16)
    assert (rows, errors[0]["error_code"]) == (0, 1216)


LARGE = {
    "one line": b'{"a": 1, "b": "' + b"x" * 9_000_000 + b'"}',
    "many lines": b'{"a": 1, "b": [' + b'"xxxxxxxxxxxxxxxxxxx",\n' * 400_000 + b"1]}",
    "never ends": b'{"a": 1, "b": [' + b'"xxxxxxxxxxxxxxxxxxx",\n' * 400_000,
    "no structure": b"x" * 9_000_000,
    "nested": b'{"a":' + b"[" * 9_000_000,
}


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize("block", [1 << 16, 1 << 24])
def test_what_is_too_large_is_one_error_of_the_line_where_it_begins(large: str, block: int) -> None:
    data = b'{"a": 1}\n' + LARGE[large].rstrip(b"\n") + b'\n{"a": 2}\n{"a": "x"}\n'
    began = time.process_time()
    lines, count, errors = encode(("int4", {}), data, block)
    assert (lines, count) == (b"1\n2\n", 2)
    last_line = data.count(b"\n")
    assert [error["line_number"] for error in errors] == [2, last_line]
    assert str(errors[0]["raw_line"]) == LARGE[large][:1024].decode()
    # Reading it again with each block would take minutes.
    assert time.process_time() - began < 60
