"""A month of Sparkify to test with: the published one where it is at hand, else a small one made here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data" / "sparkify"
"""Where the published data lies, seen from the folder that holds the project."""


@dataclass(frozen=True)
class Figures:
    """What the tables of a month come to."""

    staging_events: int
    songplays: int
    matched: int
    users: int
    paid: int
    songs: int
    artists: int
    times: int
    plays_by_weekday: tuple[int, ...]
    """Monday to Sunday."""
    busiest_hour: int
    plays_in_busiest_hour: int
    plays_by_level_and_gender: tuple[int, ...]
    """Paid women, paid men, free women, free men."""
    level_changes: tuple[int, int]
    """Upgrades and downgrades."""
    most_played: tuple[str, str, int]
    """The song's title, its artist, and how often it was played."""


@dataclass(frozen=True)
class Month:
    """The files of a month by key, its first and last log date, and what it comes to."""

    files: dict[str, bytes]
    first: date
    last: date
    figures: Figures

    def first_days(self, number: int) -> Month:
        """The files of the first days, and all songs; the figures remain those of the month."""
        dates = [str(self.first + timedelta(days=day)) for day in range(number)]
        wanted = {
            key: data
            for key, data in self.files.items()
            if key.startswith("song_data/") or any(log_date in key for log_date in dates)
        }
        return replace(self, files=wanted, last=self.first + timedelta(days=number - 1))

    def write_to(self, folder: Path) -> None:
        """Lay the files out below *folder*, as they are laid out in the bucket."""
        for key, data in self.files.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def month() -> Month:
    """The published month, or the small one if this project stands alone."""
    return published_month(PUBLISHED) if PUBLISHED.is_dir() else small_month()


