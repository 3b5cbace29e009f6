"""A song that the star cannot hold fails no date, and is named."""

from __future__ import annotations

import json

import pytest

from local.reference import read_song_files
from tests.field.cases import Case, tried
from tests.field.conftest import EQUAL, Ground


@pytest.mark.parametrize("case", tried(23))
def test_a_bad_song_fails_no_date_and_is_named(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    for log_date in case.log_dates():
        ground.pipeline.run(log_date)
    bad = [
        song.song_id
        for song in read_song_files(case.delivery())
        if not (song.title or "").strip() or not (song.artist_id or "").strip() or (song.duration or 0) <= 0
    ]
    assert bad
    [(offending, sample)] = ground.pipeline.rows(
        "select offending, sample from data_quality_results where check_name = 'staging_songs.song_is_complete'"
    )
    assert offending == len(bad)
    assert {row["song_id"] for row in json.loads(sample)} <= set(bad)
    songs = {song_id for (song_id,) in ground.pipeline.rows("select song_id from songs")}
    assert songs == {song.song_id for song in read_song_files(case.delivery())} - set(bad)
    code, said = ground.verify(case.delivery())
    assert (code, said.splitlines()[-1]) == (0, EQUAL)
