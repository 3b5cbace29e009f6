"""Values become columns as COPY converts them, and what it could not load is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.reference.records import UnreadableRecordError, read_events, read_songs
from local.reference.values import AFTER_LAST_TS, FIRST_TS
from tests.examples import NOV_1, Raw, event, play, song

FILE = "log_data/2018/11/2018-11-01-events.json"


def lines(*records: Raw) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("277.15873", "277.15873"),
        ("277.158734999999999999999", "277.15873"),
        ("277.158736", "277.15874"),
        ("-277.158736", "-277.15874"),
        # Half of the last digit as it is written, and less as a double.
        ("277.158735", "277.15873"),
        ('"277.158735"', "277.15874"),
        ("0.1", "0.1"),
        ("1E2", "100"),
        ('"277.158731 "', "277.15873"),
        ('" "', None),
        ("null", None),
    ],
)
def test_a_length_is_exact_to_five_decimals_and_rounded(literal: str, expected: str | None) -> None:
    [row] = read_events(b'{"length": %s}' % literal.encode(), FILE, NOV_1)
    assert row.length == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("39", 39),
        ('"39"', 39),
        ('" 39 "', 39),
        ('"0039"', 39),
        ('"-1"', -1),
        ('""', None),
        ('"  "', None),
        ("null", None),
    ],
)
def test_a_user_id_is_a_number_or_null(literal: str, expected: int | None) -> None:
    [row] = read_events(b'{"userId": %s}' % literal.encode(), FILE, NOV_1)
    assert row.user_id == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ('""', ""),
        ('" "', " "),
        ('"null"', "null"),
        ("1.50", "1.50"),
        ("1e5", "1e5"),
        ("7", "7"),
        ("null", None),
    ],
)
def test_text_keeps_every_byte_and_a_number_its_spelling(literal: str, expected: str | None) -> None:
    [row] = read_events(b'{"song": %s}' % literal.encode(), FILE, NOV_1)
    assert row.song == expected


def test_a_registration_is_the_nearest_double() -> None:
    [row] = read_events(b'{"registration": 1540919166796.0}', FILE, NOV_1)
    assert row.registration == 1540919166796.0
    assert isinstance(row.registration, float)


@pytest.mark.parametrize(
    ("literal", "expected"), [("36.16778123456789", 36.16778123456789), ('"0"', 0.0), ('" "', None)]
)
def test_coordinates_are_doubles(literal: str, expected: float | None) -> None:
    [row] = read_songs(b'{"artist_latitude": %s, "artist_longitude": %s}' % ((literal.encode(),) * 2), FILE)
    assert (row.artist_latitude, row.artist_longitude) == (expected, expected)
    assert isinstance(row.artist_latitude, float | None)


def test_keys_that_no_column_has_are_left_out() -> None:
    [row] = read_events(b'{"status": 1, "STATUS": 2, "extra": {"status": 3}}', FILE, NOV_1)
    assert row.status == 1


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("true", "true"),
        ("false", "false"),
        ('{"city": "Oslo", "at": [1.50, null, "\\u00e9\\n"]}', '{"city":"Oslo","at":[1.50,null,"é\\n"]}'),
        ("[]", "[]"),
        ('"[1, 2]"', "[1, 2]"),
    ],
)
def test_what_is_no_text_is_its_json_in_a_text_column(literal: str, expected: str) -> None:
    [row] = read_events(b'{"song": %s}' % literal.encode(), FILE, NOV_1)
    assert row.song == expected


@pytest.mark.parametrize(
    ("ts", "reason"),
    [
        (FIRST_TS, None),
        (AFTER_LAST_TS - 1, None),
        (1_543_660_000_000, None),
        (1_543_660_000, "1543660000 looks like seconds: ts is in milliseconds since 1970"),
        (1_543_660_000_000_000, "1543660000000000 looks like microseconds: ts is in milliseconds since 1970"),
        (1_543_660_000_000_000_000, "1543660000000000000 looks like nanoseconds: ts is in milliseconds since 1970"),
        (FIRST_TS - 1, "946684799999 lies outside 2000-01-01 to 2100-01-01: ts is in milliseconds since 1970"),
        (AFTER_LAST_TS, "4102444800000 lies outside 2000-01-01 to 2100-01-01: ts is in milliseconds since 1970"),
        (253_402_300_799_999, "lies outside 2000-01-01 to 2100-01-01"),
        (-62_135_596_800_000, "lies outside 2000-01-01 to 2100-01-01"),
        (0, "0 lies outside"),
        (-1, "-1 lies outside"),
        (2**63 - 1, "9223372036854775807 lies outside"),
        (-(2**63), "-9223372036854775808 lies outside"),
    ],
)
@pytest.mark.parametrize("written", ["%d", '" %d"'])
def test_a_time_lies_in_the_years_of_the_contract_and_is_of_milliseconds(
    ts: int, reason: str | None, written: str
) -> None:
    data = f'{{"ts": {written % ts}}}'.encode()
    if reason is None:
        assert [row.ts for row in read_events(data, FILE, NOV_1)] == [ts]
    else:
        with pytest.raises(UnreadableRecordError) as caught:
            read_events(data, FILE, NOV_1)
        assert caught.value.field == "ts"
        assert reason in caught.value.reason


def test_the_bounds_of_time_are_those_of_the_contract() -> None:
    bounds = [datetime.fromtimestamp(ts / 1000, UTC).isoformat() for ts in (FIRST_TS, AFTER_LAST_TS)]
    assert bounds == ["2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"]


STAGING = (Path(__file__).resolve().parents[3] / "include" / "sql" / "schema" / "staging.sql").read_text()
WIDTHS = {"integer": 2**31, "bigint": 2**63}


def columns(table: str) -> list[tuple[str, str]]:
    """The table's columns and their types, as the warehouse is told to make them."""
    [body] = re.findall(rf"create table if not exists {table} \((.*?)\n\)", STAGING, re.DOTALL)
    return re.findall(r"^ +(\w+) (.+?),?$", body, re.MULTILINE)


