"""The reference and the stand-in's COPY, which share no code, take the same of any file."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.redshift.load.columns import Column, Number, ValueRefusedError, convert
from local.redshift.load.objects import objects
from local.redshift.sql.plan import Load
from local.reference.records import UnreadableRecordError, read_events, read_songs
from tests.examples import NOV_1, event, song

STAGING = (Path(__file__).resolve().parents[3] / "include" / "sql" / "schema" / "staging.sql").read_text()
COPY = Load("", (), (), "", flags=frozenset({"ROUNDEC"}))
KINDS = {"integer": "int4", "bigint": "int8", "double precision": "float8"}
PARTS = ["{", "}", "[", "]", ":", ",", '"a"', '"b\\""', "1", "oops", "\n", "\n{", " ", '{"a":1}', '{"a":1}\n', '"x']
files = st.lists(
    st.sampled_from([part.encode() for part in (*PARTS, "\r\n", "\n[", "null", '{"a":"')] + [b"\xff"]), max_size=12
)


@given(parts=files)
def test_the_same_records_are_found_and_left_out(parts: list[bytes]) -> None:
    text = b"".join(parts)
    refused = [bool(found.refused or found.unfit) for found in objects(text.decode(errors="surrogateescape"), True)]
    left_out: list[UnreadableRecordError] = []
    rows = read_events(text, "x", NOV_1, left_out)
    assert (len(rows), len(left_out)) == (refused.count(False), refused.count(True))


def columns(table: str, fields: list[str]) -> dict[str, Column]:
    """Each field's column."""
    (body,) = re.findall(rf"create table if not exists {table} \((.*?)\n\)", STAGING, re.DOTALL)
    found = {}
    for field, (name, kind) in zip(fields, re.findall(r"^ +(\w+) (.+?),?$", body, re.MULTILINE), strict=False):
        sizes = [int(size) for size in re.findall(r"\d+", kind)]
        if kind.startswith("varchar"):
            found[field] = Column(name, "varchar", length=sizes[0])
        elif kind.startswith("numeric"):
            found[field] = Column(name, "numeric", precision=sizes[0], scale=sizes[1])
        else:
            found[field] = Column(name, KINDS[kind])
    return found


EVENT_COLUMNS = columns("staging_events", list(event()))
SONG_COLUMNS = columns("staging_songs", list(song("SO1")))

numbers = st.one_of(
    # Halves of the last digit, of which a double is mostly more or less.
    st.integers(-(10**10), 10**10).map(lambda number: f"{number // 10**5}.{number % 10**5:05}5"),
    st.integers(-(2**65), 2**65).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0", "-0.0", "2147483648", "-2147483649", "9223372036854775808", "99999.999994", "1e400", "1E2"]),
).filter(lambda text: re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text) and text != "-0")
texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", " ", "\t7\n", "+5", "007", ".5", "5.", "1_0", "٣", "NaN", "0x1", "x" * 16, "é" * 9, "é" * 129, "x" * 1025]
    ),
    numbers,
).map(lambda text: json.dumps(text, ensure_ascii=False) if text.isprintable() else json.dumps(text))
literals = st.recursive(
    st.one_of(st.just("null"), st.just("true"), st.just("false"), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(texts, inner), max_size=2).map(
            lambda pairs: f"{{{', '.join(': '.join(p) for p in pairs)}}}"
        ),
    ),
    max_leaves=4,
)


@given(data=st.data(), literal=literals)
@pytest.mark.parametrize("of_events", [True, False])
def test_the_same_values_are_taken_and_made_of_them(of_events: bool, data: st.DataObject, literal: str) -> None:
    known = EVENT_COLUMNS if of_events else SONG_COLUMNS
    field = data.draw(st.sampled_from([field for field in known if field != "ts"]))
    decoder = json.JSONDecoder(parse_float=Number, parse_int=Number)
    taken: Any
    try:
        taken = convert(known[field], COPY, decoder.decode(literal))
    except ValueRefusedError:
        taken = None
        refused = True
    else:
        refused = False
    text = f"{{{json.dumps(field)}: {literal}}}".encode()
    left_out: list[UnreadableRecordError] = []
    rows: list[Any] = read_events(text, "x", NOV_1, left_out) if of_events else [*read_songs(text, "x", left_out)]
    assert bool(left_out) is refused
    if not refused:
        value = getattr(rows[0], known[field].name)
        assert value == (Decimal(taken) if isinstance(value, Decimal) else taken)
