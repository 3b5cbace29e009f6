"""The bytes of a source file become rows of staging.

Every file is first decoded in one go by a decoder that knows what the columns usually hold. What that
decoder refuses, and only that, is read again value by value: slower, and exact about what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import msgspec

from local.reference import values
from local.reference.tables import StagedEvent, StagedSong
from local.reference.values import Conversion, JsonNumber, UnreadableValueError


class UnreadableRecordError(ValueError):
    """A record of a source file that COPY could not load."""

    def __init__(self, file: str, line: int, field: str | None, reason: str) -> None:
        self.file, self.line, self.field, self.reason = file, line, field, reason
        where = f"{file}, line {line}" + (f", field {field}" if field else "")
        super().__init__(f"{where}: {reason}. Fix the file, or leave the record out.")


LeftOut: TypeAlias = list[UnreadableRecordError]
_UNUSUAL = (msgspec.MsgspecError, UnicodeDecodeError, UnreadableValueError, RecursionError)


def read_events(data: bytes, file: str, log_date: date, left_out: LeftOut | None = None) -> list[StagedEvent]:
    """The events of a log file (*data*, uncompressed) of *log_date*, in the file's order.

    :param left_out: takes the records that cannot be converted, which are then left out.
    :raises UnreadableRecordError: naming *file*, line and field, if a record cannot be converted and there
        is no *left_out*.
    """
    if _may_be_usual(data):
        try:
            return _usual_events(_EVENTS.decode_lines(data), log_date)
        except _UNUSUAL:
            pass
    return [StagedEvent._make([*row, log_date]) for row in _rows(data, file, _EVENT_FIELDS, left_out)]


def read_songs(data: bytes, file: str, left_out: LeftOut | None = None) -> list[StagedSong]:
    """The songs of a song file: one JSON object on any number of lines, or one a line.

    :param left_out: takes the records that cannot be converted, which are then left out.
    :raises UnreadableRecordError: naming *file*, line and field, if a record cannot be converted and there
        is no *left_out*.
    """
    if _may_be_usual(data):
        try:
            return [_usual_song(_SONG.decode(data))]
        except _UNUSUAL:
            pass
    return [StagedSong._make(row) for row in _rows(data, file, _SONG_FIELDS, left_out)]


_EVENT_FIELDS: Mapping[str, Conversion] = {
    "artist": values.text(1024),
    "auth": values.text(64),
    "firstName": values.text(256),
    "gender": values.text(16),
    "itemInSession": values.integer(32),
    "lastName": values.text(256),
    "length": values.decimal,
    "level": values.text(16),
    "location": values.text(512),
    "method": values.text(16),
    "page": values.text(64),
    "registration": values.floating,
    "sessionId": values.integer(64),
    "song": values.text(1024),
    "status": values.integer(32),
    "ts": values.epoch_milliseconds,
    "userAgent": values.text(1024),
    "userId": values.integer(32),
}

_SONG_FIELDS: Mapping[str, Conversion] = {
    "num_songs": values.integer(32),
    "artist_id": values.text(64),
    "artist_latitude": values.floating,
    "artist_longitude": values.floating,
    "artist_location": values.text(1024),
    "artist_name": values.text(1024),
    "song_id": values.text(64),
    "title": values.text(1024),
    "duration": values.decimal,
    "year": values.integer(32),
}

_NULL = msgspec.Raw(b"null")


_Int = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
_Bigint = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Ts = Annotated[int, msgspec.Meta(ge=values.FIRST_TS, lt=values.AFTER_LAST_TS)]


class _UsualEvent(msgspec.Struct, gc=False, rename="camel"):
    artist: str | None = None
    auth: str | None = None
    first_name: str | None = None
    gender: str | None = None
    item_in_session: _Int | None = None
    last_name: str | None = None
    # Undecoded, because msgspec reads a decimal from text more liberally than COPY does.
    length: msgspec.Raw = _NULL
    level: str | None = None
    location: str | None = None
    method: str | None = None
    page: str | None = None
    registration: float | None = None
    session_id: _Bigint | None = None
    song: str | None = None
    status: _Int | None = None
    ts: _Ts | None = None
    user_agent: str | None = None
    user_id: str | _Int | None = None


class _UsualSong(msgspec.Struct, gc=False):
    num_songs: _Int | None = None
    artist_id: str | None = None
    artist_latitude: float | None = None
    artist_longitude: float | None = None
    artist_location: str | None = None
    artist_name: str | None = None
    song_id: str | None = None
    title: str | None = None
    duration: msgspec.Raw = _NULL
    year: _Int | None = None


_EVENTS = msgspec.json.Decoder(_UsualEvent)
_SONG = msgspec.json.Decoder(_UsualSong)

_MOST_BYTES = 4 * 2**20  # of an object


def _may_be_usual(data: bytes) -> bool:
    """Whether no text can hold a NUL and no object be too large, which the fast decoder would let through."""
    half = _MOST_BYTES // 2
    # A line that is too long takes up the whole of some half.
    return b"\\u0000" not in data and all(
        data.find(b"\n", start, start + half) >= 0 for start in range(0, len(data) - half + 1, half)
    )


class _Converted(dict[Any, Any]):
    """What a column makes of the values met so far.

    A million events repeat a few hundred users, places and browsers: keeping one copy of each text takes
    less than half of the memory.
    """

    def __init__(self, field: str) -> None:
        super().__init__({None: None})
        self._convert = _EVENT_FIELDS[field]

    def __missing__(self, value: Any) -> Any:
        converted = self[value] = self._convert(value)
        return converted


def _usual_events(events: list[_UsualEvent], log_date: date) -> list[StagedEvent]:
    artists, auths, first_names, genders, last_names, levels, locations, methods, pages, songs, user_agents = (
        _Converted(field)
        for field in (
            *("artist", "auth", "firstName", "gender", "lastName", "level", "location", "method", "page", "song"),
            "userAgent",
        )
    )
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
                artists[event.artist],
                auths[event.auth],
                first_names[event.first_name],
                genders[event.gender],
                event.item_in_session,
                last_names[event.last_name],
                lengths[spelled],
                levels[event.level],
                locations[event.location],
                methods[event.method],
                pages[event.page],
                event.registration,
                event.session_id,
                songs[event.song],
                event.status,
                event.ts,
                user_agents[event.user_agent],
                users[event.user_id],
                log_date,
            )
        )
    return rows


def _usual_integer(value: str | int | None) -> int | None:
    return value if type(value) is int else _INT(value)


def _usual_song(song: _UsualSong) -> StagedSong:
    row = StagedSong(
        song.num_songs,
        song.artist_id,
        song.artist_latitude,
        song.artist_longitude,
        song.artist_location,
        song.artist_name,
        song.song_id,
        song.title,
        _usual_decimal(bytes(song.duration)),
        song.year,
    )
    for field in ("artist_id", "artist_location", "artist_name", "song_id", "title"):
        _SONG_FIELDS[field](getattr(row, field))
    return row


def _usual_decimal(spelled: bytes) -> Decimal | None:
    return None if spelled == b"null" else values.decimal(JsonNumber(spelled, "ascii"))


def _rows(data: bytes, file: str, fields: Mapping[str, Conversion], left_out: LeftOut | None) -> Iterator[list[Any]]:
    for line, record in _objects(data):
        field = None
        row = []
        try:
            if isinstance(record, UnreadableValueError):
                raise record
            for field, convert in fields.items():
                row.append(convert(record.get(field)))
        except UnreadableValueError as error:
            unreadable = UnreadableRecordError(file, line, field, str(error))
            if left_out is None:
                raise unreadable from None
            left_out.append(unreadable)
        else:
            yield row


def _objects(data: bytes) -> Iterator[tuple[int, dict[str, object] | UnreadableValueError]]:
    """Every JSON object of a file with the line it starts on, however the file is laid out.

    What is no object is an error in its place.
    """
    source = data.decode(errors="surrogateescape")
    position, line, counted = 0, 1, 0
    while True:
        found = _NO_BLANK.search(source, position)
        if found is None:
            return
        position = found.start()
        line, counted = line + source.count("\n", counted, position), position
        record, end = _object(source, position)
        written = source[position:end]
        if _NO_UTF8.search(written):
            record = UnreadableValueError("the line is not UTF-8")
        elif len(written.encode()) > _MOST_BYTES:
            record = UnreadableValueError(f"the record has more than {_MOST_BYTES} bytes")
        yield line, record
        position = end


def _object(source: str, start: int) -> tuple[dict[str, object] | UnreadableValueError, int]:
    """The object that begins at *start*, or what is wrong with it; and where what follows it begins."""
    if source[start] not in "{[":
        end = source.find("\n", start)
        return UnreadableValueError("the record is not a JSON object"), len(source) if end < 0 else end
    try:
        record, end = _JSON.raw_decode(source, start)
    except RecursionError:
        return UnreadableValueError("the record is not JSON (it is nested too deeply)"), _broken_end(source, start)
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return UnreadableValueError(f"the record is not JSON ({reason})"), _broken_end(source, start)
    if isinstance(record, list):
        return UnreadableValueError("the record is not a JSON object"), end
    return record, end


def _broken_end(source: str, start: int) -> int:
    """Where a record that is not JSON ends: with its bracket, or before a line that begins with another record."""
    open_brackets: list[str] = []
    number_open = {"{": 0, "[": 0}
    last = ""
    for found in _TOKEN.finditer(source, start):
        written = found[0]
        if written == "\n":
            wanted = (":",) if open_brackets[-1] == "{" else ("[", ",")
            if source.startswith("{", found.end()) and last not in wanted:
                return found.start()
            continue
        if written in number_open:
            open_brackets.append(written)
            number_open[written] += 1
        elif number_open.get(opening := _OPENING.get(written, "")):
            while (bracket := open_brackets.pop()) != opening:
                number_open[bracket] -= 1
            number_open[opening] -= 1
            if not open_brackets:
                return found.end()
        last = written
    return len(source)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


_INT = values.integer(32)
_JSON = json.JSONDecoder(parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=_no_constant)
_NO_BLANK = re.compile(r"[^ \t\r\n]")
# How surrogateescape shows a byte that is not UTF-8. JSON's own \\ud800 stands as it is written.
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_TOKEN = re.compile(r'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?|[][{}:,\n]|[^][{}:,"\s]+')
_OPENING = {"}": "{", "]": "["}
