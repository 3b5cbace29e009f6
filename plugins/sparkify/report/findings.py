"""Puts the answer to a question into one sentence, the title of its chart."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sparkify.report.questions import Question
from sparkify.report.wording import listed, moment, multiple, number, percent, several, weekday

Rows = Sequence[Mapping[str, Any]]
MOST_NAMED = 3


def finding_of(question: Question, rows: Rows) -> str:
    """The sentence for these rows, of which there is at least one; for a question nobody wrote one for, itself."""
    say = FINDINGS.get(question.name)
    return say(rows) if say else question.words


def busiest_day(rows: Rows) -> str:
    top = _first_of(rows, "plays")
    if len(rows) == 1:
        return f"{several(top['plays'], 'song was', 'songs were')} played on {weekday(top['day'])}"
    average = sum(row["plays"] for row in rows) / len(rows)
    return (
        f"{weekday(top['day'])} was the busiest day: {several(top['plays'], 'play')}, "
        f"{multiple(top['plays'], average)} times the average"
    )


def busiest_hour(rows: Rows) -> str:
    top = _first_of(rows, "plays")
    average = sum(row["plays"] for row in rows) / 24
    return (
        f"Most songs are played from {top['hour']}:00 to {top['hour'] + 1}:00 UTC: {number(top['plays'])}, "
        f"{multiple(top['plays'], average)} times the average hour"
    )


def busiest_weekday(rows: Rows) -> str:
    plays = dict.fromkeys(calendar.day_name, 0) | {row["weekday"]: row["plays"] for row in rows}
    top, bottom = max(plays, key=plays.__getitem__), min(plays, key=plays.__getitem__)
    if not plays[bottom]:
        return f"Most songs are played on {top}s: {number(plays[top])}"
    if plays[top] == plays[bottom]:
        return f"Every day of the week has {several(plays[top], 'play')}"
    return f"Most songs are played on {top}s: {multiple(plays[top], plays[bottom])} times as many as on {bottom}s"


def busiest_hours(rows: Rows) -> str:
    most = max(row["plays"] for row in rows)
    began = [f"on {moment(row['starts_at'])}" for row in rows if row["plays"] == most]
    if len(began) > MOST_NAMED:
        return f"{len(began)} hours of the last seven days were the busiest, with {several(most, 'play')} each"
    hours, each = ("hours", " each") if len(began) > 1 else ("hour", "")
    return f"The busiest {hours} of the last seven days began {listed(began)}: {several(most, 'play')}{each}"


def paid_against_free(rows: Rows) -> str:
    paid, free = (sum(row["plays"] for row in rows if row["level"] == level) for level in ("paid", "free"))
    if not paid or not free:
        plays = sum(row["plays"] for row in rows)
        only = "paid" if paid else "free"
        return f"Only {only} users played songs: {number(plays)}" if paid or free else "No play has a known level"
    if paid == free:
        return f"Paid and free users played as many songs: {number(paid)}"
    more, fewer = (("Paid", "free"), ("Free", "paid"))[free > paid]
    return f"{more} users played {multiple(max(paid, free), min(paid, free))} times as many songs as {fewer} ones"


def level_changes(rows: Rows) -> str:
    up, down = (sum(row[column] for row in rows) for column in ("upgrades", "downgrades"))
    changes = f"{several(up, 'upgrade')}, {several(down, 'downgrade')}"
    if up == down:
        return f"As many users left paid as came to it: {changes}"
    return f"More users {'came to paid than left' if up > down else 'left paid than came to'} it: {changes}"


def session_length(rows: Rows) -> str:
    minutes = {row["level"]: row["median_minutes"] for row in rows}
    paid, free = minutes.get("paid"), minutes.get("free")
    if not paid or not free:
        level = max(minutes, key=lambda level: minutes[level] or 0)
        return f"The median session of {level or 'unknown'} users lasts {several(minutes[level] or 0, 'minute')}"
    longer, other = (("paid", "free"), ("free", "paid"))[free > paid]
    return (
        f"The median session of {longer} users lasts {several(minutes[longer], 'minute')}, "
        f"{multiple(minutes[longer], minutes[other])} times that of {other} ones"
    )


def match_rate(rows: Rows) -> str:
    plays, matched = (sum(row[column] for row in rows) for column in ("plays", "matched"))
    if not matched:
        return f"Not one of {several(plays, 'play')} is of a song in the catalogue"
    share = f"{number(matched)} of {several(plays, 'play')} ({percent(matched, plays)})"
    return f"{share} {'is' if matched == 1 else 'are'} of a song in the catalogue"


def browsers(rows: Rows) -> str:
    most = max(row["users"] for row in rows)
    names = [f"{row['browser']} on {row['platform']}" for row in rows if row["users"] == most]
    return f"Most listeners use {listed(names[:MOST_NAMED])}: {number(most)}{' each' if len(names) > 1 else ''}"


def top_artists(rows: Rows) -> str:
    return _first_place(rows, "plays", lambda row: row["artist"], "played most", "play")


def most_played_songs(rows: Rows) -> str:
    return _first_place(rows, "plays", lambda row: f"“{row['title']}” by {row['artist']}", "played most", "play")


def top_locations(rows: Rows) -> str:
    top = rows[0]
    return (
        f"The most songs are played from {top['location']}: {number(top['plays'])}, "
        f"by {several(top['listeners'], 'listener')}"
    )


FINDINGS: dict[str, Callable[[Rows], str]] = {
    "browsers": browsers,
    "busiest_hours": busiest_hours,
    "level_changes": level_changes,
    "match_rate": match_rate,
    "most_played_songs": most_played_songs,
    "plays_by_day": busiest_day,
    "plays_by_hour": busiest_hour,
    "plays_by_level_and_gender": paid_against_free,
    "plays_by_weekday": busiest_weekday,
    "session_length": session_length,
    "top_artists": top_artists,
    "top_locations": top_locations,
}


def _first_of(rows: Rows, column: str) -> Mapping[str, Any]:
    return max(rows, key=lambda row: row[column])


def _first_place(rows: Rows, column: str, name: Callable[[Mapping[str, Any]], str], what: str, unit: str) -> str:
    most = max(row[column] for row in rows)
    names = [name(row) for row in rows if row[column] == most]
    if len(names) == 1:
        return f"{names[0]} is {what}: {several(most, unit)}"
    if len(names) > MOST_NAMED:
        return f"{len(names)} share the first place, with {several(most, unit)} each"
    return f"{listed(names)} are {what}: {several(most, unit)} each"
