"""The catalogue of a made-up Sparkify."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace

from local.simulator import Repertoire
from local.simulator.repertoire import Song
from tests.local.simulator.recipes import BIG

CATALOGUE = dict(Repertoire(BIG).catalogue())


def test_every_song_has_a_file_of_its_own_where_the_source_would_put_it() -> None:
    assert len(CATALOGUE) == BIG.songs
    for path in CATALOGUE:
        found = re.fullmatch(r"song_data/([A-Z])/([A-Z])/([A-Z])/TR([A-Z]{3})[A-Z0-9]{13}\.json", path)
        assert found, path
        assert found[1] + found[2] + found[3] == found[4]


def test_song_ids_are_distinct_and_artists_have_several_songs() -> None:
    assert len({song.song_id for song in CATALOGUE.values()}) == BIG.songs
    songs_of = Counter(song.artist_id for song in CATALOGUE.values())
    assert 1 < BIG.songs / len(songs_of) < 4
    assert max(songs_of.values()) > 3


def test_an_artist_has_one_name_and_a_place_that_not_all_files_tell() -> None:
    of_artist: dict[str, list[Song]] = defaultdict(list)
    for song in CATALOGUE.values():
        of_artist[song.artist_id].append(song)
    assert all(len({song.artist_name for song in songs}) == 1 for songs in of_artist.values())
    places = [{(song.artist_latitude, song.artist_longitude) for song in songs} for songs in of_artist.values()]
    assert any(len(known) == 2 for known in places)
    assert all(len(known - {(None, None)}) <= 1 for known in places)


def test_durations_have_five_decimals() -> None:
    for song in CATALOGUE.values():
        assert 60 < song.duration < 430
        assert round(song.duration, 5) == song.duration


def test_a_larger_catalogue_begins_with_as_many_ids_and_another_seed_has_others() -> None:
    ids = [song.song_id[:9] for song in CATALOGUE.values()]
    larger = [song.song_id[:9] for _, song in Repertoire(replace(BIG, songs=BIG.songs + 50)).catalogue()]
    assert larger[: len(ids)] == ids
    other = {song.song_id for _, song in Repertoire(replace(BIG, seed=8)).catalogue()}
    assert not other & {song.song_id for song in CATALOGUE.values()}
