"""The bytes of a source file become rows of staging.

Every file is first decoded in one go by a decoder that knows what the columns usually hold. What that
decoder refuses, and only that, is read again value by value: slower, and exact about what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from local.reference import values
from local.reference.tables import StagedEvent, StagedSong
from local.reference.values import Conversion, JsonNumber, UnreadableValueError


class UnreadableRecordError(ValueError):
    """A record of a source file that COPY could not load."""

    def __init__(self, file: str, line: int, field: str | None, reason: str) -> None:
        self.file, self.line, self.field, self.reason = file, line, field, reason
        where = f"{file}, line {line}" + (f", field {field}" if field else "")
        super().__init__(f"{where}: {reason}. Correct the file, or leave the record out.")


def read_events(data: bytes, file: str, log_date: date) -> list[StagedEvent]:
    """The events of a log file (*data*, uncompressed) of *log_date*, in the file's order.

    :raises UnreadableRecordError: naming *file*, line and field, if a record cannot be converted.
    """
    if _holds_only_plain_text(data):
        try:
            return _usual_events(_EVENTS.decode_lines(data), log_date)
        except (msgspec.MsgspecError, UnicodeDecodeError, UnreadableValueError):
            pass
    return [StagedEvent._make([*row, log_date]) for row in _rows(data, file, _EVENT_FIELDS)]


def read_songs(data: bytes, file: str) -> list[StagedSong]:
    """The songs of a song file: one JSON object on any number of lines, or one a line.

    :raises UnreadableRecordError: naming *file*, line and field, if a record cannot be converted.
    """
    if _holds_only_plain_text(data):
        try:
            return [_usual_song(_SONG.decode(data))]
        except (msgspec.MsgspecError, UnicodeDecodeError, UnreadableValueError):
            pass
    return [StagedSong._make(row) for row in _rows(data, file, _SONG_FIELDS)]


_EVENT_FIELDS: Mapping[str, Conversion] = {
    "artist": values.text,
    "auth": values.text,
    "firstName": values.text,
    "gender": values.text,
    "itemInSession": values.integer,
    "lastName": values.text,
    "length": values.decimal,
    "level": values.text,
    "location": values.text,
    "method": values.text,
    "page": values.text,
    "registration": values.floating,
    "sessionId": values.integer,
    "song": values.text,
    "status": values.integer,
    "ts": values.integer,
    "userAgent": values.text,
    "userId": values.integer,
}

_SONG_FIELDS: Mapping[str, Conversion] = {
    "num_songs": values.integer,
    "artist_id": values.text,
    "artist_latitude": values.floating,
    "artist_longitude": values.floating,
    "artist_location": values.text,
    "artist_name": values.text,
    "song_id": values.text,
    "title": values.text,
    "duration": values.decimal,
    "year": values.integer,
}

_NULL = msgspec.Raw(b"null")


class _UsualEvent(msgspec.Struct, gc=False, rename="camel"):
    artist: str | None = None
    auth: str | None = None
    first_name: str | None = None
    gender: str | None = None
    item_in_session: int | None = None
    last_name: str | None = None
    # Undecoded, because msgspec reads a decimal from text more liberally than COPY does.
    length: msgspec.Raw = _NULL
    level: str | None = None
    location: str | None = None
    method: str | None = None
    page: str | None = None
    registration: float | None = None
    session_id: int | None = None
    song: str | None = None
    status: int | None = None
    ts: int | None = None
    user_agent: str | None = None
    user_id: str | int | None = None


class _UsualSong(msgspec.Struct, gc=False):
    num_songs: int | None = None
    artist_id: str | None = None
    artist_latitude: float | None = None
    artist_longitude: float | None = None
    artist_location: str | None = None
    artist_name: str | None = None
    song_id: str | None = None
    title: str | None = None
    duration: msgspec.Raw = _NULL
    year: int | None = None


_EVENTS = msgspec.json.Decoder(_UsualEvent)
_SONG = msgspec.json.Decoder(_UsualSong)


def _holds_only_plain_text(data: bytes) -> bool:
    """Whether no text can hold a NUL, which the fast decoder would let through."""
    return b"\\u0000" not in data


def _usual_events(events: list[_UsualEvent], log_date: date) -> list[StagedEvent]:
    # A million events repeat a few hundred users, places and browsers: keeping one copy of each text
    # takes less than half of the memory.
    kept: dict[str | None, str | None] = {}
    keep = kept.setdefault
    lengths: dict[bytes, Decimal | None] = {}
    users: dict[str | int | None, int | None] = {}
    rows = []
    for event in events:
        spelled = bytes(event.length)
        if spelled not in lengths:
            lengths[spelled] = _usual_decimal(spelled)
        if event.user_id not in users:
            users[event.user_id] = _usual_integer(event.user_id)
        rows.append(
            StagedEvent(
                keep(event.artist, event.artist),
                keep(event.auth, event.auth),
                keep(event.first_name, event.first_name),
                keep(event.gender, event.gender),
                _usual_integer(event.item_in_session),
                keep(event.last_name, event.last_name),
                lengths[spelled],
                keep(event.level, event.level),
                keep(event.location, event.location),
                keep(event.method, event.method),
                keep(event.page, event.page),
                event.registration,
                _usual_integer(event.session_id),
                keep(event.song, event.song),
                _usual_integer(event.status),
                _usual_integer(event.ts),
                keep(event.user_agent, event.user_agent),
                users[event.user_id],
                log_date,
            )
        )
    return rows


def _usual_song(song: _UsualSong) -> StagedSong:
    return StagedSong(
        _usual_integer(song.num_songs),
        song.artist_id,
        song.artist_latitude,
        song.artist_longitude,
        song.artist_location,
        song.artist_name,
        song.song_id,
        song.title,
        _usual_decimal(bytes(song.duration)),
        _usual_integer(song.year),
    )


def _usual_integer(value: str | int | None) -> int | None:
    if type(value) is int:
        if not -(2**63) <= value < 2**63:
            raise UnreadableValueError("left to the exact reader, which says what is wrong")
        return value
    return values.integer(value)


def _usual_decimal(spelled: bytes) -> Decimal | None:
    if spelled == b"null":
        return None
    return values.decimal(JsonNumber(spelled, "ascii"))


def _rows(data: bytes, file: str, fields: Mapping[str, Conversion]) -> Iterator[list[Any]]:
    for line, record in _objects(data, file):
        row = []
        for field, convert in fields.items():
            try:
                row.append(convert(record.get(field)))
            except UnreadableValueError as error:
                raise UnreadableRecordError(file, line, field, str(error)) from None
        yield row


def _objects(data: bytes, file: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Every JSON object of a file with the line it starts on, however the file is laid out."""
    try:
        source = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableRecordError(file, line, None, "the line is not UTF-8") from None
    position, line, counted = 0, 1, 0
    while True:
        while position < len(source) and source[position] in " \t\r\n":
            position += 1
        if position == len(source):
            return
        line, counted = line + source.count("\n", counted, position), position
        try:
            record, position = _JSON.raw_decode(source, position)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise UnreadableRecordError(file, line, None, f"the record is not JSON ({reason})") from None
        if not isinstance(record, dict):
            raise UnreadableRecordError(file, line, None, "the record is not a JSON object")
        yield line, record


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


_JSON = json.JSONDecoder(parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=_no_constant)
