"""Works out the star schema from staged rows: the data contract's rules, one function a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any, TypeAlias, TypeVar

from local.reference.tables import Artist, Song, Songplay, StagedEvent, StagedSong, Tables, Time, User

Identity: TypeAlias = tuple[int | None, int | None, int | None, int | None]
Moment: TypeAlias = tuple[tuple[bool, int], tuple[bool, int], tuple[bool, int]]
Recording: TypeAlias = tuple[str, str, Decimal]
_Attribute = TypeVar("_Attribute")

# Without a zone, as Redshift's timestamp is.
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def star_schema(events: Mapping[date, Sequence[StagedEvent]], songs: Sequence[StagedSong]) -> Tables:
    """Work out every table from what is staged; the order of dates, events and songs is immaterial.

    :param events: the events of each log date, as :func:`~local.reference.read_log_files` gives them.
    :param songs: every delivered song, as :func:`~local.reference.read_song_files` gives them.
    """
    counted = each_event_once(events)
    catalogue = _each_song_once(songs)
    plays = _songplays(counted, _song_of_each_recording(catalogue))
    return Tables(
        staging_events=[event for log_date in events for event in events[log_date]],
        staging_songs=list(songs),
        songplays=plays,
        users=_users(counted),
        songs=[Song(song_id, s.title, s.artist_id, s.year, s.duration) for song_id, s in catalogue.items()],
        artists=_artists(catalogue),
        time=_times(plays),
        log_dates=tuple(sorted(events)),
    )


def each_event_once(events: Mapping[date, Sequence[StagedEvent]]) -> Mapping[Identity, StagedEvent]:
    """The winner among the rows of each identity: the smallest log date, then the smallest row."""
    winners: dict[Identity, StagedEvent] = {}
    for log_date in sorted(events):
        for event in events[log_date]:
            identity = (event.session_id, event.item_in_session, event.ts, event.user_id)
            winner = winners.setdefault(identity, event)
            if (
                winner is not event
                and winner.log_date == event.log_date
                and winner != event
                and nulls_last(event) < nulls_last(winner)
            ):
                winners[identity] = event
    return winners


def _each_song_once(songs: Iterable[StagedSong]) -> Mapping[str, StagedSong]:
    """The smallest row of each song id among those that are of the star, by song id."""
    winners: dict[str, StagedSong] = {}
    for song in songs:
        if song.song_id is None or not _is_of_the_star(song):
            continue
        winner = winners.setdefault(song.song_id, song)
        if winner != song and nulls_last(song) < nulls_last(winner):
            winners[song.song_id] = song
    return dict(sorted(winners.items()))


def _is_of_the_star(song: StagedSong) -> bool:
    """Whether a song has a title, an artist and a duration above 0."""
    return bool(_filled(song.title) and _filled(song.artist_id) and song.duration is not None and song.duration > 0)


def nulls_last(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """What rows are sorted by to stand in a warehouse's ascending order."""
    # Python orders text by code point, which is the order of its UTF-8 bytes.
    return tuple((value is None, value) for value in row)


def _song_of_each_recording(catalogue: Mapping[str, StagedSong]) -> Mapping[Recording, StagedSong]:
    """The song with the smallest id for each title, artist name and duration."""
    smallest: dict[Recording, StagedSong] = {}
    for song in catalogue.values():
        recording = _recording(song.title, song.artist_name, song.duration)
        if recording is not None:
            # The catalogue is in the order of song ids.
            smallest.setdefault(recording, song)
    return smallest


def _recording(title: str | None, artist: str | None, seconds: Decimal | None) -> Recording | None:
    """What a play and a song are matched by; None if a part is missing, for null equals nothing."""
    if title is None or artist is None or seconds is None:
        return None
    return without_trailing_blanks(title), without_trailing_blanks(artist), seconds


def without_trailing_blanks(text: str) -> str:
    """*text* as Redshift compares it."""
    return text.rstrip(" ")


def _songplays(counted: Mapping[Identity, StagedEvent], songs: Mapping[Recording, StagedSong]) -> list[Songplay]:
    plays = []
    for identity, event in counted.items():
        if event.page != "NextSong":
            continue
        recording = _recording(event.song, event.artist, event.length)
        song = songs.get(recording) if recording else None
        plays.append(
            Songplay(
                songplay_id(identity),
                start_time(event.ts),
                event.user_id,
                event.level,
                song.song_id if song else None,
                song.artist_id if song else None,
                event.session_id,
                event.location,
                event.user_agent,
                event.log_date,
            )
        )
    return plays


def songplay_id(identity: Identity) -> str:
    """The md5 of ``session_id|item_in_session|ts|user_id``, null as nothing."""
    parts = "|".join("" if part is None else str(part) for part in identity)
    return md5(parts.encode(), usedforsecurity=False).hexdigest()


def start_time(ts: int | None) -> datetime | None:
    """The UTC time of *ts*, epoch milliseconds, without a time zone as Redshift keeps it."""
    return None if ts is None else _EPOCH + timedelta(milliseconds=ts)


def _users(counted: Mapping[Identity, StagedEvent]) -> list[User]:
    latest: dict[int, tuple[Moment, StagedEvent]] = {}
    for event in counted.values():
        if event.user_id is None:
            continue
        at = moment(event)
        known = latest.get(event.user_id)
        # Two events of one user never tie: with an equal user id these three are the identity.
        if known is None or at > known[0]:
            latest[event.user_id] = at, event
    return [
        User(user_id, e.first_name, e.last_name, e.gender, e.level, start_time(e.ts))
        for user_id, (_, e) in latest.items()
    ]


def moment(event: StagedEvent) -> Moment:
    """When an event happened, null before everything."""
    ts, item, session = event.ts, event.item_in_session, event.session_id
    return ((ts is not None, ts or 0), (item is not None, item or 0), (session is not None, session or 0))


def _artists(catalogue: Mapping[str, StagedSong]) -> list[Artist]:
    songs_of: dict[str, list[StagedSong]] = {}
    for song in catalogue.values():
        if song.artist_id is not None:
            songs_of.setdefault(song.artist_id, []).append(song)
    artists = []
    for artist_id, songs in songs_of.items():
        # A stable sort: songs of one year stay in the order of their ids.
        songs.sort(key=lambda song: (song.year is not None, song.year or 0), reverse=True)
        latitude, longitude = _first(songs, _place) or (None, None)
        artists.append(
            Artist(
                artist_id,
                _first(songs, lambda song: _filled(song.artist_name)),
                _first(songs, lambda song: _filled(song.artist_location)),
                latitude,
                longitude,
            )
        )
    return artists


def _first(songs: Iterable[StagedSong], attribute: Callable[[StagedSong], _Attribute | None]) -> _Attribute | None:
    """The attribute of the first song that has it."""
    return next((found for song in songs if (found := attribute(song)) is not None), None)


def _filled(text: str | None) -> str | None:
    return text if text is not None and without_trailing_blanks(text) else None


def _place(song: StagedSong) -> tuple[float, float] | None:
    if song.artist_latitude is None or song.artist_longitude is None:
        return None
    return song.artist_latitude, song.artist_longitude


def _times(plays: Iterable[Songplay]) -> list[Time]:
    distinct = {play.start_time for play in plays}
    return [
        Time(at, at.hour, at.day, at.isocalendar().week, at.month, at.year, at.weekday())
        for at in distinct
        if at is not None
    ]
