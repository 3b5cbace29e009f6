"""Works out the answer to each question of ``include/sql/analytics`` from the rows of the tables."""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any

from local.reference.star import (
    Identity,
    each_event_once,
    moment,
    nulls_last,
    songplay_id,
    start_time,
    without_trailing_blanks,
)
from local.reference.tables import StagedEvent, Tables
from local.reference.user_agents import browser, platform

Rows = list[tuple[Any, ...]]
_TEN = 10
_MS_A_MINUTE = 60_000


def _plays_by_level_and_gender(tables: Tables) -> Rows:
    genders = {user.user_id: user.gender for user in tables.users}
    return _most_first(
        _counted(((play.level, genders.get(play.user_id or -1)), play.user_id) for play in tables.songplays)
    )


def _plays_by_hour(tables: Tables) -> Rows:
    return sorted(Counter(play.start_time.hour for play in tables.songplays if play.start_time).items())


def _plays_by_weekday(tables: Tables) -> Rows:
    plays = Counter(play.start_time.weekday() for play in tables.songplays if play.start_time)
    return [(calendar.day_name[weekday], plays[weekday]) for weekday in sorted(plays)]


def _plays_by_day(tables: Tables) -> Rows:
    return sorted(_counted(((at.date(),), user) for at, user in _on_loaded_dates(tables)))


def _most_played_songs(tables: Tables) -> Rows:
    matched = {play.songplay_id: play.song_id is not None for play in tables.songplays}
    plays: dict[tuple[str, str | None], list[bool]] = defaultdict(list)
    for identity, event in _events(tables).items():
        if event.page == "NextSong" and (title := _shown(event.song)):
            plays[title, _shown(event.artist)].append(matched[songplay_id(identity)])
    return _most_first((*song, len(found), sum(found)) for song, found in plays.items())[:_TEN]


def _top_artists(tables: Tables) -> Rows:
    plays = [event for event in _events(tables).values() if event.page == "NextSong"]
    return _most_first(_counted(((artist,), event.user_id) for event in plays if (artist := _shown(event.artist))))[
        :_TEN
    ]


def _busiest_hours(tables: Tables) -> Rows:
    starts = _on_loaded_dates(tables)
    if not starts:
        return []
    last_day = max(at for at, _ in starts).date()
    begin_at = datetime.combine(last_day - timedelta(days=6), time())
    hours = (((at.replace(minute=0, second=0, microsecond=0),), user) for at, user in starts if at >= begin_at)
    return _most_first(_counted(hours))[:_TEN]


def _browsers(tables: Tables) -> Rows:
    plays = (((browser(play.user_agent), platform(play.user_agent)), play.user_id) for play in tables.songplays)
    rows = ((*names, users, count) for *names, count, users in _counted(plays))
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[:2]))


def _level_changes(tables: Tables) -> Rows:
    events: dict[int, list[StagedEvent]] = defaultdict(list)
    for event in _events(tables).values():
        if event.user_id is not None and event.ts is not None and event.level in ("free", "paid"):
            events[event.user_id].append(event)
    changes: Counter[tuple[date, str | None]] = Counter()
    for of_one_user in events.values():
        for before, after in pairwise(sorted(of_one_user, key=moment)):
            if before.level != after.level and _is_on_loaded_dates(_day(after), tables):
                changes[_day(after), after.level] += 1
    return [(day, changes[day, "paid"], changes[day, "free"]) for day in sorted({day for day, _ in changes})]


def _session_length(tables: Tables) -> Rows:
    sessions: dict[tuple[int, int], list[StagedEvent]] = defaultdict(list)
    for event in _events(tables).values():
        if event.session_id is not None and event.user_id is not None and event.ts is not None:
            sessions[event.session_id, event.user_id].append(event)
    lengths: dict[str | None, list[int]] = defaultdict(list)
    for events in sessions.values():
        events.sort(key=moment)
        lengths[events[-1].level].append((events[-1].ts or 0) - (events[0].ts or 0))
    rows = (
        (level, len(found), median(found) / _MS_A_MINUTE, mean(found) / _MS_A_MINUTE)
        for level, found in lengths.items()
    )
    return sorted(rows, key=nulls_last)


def _top_locations(tables: Tables) -> Rows:
    plays = (((place,), play.user_id) for play in tables.songplays if (place := _shown(play.location)))
    return _most_first(_counted(plays))[:_TEN]


def _match_rate(tables: Tables) -> Rows:
    months: dict[str, list[bool]] = defaultdict(list)
    for play in tables.songplays:
        if play.start_time and _is_on_loaded_dates(play.start_time.date(), tables):
            months[f"{play.start_time:%Y-%m}"].append(play.song_id is not None)
    return sorted((month, len(found), sum(found), 100 * sum(found) / len(found)) for month, found in months.items())


ANSWERS: Mapping[str, Callable[[Tables], Rows]] = {
    "browsers": _browsers,
    "busiest_hours": _busiest_hours,
    "level_changes": _level_changes,
    "match_rate": _match_rate,
    "most_played_songs": _most_played_songs,
    "plays_by_day": _plays_by_day,
    "plays_by_hour": _plays_by_hour,
    "plays_by_level_and_gender": _plays_by_level_and_gender,
    "plays_by_weekday": _plays_by_weekday,
    "session_length": _session_length,
    "top_artists": _top_artists,
    "top_locations": _top_locations,
}
"""The rows that answer a question, in their order, by the question's name."""


def _on_loaded_dates(tables: Tables) -> list[tuple[datetime, int | None]]:
    """When plays began, and who played; of the plays from the first to the last loaded log date."""
    return [
        (play.start_time, play.user_id)
        for play in tables.songplays
        if play.start_time and _is_on_loaded_dates(play.start_time.date(), tables)
    ]


def _is_on_loaded_dates(day: date, tables: Tables) -> bool:
    return tables.log_dates[0] <= day <= tables.log_dates[-1]


def _events(tables: Tables) -> Mapping[Identity, StagedEvent]:
    """Every event as its counted delivery has it."""
    by_log_date: dict[date, list[StagedEvent]] = defaultdict(list)
    for event in tables.staging_events:
        by_log_date[event.log_date].append(event)
    return each_event_once(by_log_date)


def _counted(plays: Iterable[tuple[tuple[Any, ...], int | None]]) -> Iterable[tuple[Any, ...]]:
    """Each group of plays with their number and the number of users among them."""
    groups: dict[tuple[Any, ...], list[int | None]] = defaultdict(list)
    for group, user_id in plays:
        groups[group].append(user_id)
    return ((*group, len(users), len(set(users) - {None})) for group, users in groups.items())


def _most_first(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """In the order of the number of plays, the last but one of a row's values; at a tie in that of what is before."""
    return sorted(rows, key=lambda row: (-row[-2], nulls_last(row[:-2])))


def _shown(text: str | None) -> str | None:
    return None if text is None else without_trailing_blanks(text)


def _day(event: StagedEvent) -> date:
    at = start_time(event.ts)
    if at is None:
        raise ValueError("An event without a ts is of no day.")
    return at.date()