@pytest.mark.parametrize(
    ("table", "fields", "read"),
    [
        ("staging_events", list(event()), lambda data: read_events(data, FILE, NOV_1)),
        ("staging_songs", list(song("SO1")), lambda data: read_songs(data, FILE)),
    ],
)
@pytest.mark.parametrize("exactly", [False, True])
def test_a_column_takes_what_its_type_takes_and_no_more(
    table: str, fields: list[str], read: Callable[[bytes], list[Any]], exactly: bool
) -> None:
    # A NUL anywhere, here in a key that is no column, has the whole file read the exact way.
    more = {"no column": "\0"} if exactly else {}
    tried = 0
    takes: list[Any]
    refuses: list[Any]
    for field, (column, kind) in zip(fields, columns(table), strict=False):
        if kind.startswith("varchar"):
            most = int(kind.removeprefix("varchar(").removesuffix(")"))
            takes, refuses = ["x" * most, "é" * (most // 2)], ["x" * (most + 1), "é" * (most // 2) + "x"]
        elif kind in WIDTHS and field != "ts":
            takes, refuses = [WIDTHS[kind] - 1, -WIDTHS[kind], str(WIDTHS[kind] - 1)], [WIDTHS[kind], -WIDTHS[kind] - 1]
        elif kind == "numeric(10, 5)":
            takes, refuses = [99999.99999, -99999.99999], [100000, -100000]
        else:
            continue
        for value in takes:
            [row] = read(lines({field: value, **more}))
            assert str(getattr(row, column)) == str(value)
        for value in refuses:
            with pytest.raises(UnreadableRecordError, match=f"field {field}: "):
                read(lines({field: value, **more}))
        tried += 1
    assert tried >= 7


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ('{"userId": "x7"}', "userId", 'the text "x7" is not a whole number'),
        ('{"userId": "1_0"}', "userId", 'the text "1_0" is not a whole number'),
        ('{"userId": "٣"}', "userId", "is not a whole number"),
        ('{"sessionId": 1.5}', "sessionId", "1.5 is not a whole number"),
        ('{"ts": 9223372036854775808}', "ts", "9223372036854775808 does not fit into 64 bits"),
        ('{"userId": 2147483648}', "userId", "2147483648 does not fit into 32 bits"),
        ('{"status": "-2147483649"}', "status", 'the text "-2147483649" does not fit into 32 bits'),
        ('{"ts": true}', "ts", "true is not a number"),
        ('{"status": [200]}', "status", "an array is not a number"),
        ('{"length": "long"}', "length", 'the text "long" is not a number'),
        ('{"length": "NaN"}', "length", 'the text "NaN" is not a number'),
        ('{"length": "1_0.5"}', "length", 'the text "1_0.5" is not a number'),
        ('{"length": 1e40}', "length", "1e40 has more digits than a decimal column can keep"),
        ('{"registration": 1e999}', "registration", "1e999 is too large for a double precision number"),
        ('{"length": "1e999999999999999999999"}', "length", "has more digits than a decimal column can keep"),
        ('{"length": 1e999999999999999999999}', "length", "has more digits than a decimal column can keep"),
        ('{"length": -100000}', "length", "-100000 has more digits than a decimal column can keep"),
        ('{"length": 99999.999995}', "length", "99999.999995 has more digits than a decimal column can keep"),
        ('{"level": "' + "é" * 9 + '"}', "level", "the text has 18 bytes, and the column keeps 16"),
        ('{"level": [' + '"x",' * 9 + "1]}", "level", "the text has 39 bytes, and the column keeps 16"),
        ('{"song": ["\\ud800"]}', "song", "half of a surrogate pair"),
        ('{"song": "a\\u0000b"}', "song", "the text holds a NUL character"),
        ('{"song": "\\ud800"}', "song", "half of a surrogate pair"),
        ('{"ts": NaN}', None, "the record is not JSON"),
        ('{"ts": 1', None, "the record is not JSON"),
        ("ts", None, "the record is not a JSON object"),
        ("[" * 100_000, None, "the record is not JSON (it is nested too deeply)"),
        ('{"song": ' + "[" * 100_000, None, "the record is not JSON (it is nested too deeply)"),
        (
            '{"no column": ' + "[" * 100_000 + "]" * 100_000 + "}",
            None,
            "the record is not JSON (it is nested too deeply)",
        ),
        ('{"no column": "' + "x" * 2**22 + '"}', None, "the record has more than 4194304 bytes"),
        ("[1]", None, "the record is not a JSON object"),
        ("null", None, "the record is not a JSON object"),
    ],
)
def test_what_cannot_be_loaded_is_named_by_file_line_and_field(record: str, field: str | None, reason: str) -> None:
    data = lines(event()) + b"\n\n" + record.encode() + b"\n"
    with pytest.raises(UnreadableRecordError) as caught:
        read_events(data, FILE, NOV_1)
    assert (caught.value.file, caught.value.line, caught.value.field) == (FILE, 3, field)
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"{FILE}, line 3")


