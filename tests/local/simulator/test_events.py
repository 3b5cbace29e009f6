"""What happens in a made-up Sparkify."""

from __future__ import annotations

import datetime
import statistics
import tracemalloc
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator import Recipe, Repertoire, events
from local.simulator.sessions import Event
from tests.local.simulator.recipes import BIG, SMALL

SUBMITTED = {"Submit Upgrade": ("free", "paid"), "Submit Downgrade": ("paid", "free")}

recipes = st.builds(
    Recipe,
    start=st.dates(datetime.date(1970, 1, 1), datetime.date(2200, 1, 1)),
    days=st.integers(1, 4),
    events_per_day=st.integers(1, 1_500),
    songs=st.integers(1, 200),
    seed=st.integers(-(2**70), 2**70),
)


@pytest.fixture(scope="module")
def big() -> list[Event]:
    return list(events(BIG))


def _by_session(of: list[Event]) -> dict[int, list[Event]]:
    sessions = defaultdict(list)
    for event in of:
        sessions[event.session_id].append(event)
    return sessions


def _by_user(of: list[Event]) -> dict[str, list[Event]]:
    """The events of each user's sessions, the signed-out ones of them included."""
    users = defaultdict(list)
    owners = {event.session_id: event.user_id for event in of if event.user_id}
    for event in of:
        if event.session_id in owners:
            users[owners[event.session_id]].append(event)
    return users


@settings(max_examples=30)
@given(recipes)
def test_events_come_in_the_order_of_time_within_the_dates(recipe: Recipe) -> None:
    times = [event.ts for event in events(recipe)]
    assert times == sorted(times)
    dates = {datetime.datetime.fromtimestamp(ts / 1000, datetime.UTC).date() for ts in times}
    assert dates <= set(recipe.dates)


@settings(max_examples=30)
@given(recipes)
def test_items_of_a_session_are_numbered_from_0_without_a_gap(recipe: Recipe) -> None:
    for session in _by_session(list(events(recipe))).values():
        assert [event.item_in_session for event in session] == list(range(len(session)))
        assert len({event.user_id for event in session} - {""}) <= 1


@settings(max_examples=30)
@given(recipes)
def test_everybody_starts_free_and_a_level_changes_by_a_submitted_page_only(recipe: Recipe) -> None:
    for of_user in _by_user(list(events(recipe))).values():
        assert of_user[0].level == "free"
        for before, after in pairwise(of_user):
            expected = SUBMITTED.get(before.page, (before.level, before.level))
            assert (before.level, after.level) == expected


@settings(max_examples=20)
@given(recipes, st.integers(1, 3))
def test_more_days_begin_with_the_events_of_fewer(recipe: Recipe, more: int) -> None:
    fewer = list(events(recipe))
    longer = events(replace(recipe, days=recipe.days + more))
    assert list(islice(longer, len(fewer))) == fewer
    following = next(longer, None)
    assert following is None or following.ts >= recipe.starts_at + recipe.days * 86_400_000


def test_nobody_has_two_sessions_at_once(big: list[Event]) -> None:
    for of_user in _by_user(big).values():
        numbers = [event.session_id for event in of_user]
        assert len(set(numbers)) == 1 + sum(before != after for before, after in pairwise(numbers))


def test_there_are_upgrades_and_downgrades_by_people_who_come_back(big: list[Event]) -> None:
    pages = Counter(event.page for event in big)
    assert pages["Submit Upgrade"] > pages["Submit Downgrade"] > 0
    levels = [{event.level for event in of_user} for of_user in _by_user(big).values()]
    assert {"free", "paid"} in levels


def test_about_as_much_happens_as_was_asked_for(big: list[Event]) -> None:
    per_day = Counter(event.ts // 86_400_000 for event in big)
    second_week = [count for _, count in sorted(per_day.items())][7:]
    assert statistics.mean(second_week) == pytest.approx(BIG.events_per_day, rel=0.05)


def test_weekends_and_nights_are_quiet(big: list[Event]) -> None:
    moments = [datetime.datetime.fromtimestamp(event.ts / 1000, datetime.UTC) for event in big]
    weekdays = Counter(moment.weekday() for moment in moments)
    assert max(weekdays[5], weekdays[6]) < min(weekdays[day] for day in range(5))
    hours = Counter(moment.hour for moment in moments)
    assert sum(hours[hour] for hour in range(14, 20)) > 2 * sum(hours[hour] for hour in range(6))


def test_sessions_cross_midnight(big: list[Event]) -> None:
    days = ({event.ts // 86_400_000 for event in session} for session in _by_session(big).values())
    assert sum(len(of_session) > 1 for of_session in days) > 10


def test_a_signed_out_event_tells_nothing_of_the_visitor(big: list[Event]) -> None:
    signed_out = [event for event in big if event.auth == "Logged Out"]
    assert 0.02 < len(signed_out) / len(big) < 0.2
    for event in signed_out:
        assert event.user_id == ""
        assert {event.first_name, event.last_name, event.gender, event.location} == {None}
        assert (event.registration, event.user_agent, event.song) == (None, None, None)
    assert all(event.user_id for event in big if event.auth == "Logged In")
    assert any(len({event.auth for event in session}) == 2 for session in _by_session(big).values())


def test_three_plays_of_five_match_a_song_of_the_catalogue(big: list[Event]) -> None:
    catalogue = {(song.title, song.artist_name, song.duration) for _, song in Repertoire(BIG).catalogue()}
    plays = [event for event in big if event.page == "NextSong"]
    matched = sum((event.song, event.artist, event.length) in catalogue for event in plays)
    assert 0.55 < matched / len(plays) < 0.65


def test_some_plays_miss_a_song_by_its_length_alone(big: list[Event]) -> None:
    lengths = {(song.title, song.artist_name): song.duration for _, song in Repertoire(BIG).catalogue()}
    plays = [event for event in big if event.page == "NextSong"]
    missed = sum(lengths.get((str(e.song), str(e.artist)), e.length) != e.length for e in plays)
    assert missed > len(plays) / 50


def test_popularity_has_a_long_tail(big: list[Event]) -> None:
    plays = Counter((event.song, event.artist, event.length) for event in big if event.page == "NextSong")
    ranked = [count for _, count in plays.most_common()]
    assert sum(ranked[: len(ranked) // 10]) > 0.25 * sum(ranked)
    assert sum(ranked[len(ranked) // 2 :]) > 0.1 * sum(ranked)


def test_text_has_accents_and_characters_of_up_to_four_bytes(big: list[Event]) -> None:
    text = {character for event in big for character in f"{event.song}{event.artist}{event.last_name}"}
    assert {len(character.encode()) for character in text} == {1, 2, 3, 4}
    assert {"é", "ñ", "'", '"'} <= text


def test_memory_does_not_grow_with_the_days() -> None:
    def peak(days: int) -> int:
        tracemalloc.start()
        for _ in events(replace(SMALL, days=days)):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(1)
    assert peak(160) < 2 * peak(20)


def test_another_seed_gives_something_else() -> None:
    assert list(islice(events(SMALL), 50)) != list(islice(events(replace(SMALL, seed=8)), 50))
