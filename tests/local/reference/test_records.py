"""Values become columns as COPY converts them, and what it could not load is named."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.reference.records import UnreadableRecordError, read_events, read_songs
from tests.examples import NOV_1, Raw, event, play, song

FILE = "log_data/2018/11/2018-11-01-events.json"


def lines(*records: Raw) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("277.15873", "277.15873"),
        ("277.158739999999999999999", "277.15873"),
        ("-277.158739", "-277.15873"),
        ("0.1", "0.1"),
        ("1E2", "100"),
        ('"277.158739 "', "277.15873"),
        ('" "', None),
        ("null", None),
    ],
)
def test_a_length_is_exact_to_five_decimals_and_truncated(literal: str, expected: str | None) -> None:
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
    assert read_events(b'{"ts": 1, "TS": 2, "extra": {"ts": 3}}', FILE, NOV_1)[0].ts == 1


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ('{"userId": "x7"}', "userId", 'the text "x7" is not a whole number'),
        ('{"userId": "1_0"}', "userId", 'the text "1_0" is not a whole number'),
        ('{"userId": "٣"}', "userId", "is not a whole number"),
        ('{"sessionId": 1.5}', "sessionId", "1.5 is not a whole number"),
        ('{"ts": 9223372036854775808}', "ts", "9223372036854775808 does not fit into 64 bits"),
        ('{"ts": true}', "ts", "true is not a number"),
        ('{"status": [200]}', "status", "an array is not a number"),
        ('{"length": "long"}', "length", 'the text "long" is not a number'),
        ('{"length": "NaN"}', "length", 'the text "NaN" is not a number'),
        ('{"length": "1_0.5"}', "length", 'the text "1_0.5" is not a number'),
        ('{"length": 1e40}', "length", "1e40 has more digits than a decimal column can keep"),
        ('{"registration": 1e999}', "registration", "1e999 is too large for a double precision number"),
        ('{"song": {"title": "x"}}', "song", "an object is neither text nor a number"),
        ('{"song": false}', "song", "false is neither text nor a number"),
        ('{"song": "a\\u0000b"}', "song", "the text holds a NUL character"),
        ('{"song": "\\ud800"}', "song", "half of a surrogate pair"),
        ('{"ts": NaN}', None, "the record is not JSON"),
        ('{"ts": 1', None, "the record is not JSON"),
        ("ts", None, "the record is not JSON"),
        ("[" * 100_000, None, "the record is not JSON"),
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
    records = [event(), play(ts=5)]
    data = between.join(lines(record) for record in records) + end
    assert [row.ts for row in read_events(data, FILE, NOV_1)] == [1_541_030_400_000, 5]


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


json_texts = st.text(st.sampled_from('07 .-+eE_é"\\\n😀'), max_size=4)
json_numbers = st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False)
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
