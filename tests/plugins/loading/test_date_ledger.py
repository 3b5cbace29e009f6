"""What is kept of a staged date: how much was read, and the fields that nobody asked for."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from sparkify.loading.date_ledger import BYTES_LOOKED_AT, MOST_FIELDS_A_FILE, unknown_fields
from tests.examples import event
from tests.pipeline import Pipeline

DAY, NEXT = date(2018, 11, 1), date(2018, 11, 2)
FOLDER = "log_data/2018/11/"
STAGE = ("tables", "stage_events")
FIELDS = "select log_date, file_name, field, example from staging_unknown_fields order by 1, 2, 3"


def line(**changes: object) -> bytes:
    return json.dumps(event(**changes)).encode()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (b'{"a": 1, "b": 2}\n{"b": 3, "c": {"d": null}}', {"b": "2", "c": '{"d": null}'}),
        (b'{"a": 1}\r\n\r\n{"a": 2}\n', {}),
        (b'{"b": 1\n[{"b": 2}]\n"b"\nnull\n\xff{"b": 3}\n{"c": 4}', {"c": "4"}),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b'}\n{"b": 5}', {"b": "5"}),
        (b'{"\\ud800": "\\ud800"}\n{"nul\\u0000": 0}', {"?": '"\\ud800"', "nul": "0"}),
        (b'{"b": "' + b"x" * 1000 + b'"}', {"b": '"' + "x" * 255}),
        (b'{\n "a": 1,\n "b": {\n  "c": 2\n }\n}\n{\n "d": 3\n}', {"b": '{"c": 2}', "d": "3"}),
        (b'{"a": 1} {"b": 2},\n{"c": 3}', {"b": "2", "c": "3"}),
    ],
)
def test_unknown_fields_are_those_of_readable_lines_with_the_value_met_first(
    lines: bytes, found: dict[str, str]
) -> None:
    assert unknown_fields(lines, {"a"}) == found


def test_of_a_file_of_ever_new_fields_no_more_than_a_hundred_are_kept() -> None:
    lines = b"\n".join(b'{"field_%d": 1}' % number for number in range(1000))
    assert len(unknown_fields(lines, ())) == MOST_FIELDS_A_FILE


def test_fields_are_looked_for_in_every_file_of_the_run_and_replaced_with_their_date(pipeline: Pipeline) -> None:
    pipeline.put(
        {
            FOLDER + "2018-11-01-events-1.json": b"\n".join([line(), line(device="phone")]),
            FOLDER + "2018-11-01-events-2.json.gz": gzip.compress(line(itemInSession=1, ab_test=3)),
            FOLDER + "2018-11-01-events-3.json": b"",
            FOLDER + "2018-11-02-events.json": b'{"ts": oops, "x": 1}\n' + line(itemInSession=2, device="tv"),
        }
    )
    pipeline.run(DAY, NEXT, only=STAGE, max_bad_lines=1)
    address = f"s3://{pipeline.bucket}/{FOLDER}"
    next_day = (NEXT, f"{address}2018-11-02-events.json", "device", '"tv"')
    assert pipeline.rows(FIELDS) == [
        (DAY, f"{address}2018-11-01-events-1.json", "device", '"phone"'),
        (DAY, f"{address}2018-11-01-events-2.json.gz", "ab_test", "3"),
        next_day,
    ]
    assert pipeline.rows("select log_date, files, lines_read from staged_dates order by 1") == [
        (DAY, 3, 3),
        (NEXT, 1, 2),
    ]
    for part in (1, 2):
        pipeline.remove(FOLDER + f"2018-11-01-events-{part}.json" + (".gz" if part == 2 else ""))
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows(FIELDS) == [next_day]
    assert pipeline.rows("select log_date, files, lines_read from staged_dates order by 1") == [
        (DAY, 1, 0),
        (NEXT, 1, 2),
    ]


def test_a_field_is_seen_in_any_member_of_a_gzip_file(pipeline: Pipeline) -> None:
    members = gzip.compress(line() + b"\n") + gzip.compress(line(itemInSession=1, new=1))
    pipeline.put({FOLDER + "2018-11-01-events.json.gz": members})
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows("select field, example from staging_unknown_fields") == [("new", "1")]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_no_more_than_the_beginning_of_a_large_file_is_looked_at(pipeline: Pipeline, packed: bool) -> None:
    many = [line(itemInSession=number, location="x" * 500) for number in range(1500)]
    data = b"\n".join([line(early=1), *many, line(late=1)])
    assert len(data) > BYTES_LOOKED_AT
    pipeline.put({FOLDER + f"2018-11-01-events.json{'.gz' if packed else ''}": gzip.compress(data) if packed else data})
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows("select field from staging_unknown_fields") == [("early",)]


def test_a_date_keeps_the_size_of_its_largest_file_as_it_is_stored(pipeline: Pipeline) -> None:
    packed = gzip.compress(b"\n".join(line(itemInSession=number) for number in range(50)))
    pipeline.put({FOLDER + "2018-11-01-events-1.json": line(), FOLDER + "2018-11-01-events-2.json.gz": packed})
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows("select files, largest_file from staged_dates") == [(2, max(len(packed), len(line())))]
