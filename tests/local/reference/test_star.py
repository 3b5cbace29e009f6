"""The reference gives what the contract's examples say, in whatever order it is told."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.reference import (
    COLUMNS,
    KEYS,
    StagedEvent,
    StagedSong,
    Tables,
    read_log_files,
    read_song_files,
    star_schema,
)
from tests.examples import EXAMPLES, NOV_1, Example, play


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_reference_agrees_with(example: Example) -> None:
    files = example.files()
    tables = star_schema(read_log_files(files), read_song_files(files))
    for table, rows in example.expected.items():
        assert Counter(example.given(table, tables.rows(table))) == Counter(rows), table


def test_every_example_has_a_name_of_its_own_and_expects_rows_of_one_width() -> None:
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    for example in EXAMPLES:
        for table, rows in example.expected.items():
            assert len({len(row) for row in rows}) <= 1, (example.name, table)


def test_every_column_of_every_table_is_expected_by_some_example() -> None:
    widths: dict[str, int] = {}
    for table, rows in chain.from_iterable(example.expected.items() for example in EXAMPLES):
        widths[table] = max(widths.get(table, 0), *map(len, rows), 0)
    assert widths == {table: len(columns) for table, columns in COLUMNS.items()}


texts = st.sampled_from([None, "", " ", "a", "a ", "A", "é", "zz"])
smalls = st.sampled_from([None, 0, 1, 2])
lengths = st.sampled_from([None, Decimal(1), Decimal("1.5")])
coordinates = st.sampled_from([None, 0.0, -1.5])
dates = st.sampled_from([date(2018, 11, day) for day in range(1, 5)])
staged_songs = st.builds(
    StagedSong,
    num_songs=st.just(1),
    artist_id=texts,
    artist_latitude=coordinates,
    artist_longitude=coordinates,
    artist_location=texts,
    artist_name=texts,
    song_id=texts,
    title=texts,
    duration=lengths,
    year=smalls,
)


@st.composite
def days(draw: st.DrawFn) -> dict[date, list[StagedEvent]]:
    """A few dates of events that collide in everything."""
    found: dict[date, list[StagedEvent]] = {}
    for log_date in draw(st.lists(dates, unique=True, max_size=4)):
        found[log_date] = draw(
            st.lists(
                st.builds(
                    StagedEvent,
                    artist=texts,
                    auth=st.none(),
                    first_name=texts,
                    gender=st.none(),
                    item_in_session=smalls,
                    last_name=texts,
                    length=lengths,
                    level=texts,
                    location=texts,
                    method=st.none(),
                    page=st.sampled_from(["NextSong", "Home", None]),
                    registration=st.none(),
                    session_id=smalls,
                    song=texts,
                    status=st.none(),
                    ts=smalls,
                    user_agent=texts,
                    user_id=smalls,
                    log_date=st.just(log_date),
                ),
                max_size=8,
            )
        )
    return found


def as_multisets(tables: Tables) -> dict[str, Counter[tuple[object, ...]]]:
    return {table: Counter(tables.rows(table)) for table in COLUMNS}


@given(days(), st.lists(staged_songs, max_size=6), st.data())
def test_the_order_of_dates_events_and_songs_is_immaterial(
    events: dict[date, list[StagedEvent]], songs: list[StagedSong], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(list(events)))
    shuffled = {log_date: data.draw(st.permutations(events[log_date])) for log_date in order}
    assert as_multisets(star_schema(events, songs)) == as_multisets(
        star_schema(shuffled, data.draw(st.permutations(songs)))
    )


@given(days(), st.lists(staged_songs, max_size=6))
def test_delivering_everything_once_more_changes_no_table_but_staging(
    events: dict[date, list[StagedEvent]], songs: list[StagedSong]
) -> None:
    once = as_multisets(star_schema(events, songs))
    twice = as_multisets(star_schema({d: rows * 2 for d, rows in events.items()}, songs * 2))
    for table in filter(KEYS.get, KEYS):
        assert once[table] == twice[table], table


@given(days(), st.lists(staged_songs, max_size=6))
def test_keys_are_unique_and_plays_refer_to_what_there_is(
    events: dict[date, list[StagedEvent]], songs: list[StagedSong]
) -> None:
    tables = star_schema(events, songs)
    for table in filter(KEYS.get, KEYS):
        keys = [row[0] for row in tables.rows(table)]
        assert len(set(keys)) == len(keys), table
    assert {p.user_id for p in tables.songplays} - {None} <= {u.user_id for u in tables.users}
    assert {p.song_id for p in tables.songplays} - {None} <= {s.song_id for s in tables.songs}
    assert {p.start_time for p in tables.songplays} - {None} == {t.start_time for t in tables.time}


def test_reading_and_working_out_leave_the_input_as_it_was() -> None:
    files = Example("", {NOV_1: [play(), play(level="paid")]}, {}).files()
    events, again = read_log_files(files), read_log_files(files)
    star_schema(events, [])
    assert events == again
