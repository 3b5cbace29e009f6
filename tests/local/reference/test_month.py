"""The reference comes to the known figures of a month."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from local.reference import COLUMNS, KEYS, differences, read_log_files, read_song_files, star_schema
from local.reference.analytics import ANSWERS
from tests.month import Figures, Month, month, small_month


@pytest.mark.parametrize("known", [month(), small_month()], ids=["the month at hand", "the small month"])
def test_the_reference_comes_to_the_known_figures(known: Month) -> None:
    tables = star_schema(read_log_files(known.files), read_song_files(known.files))
    hours = Counter(play.start_time.hour for play in tables.songplays if play.start_time)
    weekdays = Counter(play.start_time.weekday() for play in tables.songplays if play.start_time)
    [(busiest_hour, plays_in_busiest_hour)] = hours.most_common(1)
    groups = {(level, gender): plays for level, gender, plays, _ in ANSWERS["plays_by_level_and_gender"](tables)}
    changes = ANSWERS["level_changes"](tables)
    title, artist, plays, _ = ANSWERS["most_played_songs"](tables)[0]
    assert known.figures == Figures(
        staging_events=len(tables.staging_events),
        songplays=len(tables.songplays),
        matched=sum(play.song_id is not None for play in tables.songplays),
        users=len(tables.users),
        paid=sum(user.level == "paid" for user in tables.users),
        songs=len(tables.songs),
        artists=len(tables.artists),
        times=len(tables.time),
        plays_by_weekday=tuple(weekdays[day] for day in range(7)),
        busiest_hour=busiest_hour,
        plays_in_busiest_hour=plays_in_busiest_hour,
        plays_by_level_and_gender=tuple(groups[level, gender] for level in ("paid", "free") for gender in "FM"),
        level_changes=(sum(upgrades for _, upgrades, _ in changes), sum(downgrades for _, _, downgrades in changes)),
        most_played=(title, artist, plays),
    )


def test_every_log_date_of_the_month_has_a_file() -> None:
    known = month()
    log_dates = list(read_log_files(known.files))
    assert (log_dates[0], log_dates[-1]) == (known.first, known.last)
    assert len(log_dates) == (known.last - known.first).days + 1


def test_a_month_laid_out_in_a_folder_is_the_same_month(tmp_path: Path) -> None:
    known = month()
    known.write_to(tmp_path)
    assert read_log_files(tmp_path) == read_log_files(known.files)
    assert read_song_files(tmp_path) == read_song_files(known.files)


def test_a_month_without_its_last_day_differs_where_that_day_speaks() -> None:
    known = month()
    events, songs = read_log_files(known.files), read_song_files(known.files)
    whole = star_schema(events, songs)
    part = star_schema({day: rows for day, rows in events.items() if day != known.last}, songs)
    plays_of_last_day = sum(play.log_date == known.last for play in whole.songplays)
    assert plays_of_last_day > 0
    for table, columns in COLUMNS.items():
        key = [columns.index(column) for column in KEYS[table]]
        found = differences(whole.rows(table), part.rows(table), key)
        if table == "songplays":
            assert (found.missing, found.surplus, found.differing) == (plays_of_last_day, 0, 0)
        elif table in ("staging_songs", "songs", "artists"):
            assert not found
        else:
            assert found
