"""Generates songs: those of the catalogue, and those that are played although it lacks them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import NamedTuple

from local.simulator import words
from local.simulator.dice import between, dice, favourite, one_of
from local.simulator.recipe import Recipe

MATCHED_SHARE = 0.6
"""How many of the plays are of a song of the catalogue."""

_KEPT = 1 << 16
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_LETTERS = 7
_IDS = len(_LETTERS) ** _ID_LETTERS
# Prime, so that it has no divisor in common with the number of ids: every number gets letters of its own.
_SPREAD = 4_963_931_759
_FIVE_DECIMALS = 100_000
_FIRST_YEAR = 1958


class Song(NamedTuple):
    """A record of a song file, its fields in the file's order; `duration` in seconds."""

    num_songs: int
    artist_id: str
    artist_latitude: float | None
    artist_longitude: float | None
    artist_location: str
    artist_name: str
    song_id: str
    title: str
    duration: float
    year: int


class Recording(NamedTuple):
    """What an event says of the song that is played; `length` in seconds."""

    artist: str
    title: str
    length: float


class _Artist(NamedTuple):
    artist_id: str
    name: str
    location: str
    place: tuple[float, float] | None


class Repertoire:
    """The songs of a recipe. Each follows from its number alone, so that a catalogue of any size takes no memory."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._listed_artists = max(1, recipe.songs * 2 // 3)
        self._unlisted = 3 * recipe.songs + 20
        self._first_id = between(0, _IDS - 1, dice(recipe.seed, "ids"))
        self._of_number = lru_cache(_KEPT)(self._recording)

    def catalogue(self) -> Iterator[tuple[str, Song]]:
        """Every song of the catalogue with the path of its file."""
        for number in range(self._recipe.songs):
            track_id = self._id("TR", number, "128F", 5, dice(self._recipe.seed, "track", number))
            yield f"song_data/{track_id[2]}/{track_id[3]}/{track_id[4]}/{track_id}.json", self._song(number)

    def played(self, chance: Random) -> Recording:
        """The recording that somebody listens to: mostly a popular one, and one of the catalogue or not."""
        if chance.random() < MATCHED_SHARE:
            return self._of_number(favourite(self._recipe.songs, chance))
        return self._of_number(self._recipe.songs + favourite(self._unlisted, chance))

    def _recording(self, number: int) -> Recording:
        song = self._song(number)
        if number < self._recipe.songs:
            return Recording(song.artist_name, song.title, song.duration)
        chance = dice(self._recipe.seed, "another recording", number)
        if chance.random() < 0.25:
            # The hardest to tell from a match: a known title by its artist, some seconds longer.
            known = self._song(favourite(self._recipe.songs, chance))
            length = _exactly(int(known.duration * _FIVE_DECIMALS) + between(1_000, 2_000_000, chance))
            return Recording(known.artist_name, known.title, length)
        return Recording(song.artist_name, song.title, song.duration)

    def _song(self, number: int) -> Song:
        chance = dice(self._recipe.seed, "song", number)
        artist = self._artist_of(number, chance)
        known = chance.random()
        place = artist.place if artist.place is not None and known < 0.8 else (None, None)
        return Song(
            num_songs=1,
            artist_id=artist.artist_id,
            artist_latitude=place[0],
            artist_longitude=place[1],
            artist_location=artist.location if known < 0.9 else "",
            artist_name=artist.name,
            song_id=self._id("SO", number, "12A", 6, chance),
            title=words.title(chance),
            duration=_exactly(between(6_000_000, 20_000_000, chance) + between(1, 22_000_000, chance)),
            year=0 if chance.random() < 0.4 else between(_FIRST_YEAR, self._recipe.start.year, chance),
        )

    def _artist_of(self, song: int, chance: Random) -> _Artist:
        number = favourite(self._listed_artists, chance)
        if song >= self._recipe.songs:
            number += self._listed_artists
        chance = dice(self._recipe.seed, "artist", number)
        located = chance.random() < 0.6
        latitude, longitude = between(-5_500_000, 6_800_000, chance), between(-17_900_000, 17_900_000, chance)
        return _Artist(
            self._id("AR", number, one_of(("1187B", "1187F"), chance), 4, chance),
            words.artist_name(chance),
            words.region(chance) if located else "",
            (_exactly(latitude), _exactly(longitude)) if located else None,
        )

    def _id(self, kind: str, number: int, middle: str, digits: int, chance: Random) -> str:
        """An id as the source has them: no two numbers of a kind have the same letters."""
        scattered = (self._first_id + number * _SPREAD) % _IDS
        letters = []
        for _ in range(_ID_LETTERS):
            scattered, letter = divmod(scattered, len(_LETTERS))
            letters.append(_LETTERS[letter])
        return f"{kind}{''.join(letters)}{middle}{int(chance.random() * 16**digits):0{digits}X}"


def _exactly(hundred_thousandths: int) -> float:
    return hundred_thousandths / _FIVE_DECIMALS