def test_a_line_that_is_not_utf8_is_named() -> None:
    data = lines(event()) + b'\n{"song": "caf\xe9"}\n'
    with pytest.raises(UnreadableRecordError, match=r"line 2: the line is not UTF-8"):
        read_events(data, FILE, NOV_1)


def test_a_song_that_cannot_be_loaded_is_named_by_the_line_it_starts_on() -> None:
    data = json.dumps(song("SO1"), indent=2) + "\n" + json.dumps(song("SO2", year="soon"), indent=2)
    with pytest.raises(UnreadableRecordError, match=r"TR\.json, line 13, field year"):
        read_songs(data.encode(), "TR.json")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n  \n"])
@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n", b" "])
def test_however_lines_end_each_record_is_one_event(between: bytes, end: bytes) -> None:
    records = [event(), play(itemInSession=5)]
    data = between.join(lines(record) for record in records) + end
    assert [row.item_in_session for row in read_events(data, FILE, NOV_1)] == [0, 5]


def test_a_file_without_a_record_has_no_event() -> None:
    assert read_events(b"", FILE, NOV_1) == []
    assert read_events(b"\n \r\n", FILE, NOV_1) == []


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("number", [1, 2])
def test_songs_come_one_or_many_a_file_on_any_number_of_lines(indent: int | None, number: int) -> None:
    objects = [song(f"SO{n}", title="Jóga\n") for n in range(number)]
    data = "\n".join(json.dumps(record, indent=indent) for record in objects).encode()
    assert [(row.song_id, row.title, row.duration) for row in read_songs(data, "TR.json")] == [
        (f"SO{n}", "Jóga\n", Decimal("305.5")) for n in range(number)
    ]


json_texts = st.text(st.sampled_from('07 .-+eE_é"\\\n😀'), max_size=4) | st.sampled_from(
    ["xé" * 6, "x" * 65, "é" * 600]
)
json_numbers = (
    st.integers(-(2**65), 2**65)
    | st.sampled_from([2**31, FIRST_TS, FIRST_TS - 1, AFTER_LAST_TS, 10**15, 99_999.999_99, 1e5])
    | st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.none() | st.booleans() | json_numbers | json_texts | json_numbers.map(str) | st.just([None])
raw_events = st.dictionaries(st.sampled_from(list(event())), json_values, max_size=3)
raw_songs = st.dictionaries(st.sampled_from(list(song("SO1"))), json_values, max_size=3)


def outcome(read: Any, *arguments: Any) -> Any:
    """What reading gives, or what it says is wrong."""
    try:
        return read(*arguments)
    except UnreadableRecordError as error:
        return error.line, error.field, error.reason


@given(st.lists(raw_events, max_size=3))
def test_the_fast_and_the_exact_way_of_reading_events_agree(records: list[Raw]) -> None:
    # A NUL anywhere, here in a key that is no column, has the whole file read the exact way.
    exactly = [{**record, "no column": "\0"} for record in records]
    assert outcome(read_events, lines(*records), FILE, NOV_1) == outcome(read_events, lines(*exactly), FILE, NOV_1)


@given(raw_songs)
def test_the_fast_and_the_exact_way_of_reading_songs_agree(record: Raw) -> None:
    assert outcome(read_songs, lines(record), FILE) == outcome(read_songs, lines({**record, "no column": "\0"}), FILE)


def test_rows_carry_the_date_they_were_read_for() -> None:
    for data in (lines(event()), lines({**event(), "no column": "\0"})):
        assert read_events(data, FILE, date(2020, 2, 29))[0].log_date == date(2020, 2, 29)