def published_month(folder: Path) -> Month:
    """November 2018 as it was published with the exercise."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for top in ("log_data", "song_data")
        for path in sorted((folder / top).rglob("*.json"))
    }
    return Month(
        files,
        date(2018, 11, 1),
        date(2018, 11, 30),
        Figures(
            staging_events=8056,
            songplays=6820,
            matched=1,
            users=97,
            paid=22,
            songs=71,
            artists=69,
            times=6813,
            plays_by_weekday=(1014, 1071, 1364, 1052, 1295, 628, 396),
            busiest_hour=16,
            plays_in_busiest_hour=542,
            plays_by_level_and_gender=(4294, 1297, 593, 636),
            level_changes=(8, 1),
            most_played=("You're The One", "Dwight Yoakam", 37),
        ),
    )


LISTENERS = (
    # user id, first name, last name, gender, place
    (10, "José", "Muñoz", "M", "San Juan-Carolina-Caguas, PR"),
    (11, "Zoë", "Ã…ngstrÃ¶m", "F", "Portland-South Portland, ME"),
    (12, "Ann ", "O'Neil", "F", ""),
    (13, "Ли", "Ng", "M", "Washington-Arlington-Alexandria, DC-VA-MD-WV"),
    (14, 'Bo "B"', "Back\\slash", "M", "Tampa-St. Petersburg-Clearwater, FL"),
)
BROWSERS = ('"Mozilla/5.0 (Windows NT 6.1; WOW64)"', "Mozilla/5.0 (iPad; CPU OS 7_1_2 like Mac OS X)")
DAYS = 7


def small_month() -> Month:
    """The first seven days of November 2018, a Thursday to a Wednesday, with the published month's traps.

    A day's file holds nine events: two of someone who is not signed in; a session of one of five
    listeners, with a visit to the home page, three plays at noon, of which the last is of a known song
    with a blank too many on Saturdays and Sundays, and a help page; a play by user 20 in the same
    millisecond as the session's first; and one by user 20 a moment before midnight. From the second day
    on there is a tenth, of user 20 half a minute after midnight. The sixth day's file is in two parts.
    Users 10 and 11, whose days come round twice, are paid the second time; user 20 is paid on the first
    three days and free ever after; user 30 never plays.
    """
    first = date(2018, 11, 1)
    files = {key: b"\n".join(lines) for key, lines in _log_files(first)}
    for song in SONGS:
        files[f"song_data/A/A/{song['song_id'][2]}/TR{song['song_id']}.json"] = json.dumps(song).encode()
    return Month(
        files,
        first,
        first + timedelta(days=DAYS - 1),
        Figures(
            staging_events=7 * 9 + 6 + 1,
            songplays=7 * 5 + 6,
            matched=2,
            users=7,
            paid=2,
            songs=3,
            artists=2,
            times=7 * 4 + 6,
            plays_by_weekday=(6, 6, 6, 5, 6, 6, 6),
            busiest_hour=12,
            plays_in_busiest_hour=7 * 4,
            plays_by_level_and_gender=(11, 3, 18, 9),
            level_changes=(2, 1),
            most_played=("Stronger", "Kanye West", 14),
        ),
    )


SONGS: tuple[dict[str, Any], ...] = (
    {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": None,
        "artist_longitude": None,
        "artist_location": "",
        "artist_name": "Sigur Rós",
        "song_id": "SOB1",
        "title": "Hoppípolla",
        "duration": 268.12036,
        "year": 2005,
    },
    {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": 64.14598,
        "artist_longitude": -21.94224,
        "artist_location": "Reykjavík",
        "artist_name": "Sigur Rós",
        "song_id": "SOA1",
        "title": "Hoppípolla ",
        "duration": 268.12036,
        "year": 0,
    },
    {
        "num_songs": 1,
        "artist_id": "AR2",
        "artist_latitude": None,
        "artist_longitude": None,
        "artist_location": None,
        "artist_name": "Des'ree",
        "song_id": "SOC1",
        "title": "You Gotta Be",
        "duration": 246.30813,
        "year": 1994,
    },
)


def _log_files(first: date) -> Iterator[tuple[str, list[bytes]]]:
    for number in range(DAYS):
        day = first + timedelta(days=number)
        lines = [json.dumps(event, ensure_ascii=number % 2 == 0).encode() for event in _day(number, day)]
        stem = f"log_data/{day:%Y/%m}/{day}-events"
        if number == 5:
            yield f"{stem}-1.json", lines[:4]
            yield f"{stem}-2.json", lines[4:]
        else:
            yield f"{stem}.json", lines


def _day(number: int, day: date) -> Iterator[dict[str, Any]]:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) + 796
    noon = midnight + 12 * 3_600_000
    user_id, first_name, last_name, gender, location = LISTENERS[number % len(LISTENERS)]

    def event(at: int, item: int, **changes: Any) -> dict[str, Any]:
        return {
            "artist": None,
            "auth": "Logged In",
            "firstName": first_name,
            "gender": gender,
            "itemInSession": item,
            "lastName": last_name,
            "length": None,
            "level": "paid" if number >= len(LISTENERS) else "free",
            "location": location,
            "method": "GET",
            "page": "Home",
            "registration": 1540919166796.0,
            "sessionId": 100 + number,
            "song": None,
            "status": 200,
            "ts": at,
            "userAgent": BROWSERS[number % len(BROWSERS)],
            "userId": str(user_id),
        } | changes

    def play(at: int, item: int, artist: str, song: str, length: float, **changes: Any) -> dict[str, Any]:
        heard = {"artist": artist, "song": song, "length": length, "page": "NextSong", "method": "PUT"}
        return event(at, item, **(heard | changes))

    nobody = {"auth": "Logged Out", "userId": "", "firstName": None, "lastName": None, "gender": None}
    level = "paid" if number < 3 else "free"
    eve = {"userId": "20", "firstName": "Eve", "lastName": "Poe", "location": "Bath", "level": level}
    title = "Hoppípolla  " if day.weekday() >= 5 else "Hoppípolla (live)"

    if number:
        late = midnight + 30_000
        yield play(late, 3, "Des'ree", "You Gotta Be", 246.30812, **eve, sessionId=200 + number - 1)
    yield event(midnight + 60_000, 0, **nobody, sessionId=300 + number)
    yield event(midnight + 61_000, 1, **nobody, sessionId=300 + number, page="Login", method="PUT")
    yield event(noon, 0)
    yield play(noon, 1, "Des'ree", "You Gotta Be", 246.30812)
    yield play(noon, 0, "Kanye West", "Stronger", 312.5, **eve, sessionId=200 + number)
    yield play(noon + 200_000, 2, "Björk", " Jóga", 305.1)
    yield play(noon + 500_000, 3, "Sigur Rós", title, 268.12036)
    yield event(noon + 800_000, 4, page="Help")
    before_midnight = midnight + 86_400_000 - 1_000
    yield play(before_midnight, 2, "Kanye West", "Stronger", 312.5, **eve, sessionId=200 + number)
    if number == 4:
        yield event(noon, 0, userId="30", page="Upgrade", sessionId=400, firstName="Max", level="free")
