"""The rows of every table: the columns of the data contract, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple


class StagedEvent(NamedTuple):
    """A row of ``staging_events``: one line of a log file, and the date in the file's name."""

    artist: str | None
    auth: str | None
    first_name: str | None
    gender: str | None
    item_in_session: int | None
    last_name: str | None
    length: Decimal | None
    level: str | None
    location: str | None
    method: str | None
    page: str | None
    registration: float | None
    session_id: int | None
    song: str | None
    status: int | None
    ts: int | None
    user_agent: str | None
    user_id: int | None
    log_date: date


class StagedSong(NamedTuple):
    """A row of ``staging_songs``: one object of a song file."""

    num_songs: int | None
    artist_id: str | None
    artist_latitude: float | None
    artist_longitude: float | None
    artist_location: str | None
    artist_name: str | None
    song_id: str | None
    title: str | None
    duration: Decimal | None
    year: int | None


class Songplay(NamedTuple):
    """A row of ``songplays``: one event of page ``NextSong``."""

    songplay_id: str
    start_time: datetime | None
    user_id: int | None
    level: str | None
    song_id: str | None
    artist_id: str | None
    session_id: int | None
    location: str | None
    user_agent: str | None
    log_date: date


class User(NamedTuple):
    """A row of ``users``: what a user's latest event says."""

    user_id: int
    first_name: str | None
    last_name: str | None
    gender: str | None
    level: str | None
    last_seen_at: datetime | None


class Song(NamedTuple):
    """A row of ``songs``."""

    song_id: str
    title: str | None
    artist_id: str | None
    year: int | None
    duration: Decimal | None


class Artist(NamedTuple):
    """A row of ``artists``: each attribute from the artist's latest song that has it."""

    artist_id: str
    name: str | None
    location: str | None
    latitude: float | None
    longitude: float | None


class Time(NamedTuple):
    """A row of ``time``; ``week`` is ISO, ``weekday`` is 0 for Monday to 6 for Sunday."""

    start_time: datetime
    hour: int
    day: int
    week: int
    month: int
    year: int
    weekday: int


@dataclass(frozen=True)
class Tables:
    """All tables, a field a table, rows in no particular order; and the log dates they are of."""

    staging_events: list[StagedEvent]
    staging_songs: list[StagedSong]
    songplays: list[Songplay]
    users: list[User]
    songs: list[Song]
    artists: list[Artist]
    time: list[Time]
    log_dates: tuple[date, ...]
    """The log dates that have a file, in order."""

    def rows(self, table: str) -> list[Any]:
        """The rows of *table*, a key of :data:`COLUMNS`."""
        if table not in COLUMNS:
            raise KeyError(f"There is no table {table!r}. Use one of {', '.join(COLUMNS)}.")
        rows: list[Any] = getattr(self, table)
        return rows


ROW_TYPES: Mapping[str, type[tuple[Any, ...]]] = {
    "staging_events": StagedEvent,
    "staging_songs": StagedSong,
    "songplays": Songplay,
    "users": User,
    "songs": Song,
    "artists": Artist,
    "time": Time,
}

COLUMNS: Mapping[str, tuple[str, ...]] = {table: tuple(row.__annotations__) for table, row in ROW_TYPES.items()}
"""The columns of every table, in order."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "staging_events": (),
    "staging_songs": (),
    "songplays": ("songplay_id",),
    "users": ("user_id",),
    "songs": ("song_id",),
    "artists": ("artist_id",),
    "time": ("start_time",),
}
"""The columns that identify a row; none in staging, which may rightly hold equal rows."""
