"""The data contract's rules as example rows, with results written by hand.

An example is files in and rows out. It says nothing of who works the rows out, so the same examples are
put to the reference and to the warehouse. ``expected`` names only the tables its rule is about; rows are
tuples in the order of the table's columns, without the last of them where the rule is not about these, in no
particular order of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Raw = dict[str, Any]

NOV_1, NOV_2, NOV_3 = date(2018, 11, 1), date(2018, 11, 2), date(2018, 11, 3)
AT = 1_541_030_400_000
"""2018-11-01 00:00:00 UTC in epoch milliseconds."""
MINUTE, DAY = 60_000, 86_400_000


@dataclass(frozen=True)
class Example:
    """Files, and the rows they amount to."""

    name: str
    events: Mapping[date, Sequence[Raw]]
    expected: Mapping[str, Sequence[tuple[Any, ...]]]
    songs: Sequence[Raw] = field(default=())

    def files(self) -> dict[str, bytes]:
        """The source files by key: a log file a date, a song file a song."""
        files = {
            f"song_data/A/A/A/TR{number:03}.json": json.dumps(song).encode() for number, song in enumerate(self.songs)
        }
        for log_date, events in self.events.items():
            lines = (json.dumps(event, ensure_ascii=False).encode() for event in events)
            files[f"log_data/{log_date:%Y/%m}/{log_date}-events.json"] = b"\n".join(lines)
        return files

    def given(self, table: str, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """These rows of a table, each with the columns that the example's rows of it have."""
        width = max(map(len, self.expected[table]), default=None)
        return [tuple(row)[:width] for row in rows]


def event(**changes: Any) -> Raw:
    """An event as the player writes it: user 7 on the home page."""
    return {
        "artist": None,
        "auth": "Logged In",
        "firstName": "Ana",
        "gender": "F",
        "itemInSession": 0,
        "lastName": "Lima",
        "length": None,
        "level": "free",
        "location": "Porto",
        "method": "GET",
        "page": "Home",
        "registration": 1540000000000.0,
        "sessionId": 1,
        "song": None,
        "status": 200,
        "ts": AT,
        "userAgent": "Firefox",
        "userId": "7",
    } | changes


def play(**changes: Any) -> Raw:
    """An event of page ``NextSong``: user 7 plays a song of 305.5 seconds."""
    song = {"artist": "Björk", "song": "Jóga", "length": 305.5, "method": "PUT", "page": "NextSong"}
    return event(**song) | changes


def song(song_id: str | None, **changes: Any) -> Raw:
    """A song as the catalogue delivers it, which :func:`play` plays."""
    return {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": None,
        "artist_longitude": None,
        "artist_location": "",
        "artist_name": "Björk",
        "song_id": song_id,
        "title": "Jóga",
        "duration": 305.5,
        "year": 1997,
    } | changes


def at(hour: int, minute: int = 0, second: int = 0, *, day: int = 1, ms: int = 0) -> datetime:
    """A time in November 2018."""
    return utc(f"2018-11-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03}")


def utc(text: str) -> datetime:
    """A time as the warehouse holds it: UTC, without a zone."""
    return datetime.fromisoformat(text)


PLAY = "bf0f0a23e532ae7b493ceabe31afb242"
PLAY_2 = "d2f2fdc8779b2201ec93cc21dc3e2b23"
PLAY_3 = "b0c00983a49568727f519a5f9de4df14"
"""The md5 of ``1|0|1541030400000|7``, the identity of :func:`play`; and in the sessions 2 and 3."""
ID = {
    "12|0|1541030400000|7": "ce3a18c49d070fea5ad9ae0641839cd6",
    "1|0|1541030399999|7": "7c484460c595fee4e5d20e9c04a044ba",
    "1|0|1541030400000|": "fe7d49ad10b404af3f69a2a7ba515d27",
    "1|0|1541030400000|8": "cc0657c0da5bb4455e4151208ad5a379",
    "1|0|1541030400001|7": "383344559bfdd9d742b9f6bac3848fc5",
    "1|0||7": "017c3a4f681c42576387f9467a1a5617",
    "1|1|1541030400000|7": "a00f63882f5eea3ba099db044459452a",
    "1|1|1541116830000|7": "cc170de3db0ef06817442031f57b6769",
    "3|1|1541030400000|7": "735a7f4d04275fb8188963051a777e79",
    "1|0|946684800000|7": "11d292f6d13f6d2ca0bb43595736b106",
    "1|0|4102444799999|7": "0d95052ffc54cc43c263fd8ae763a7e9",
    "1||1541030400000|7": "b0c980c38107977bceceab7635d24fec",
    "|0|1541030400000|7": "21e859904528297412a08b42a08bbd1b",
    "|||": "2edf2958166561c5c08cd228e53bbcdc",
}
ANA = (7, "Ana", "Lima", "F", "free", at(0))


IDENTITY = [
    Example(
        "the same event twice in one file counts once",
        events={NOV_1: [play(), play()]},
        expected={
            "staging_events": [
                (
                    *("Björk", "Logged In", "Ana", "F", 0, "Lima", Decimal("305.5"), "free", "Porto", "PUT"),
                    *("NextSong", 1540000000000.0, 1, "Jóga", 200, AT, "Firefox", 7, NOV_1),
                ),
            ]
            * 2,
            "songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)],
            "users": [ANA],
            "time": [(at(0), 0, 1, 44, 11, 2018, 3)],
        },
    ),
    Example(
        "the same event in the files of two dates counts once, as the smaller date's file has it",
        events={NOV_2: [play(level="a", userAgent="A")], NOV_1: [play(level="paid")]},
        expected={
            "songplays": [(PLAY, at(0), 7, "paid", None, None, 1, "Porto", "Firefox", NOV_1)],
            "users": [(7, "Ana", "Lima", "F", "paid", at(0))],
            "time": [(at(0), 0, 1, 44, 11, 2018, 3)],
        },
    ),
    Example(
        "a smaller row of a smaller log date counts, whatever the other dates repeat",
        events={
            NOV_3: [play(location="Aveiro")],
            NOV_2: [play(location="Coimbra"), play(location="Braga")],
        },
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Braga", "Firefox", NOV_2)]},
    ),
    Example(
        "of one event with other content the row counts that is smallest by the bytes of its text",
        events={
            NOV_1: [
                play(sessionId=1, location="aachen"),
                play(sessionId=1, location="Zürich"),
                play(sessionId=2, location="évora"),
                play(sessionId=2, location="zz"),
            ]
        },
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Zürich", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "zz", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "of one event with other content a value counts before null",
        events={NOV_1: [play(location=None), play(location="zz")]},
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "zz", "Firefox", NOV_1)]},
    ),
    Example(
        "of one event with other content the first column that differs decides",
        events={NOV_1: [play(level="paid", location="Aveiro"), play(level="free", location="Porto")]},
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "of one event with other content numbers are compared as numbers",
        events={NOV_1: [play(length=100, level="free"), play(length=99.5, level="paid")]},
        expected={"songplays": [(PLAY, at(0), 7, "paid", None, None, 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "null equals null in an event's identity",
        events={
            NOV_1: [
                play(itemInSession=None),
                play(itemInSession=None),
                play(sessionId=None),
                play(sessionId=None),
                play(userId=None),
                play(userId=None),
                play(ts=None),
                play(ts=None),
            ]
        },
        expected={
            "songplays": [
                (ID["1||1541030400000|7"], at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (ID["|0|1541030400000|7"], at(0), 7, "free", None, None, None, "Porto", "Firefox", NOV_1),
                (ID["1|0|1541030400000|"], at(0), None, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (ID["1|0||7"], None, 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
            ],
            "users": [ANA],
            "time": [(at(0), 0, 1, 44, 11, 2018, 3)],
        },
    ),
    Example(
        "null in an event's identity is neither zero nor any other value",
        events={NOV_1: [play(itemInSession=None), play(itemInSession=0)]},
        expected={
            "songplays": [
                (ID["1||1541030400000|7"], at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "an event that says nothing but its page is an event, and its repetition the same one",
        events={NOV_1: [{"page": "NextSong"}], NOV_2: [{"page": "NextSong"}]},
        expected={
            "songplays": [(ID["|||"], None, None, None, None, None, None, None, None, NOV_1)],
            "users": [],
            "time": [],
        },
    ),
    Example(
        "each part of the identity tells events apart",
        events={NOV_1: [play(), play(sessionId=2), play(itemInSession=1), play(ts=AT + 1), play(userId="8")]},
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "Porto", "Firefox", NOV_1),
                (ID["1|1|1541030400000|7"], at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (ID["1|0|1541030400001|7"], at(0, ms=1), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (ID["1|0|1541030400000|8"], at(0), 8, "free", None, None, 1, "Porto", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "the page is the winner's: an event that is a play only in a row that lost is none",
        events={NOV_1: [play(), play(page="Home")]},
        expected={"songplays": [], "users": [ANA], "time": []},
    ),
    Example(
        "the page is the winner's: an event that is a play in the row that won is one",
        events={NOV_1: [play(page="Settings"), play()]},
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "the page is the winner's: an event that is a play only in the file of a later date is none",
        events={NOV_1: [play(page="Home")], NOV_2: [play()]},
        expected={"songplays": [], "users": [ANA], "time": []},
    ),
    Example(
        "the page is the winner's: an event that is a play in the file of the first of two dates is one",
        events={NOV_1: [play()], NOV_2: [play(page="Home")]},
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "the names are the winner's",
        events={NOV_1: [event(firstName="Bea", gender="F"), event(firstName="Ana", gender="M")]},
        expected={"users": [(7, "Ana", "Lima", "M", "free", at(0))]},
    ),
]

PLAYS = [
    Example(
        "a play that matches no song is kept",
        events={NOV_1: [play(song="Hunter")]},
        songs=[song("SO1")],
        expected={"songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "only events of page NextSong are plays",
        events={NOV_1: [play(page="Home"), play(page="nextsong", sessionId=2), play(page=None, sessionId=3)]},
        songs=[song("SO1")],
        expected={"songplays": [], "time": []},
    ),
    Example(
        "a play matches the song of its title, artist and duration",
        events={NOV_1: [play()]},
        songs=[
            song("SO1", title="Joga"),
            song("SO2", title="JÓGA"),
            song("SO3", artist_name="Bjork"),
            song("SO4", duration=305.50001),
            song("SO5", artist_id="AR5"),
        ],
        expected={"songplays": [(PLAY, at(0), 7, "free", "SO5", "AR5", 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "of several songs that match the one of the smallest song id is the play's, and the play one row",
        events={NOV_1: [play()]},
        songs=[song("SOb", artist_id="AR2"), song("SOB", artist_id="AR9"), song("SOa", artist_id="AR1")],
        expected={"songplays": [(PLAY, at(0), 7, "free", "SOB", "AR9", 1, "Porto", "Firefox", NOV_1)]},
    ),
    Example(
        "trailing blanks do not keep a play from its song",
        events={NOV_1: [play(song="Jóga  "), play(artist="Björk ", sessionId=2)]},
        songs=[song("SO1", title="Jóga ", artist_name="Björk   ")],
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", "SO1", "AR1", 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", "SO1", "AR1", 2, "Porto", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "leading blanks and other white space do keep a play from its song",
        events={NOV_1: [play(song=" Jóga"), play(song="Jóga\t", sessionId=2)]},
        songs=[song("SO1")],
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "Porto", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "durations are rounded to five decimals, not cut",
        events={NOV_1: [play(length=100.123455), play(length=100.12345, sessionId=2)]},
        songs=[song("SO1", duration=100.12346)],
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", "SO1", "AR1", 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "Porto", "Firefox", NOV_1),
            ],
            "songs": [("SO1", "Jóga", "AR1", 1997, Decimal("100.12346"))],
        },
    ),
    Example(
        "null matches nothing, not even null",
        events={
            NOV_1: [play(song=None), play(artist=None, sessionId=2), play(length=None, sessionId=3)],
        },
        songs=[song("SO1", title=None), song("SO2", artist_name=None), song("SO3", duration=None)],
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "Porto", "Firefox", NOV_1),
                (PLAY_3, at(0), 7, "free", None, None, 3, "Porto", "Firefox", NOV_1),
            ]
        },
    ),
    Example(
        "a play without a user is a play",
        events={NOV_1: [play(userId="")]},
        expected={
            "songplays": [(ID["1|0|1541030400000|"], at(0), None, "free", None, None, 1, "Porto", "Firefox", NOV_1)],
            "users": [],
            "time": [(at(0), 0, 1, 44, 11, 2018, 3)],
        },
    ),
]

USERS = [
    Example(
        "names and level are those of the latest event by time, whichever date's file it is in",
        events={
            NOV_1: [event(ts=AT + 2 * DAY, level="paid", lastName="Sousa")],
            NOV_2: [event(ts=AT + DAY, level="free")],
        },
        expected={"users": [(7, "Ana", "Sousa", "F", "paid", at(0, day=3))]},
    ),
    Example(
        "of a user's events at one time the higher item in session is the latest",
        events={
            NOV_1: [
                event(itemInSession=9, sessionId=9, level="free"),
                event(itemInSession=10, sessionId=1, level="paid"),
                event(itemInSession=None, sessionId=10, level="free"),
            ]
        },
        expected={"users": [(7, "Ana", "Lima", "F", "paid", at(0))]},
    ),
    Example(
        "of a user's events at one time and place in session the higher session is the latest",
        events={
            NOV_1: [
                event(sessionId=10, level="paid"),
                event(sessionId=9, level="free"),
                event(sessionId=None, level="free"),
            ]
        },
        expected={"users": [(7, "Ana", "Lima", "F", "paid", at(0))]},
    ),
    Example(
        "an event without a time is before every other",
        events={
            NOV_1: [
                event(ts=None, itemInSession=5, level="paid"),
                event(ts=946_684_800_000, level="free"),
                event(userId="8", ts=None, level="paid"),
            ]
        },
        expected={
            "users": [
                (7, "Ana", "Lima", "F", "free", utc("2000-01-01")),
                (8, "Ana", "Lima", "F", "paid", None),
            ]
        },
    ),
    Example(
        "what the latest event leaves out is null",
        events={NOV_1: [event(), event(ts=AT + 1, level=None, lastName=None)]},
        expected={"users": [(7, "Ana", None, "F", None, at(0, ms=1))]},
    ),
    Example(
        "a user who never plays is a user, and one who is not signed in is none",
        events={
            NOV_1: [
                event(page="Help"),
                event(userId="", sessionId=2, auth="Logged Out", firstName=None),
                event(userId="  ", sessionId=3, auth="Logged Out"),
                event(userId=None, sessionId=4, auth="Logged Out"),
            ]
        },
        expected={"songplays": [], "users": [ANA], "time": []},
    ),
    Example(
        "a user id is a number, given as a number or as text",
        events={NOV_1: [event(userId="39"), event(userId=39, ts=AT + MINUTE, level="paid")]},
        expected={"users": [(39, "Ana", "Lima", "F", "paid", at(0, 1))]},
    ),
]

SONGS = [
    Example(
        "a song delivered twice alike is one song",
        events={NOV_1: []},
        songs=[song("SO1"), song("SO1")],
        expected={
            "staging_songs": [
                (1, "AR1", None, None, "", "Björk", "SO1", "Jóga", Decimal("305.5"), 1997),
                (1, "AR1", None, None, "", "Björk", "SO1", "Jóga", Decimal("305.5"), 1997),
            ],
            "songs": [("SO1", "Jóga", "AR1", 1997, Decimal("305.5"))],
            "artists": [("AR1", "Björk", None, None, None)],
        },
    ),
    Example(
        "of a song delivered twice with other content the smallest row is the song everywhere",
        events={NOV_1: [play(), play(song="Hunter", sessionId=2)]},
        songs=[
            song("SO1", artist_id="AR2", artist_name="The Sugarcubes", year=2020),
            song("SO1", artist_id="AR1", title="Hunter"),
            song("SO1", artist_id=None, year=1900),
        ],
        expected={
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", "SO1", "AR1", 2, "Porto", "Firefox", NOV_1),
            ],
            "songs": [("SO1", "Hunter", "AR1", 1997, Decimal("305.5"))],
            "artists": [("AR1", "Björk", None, None, None)],
        },
    ),
    Example(
        "songs without a song id are nobody's",
        events={NOV_1: [play()]},
        songs=[song(None)],
        expected={
            "staging_songs": [(1, "AR1", None, None, "", "Björk", None, "Jóga", Decimal("305.5"), 1997)],
            "songplays": [(PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1)],
            "songs": [],
            "artists": [],
        },
    ),
    Example(
        "a song without a title, an artist or a duration above 0 stays in staging and out of the star",
        events={
            NOV_1: [
                play(),
                play(song=" ", sessionId=2),
                play(length=0, sessionId=3),
                play(length=-305.5, sessionId=3, itemInSession=1),
            ]
        },
        songs=[
            song("SO1", title=None),
            song("SO2", title="  "),
            song("SO3", artist_id=None),
            song("SO4", artist_id=" "),
            song("SO5", duration=0),
            song("SO6", duration=-305.5),
            song("SO7", duration=None),
        ],
        expected={
            "staging_songs": [
                (1, "AR1", None, None, "", "Björk", "SO1", None, Decimal("305.5"), 1997),
                (1, "AR1", None, None, "", "Björk", "SO2", "  ", Decimal("305.5"), 1997),
                (1, None, None, None, "", "Björk", "SO3", "Jóga", Decimal("305.5"), 1997),
                (1, " ", None, None, "", "Björk", "SO4", "Jóga", Decimal("305.5"), 1997),
                (1, "AR1", None, None, "", "Björk", "SO5", "Jóga", Decimal(0), 1997),
                (1, "AR1", None, None, "", "Björk", "SO6", "Jóga", Decimal("-305.5"), 1997),
                (1, "AR1", None, None, "", "Björk", "SO7", "Jóga", None, 1997),
            ],
            "songplays": [
                (PLAY, at(0), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (PLAY_2, at(0), 7, "free", None, None, 2, "Porto", "Firefox", NOV_1),
                (PLAY_3, at(0), 7, "free", None, None, 3, "Porto", "Firefox", NOV_1),
                (ID["3|1|1541030400000|7"], at(0), 7, "free", None, None, 3, "Porto", "Firefox", NOV_1),
            ],
            "songs": [],
            "artists": [],
        },
    ),
    Example(
        "a delivery of a song that stays out of the star leaves the song's other delivery in it",
        events={NOV_1: [play()]},
        songs=[song("SO1", duration=0, artist_location="Nowhere"), song("SO1"), song("SO2", year=2005, title="")],
        expected={
            "songplays": [(PLAY, at(0), 7, "free", "SO1", "AR1", 1, "Porto", "Firefox", NOV_1)],
            "songs": [("SO1", "Jóga", "AR1", 1997, Decimal("305.5"))],
            "artists": [("AR1", "Björk", None, None, None)],
        },
    ),
    Example(
        "an artist's attributes are those of the song of the latest year that has them",
        events={NOV_1: []},
        songs=[
            song("SO1", year=1990, artist_name="Bj", artist_latitude=64.5, artist_longitude=-21.5),
            song("SO2", year=1995, artist_name="Björk", artist_location="Reykjavík"),
            song("SO3", year=2000, artist_name="", artist_location="   "),
            song("SO4", year=2005, artist_name=None, artist_location=None),
        ],
        expected={"artists": [("AR1", "Björk", "Reykjavík", 64.5, -21.5)]},
    ),
    Example(
        "latitude and longitude are one attribute: a song with one of them has neither",
        events={NOV_1: []},
        songs=[
            song("SO1", year=1990, artist_latitude=0, artist_longitude=0.000199),
            song("SO2", year=2000, artist_latitude=1.5),
            song("SO3", year=2005, artist_longitude=2.5),
        ],
        expected={"artists": [("AR1", "Björk", None, 0.0, 0.000199)]},
    ),
    Example(
        "of an artist's songs of one year the smallest song id is asked first, a song without a year last",
        events={NOV_1: []},
        songs=[
            song("SO3", year=None, artist_name="last"),
            song("SO2", year=0, artist_name="later", artist_location="later"),
            song("SO1", year=0, artist_name="first", artist_location=""),
        ],
        expected={"artists": [("AR1", "first", "later", None, None)]},
    ),
    Example(
        "an artist of whom nothing is known is an artist",
        events={NOV_1: []},
        songs=[song("SO1", artist_name=" ", artist_location="")],
        expected={"artists": [("AR1", None, None, None, None)]},
    ),
]

TIMES = [
    Example(
        "plays at one millisecond share a time, and a millisecond apart they do not",
        events={
            NOV_1: [play(ts=AT + 796), play(ts=AT + 796, userId="8"), play(ts=AT + 797), event(ts=AT + 5)],
        },
        expected={
            "time": [
                (at(0, ms=796), 0, 1, 44, 11, 2018, 3),
                (at(0, ms=797), 0, 1, 44, 11, 2018, 3),
            ]
        },
    ),
    Example(
        "a weekday is 0 on Monday and 6 on Sunday",
        events={NOV_1: [play(ts=AT + (day - 1) * DAY + 13 * 60 * MINUTE) for day in range(5, 12)]},
        expected={
            "time": [
                (at(13, day=5), 13, 5, 45, 11, 2018, 0),
                (at(13, day=6), 13, 6, 45, 11, 2018, 1),
                (at(13, day=7), 13, 7, 45, 11, 2018, 2),
                (at(13, day=8), 13, 8, 45, 11, 2018, 3),
                (at(13, day=9), 13, 9, 45, 11, 2018, 4),
                (at(13, day=10), 13, 10, 45, 11, 2018, 5),
                (at(13, day=11), 13, 11, 45, 11, 2018, 6),
            ]
        },
    ),
    Example(
        "a week is the ISO week, which at a year's end may belong to the other year",
        events={
            NOV_1: [
                play(ts=1_546_214_400_000),
                play(ts=1_451_606_400_000),
                play(ts=1_609_718_399_999),
            ]
        },
        expected={
            "time": [
                (utc("2018-12-31"), 0, 31, 1, 12, 2018, 0),
                (utc("2016-01-01"), 0, 1, 53, 1, 2016, 4),
                (utc("2021-01-03 23:59:59.999"), 23, 3, 53, 1, 2021, 6),
            ]
        },
    ),
    Example(
        "the first and the last time that an event may have",
        events={NOV_1: [play(ts=946_684_800_000), play(ts=4_102_444_799_999)]},
        expected={
            "songplays": [
                (ID["1|0|946684800000|7"], utc("2000-01-01"), 7, "free", None, None, 1, "Porto", "Firefox", NOV_1),
                (
                    *(ID["1|0|4102444799999|7"], utc("2099-12-31 23:59:59.999"), 7, "free"),
                    *(None, None, 1, "Porto", "Firefox", NOV_1),
                ),
            ],
            "time": [
                (utc("2000-01-01"), 0, 1, 52, 1, 2000, 5),
                (utc("2099-12-31 23:59:59.999"), 23, 31, 53, 12, 2099, 3),
            ],
        },
    ),
    Example(
        "times are UTC and know no summer time",
        events={NOV_1: [play(ts=1_540_690_200_000), play(ts=1_540_693_800_000)]},
        expected={
            "time": [
                (utc("2018-10-28 01:30"), 1, 28, 43, 10, 2018, 6),
                (utc("2018-10-28 02:30"), 2, 28, 43, 10, 2018, 6),
            ]
        },
    ),
]

STAGING = [
    Example(
        "text is kept byte for byte, empty text too",
        events={
            NOV_1: [
                play(
                    artist=" Sigur Rós  ",
                    song='Tab\there, "quotes", back\\slash, line\nbreak, 😀',
                    location="",
                    firstName="ÃƒÂ©",
                    lastName=" ",
                    gender=None,
                )
            ]
        },
        expected={
            "staging_events": [
                (
                    *(" Sigur Rós  ", "Logged In", "ÃƒÂ©", None, 0, " ", Decimal("305.5"), "free", "", "PUT"),
                    *("NextSong", 1540000000000.0, 1, 'Tab\there, "quotes", back\\slash, line\nbreak, 😀'),
                    *(200, AT, "Firefox", 7, NOV_1),
                )
            ],
            "users": [(7, "ÃƒÂ©", " ", None, "free", at(0))],
        },
    ),
    Example(
        "blank text is null in a column of numbers, and a key left out is null everywhere",
        events={NOV_1: [{"userId": " ", "length": "", "ts": "", "page": "About"}]},
        expected={
            "staging_events": [(*[None] * 10, "About", *[None] * 7, NOV_1)],
            "songplays": [],
            "users": [],
        },
    ),
    Example(
        "numbers given as text are numbers",
        events={NOV_1: [play(length="305.5", ts=str(AT), sessionId="12", registration="1.5")]},
        songs=[song("SO1", duration="305.50000", year="1997")],
        expected={
            "staging_events": [
                (
                    *("Björk", "Logged In", "Ana", "F", 0, "Lima", Decimal("305.5"), "free", "Porto", "PUT"),
                    *("NextSong", 1.5, 12, "Jóga", 200, AT, "Firefox", 7, NOV_1),
                )
            ],
            "songplays": [(ID["12|0|1541030400000|7"], at(0), 7, "free", "SO1", "AR1", 12, "Porto", "Firefox", NOV_1)],
            "songs": [("SO1", "Jóga", "AR1", 1997, Decimal("305.5"))],
        },
    ),
]

DATES = [
    Example(
        "an event of another day than its file's keeps its own time and its file's log date",
        events={
            NOV_1: [play(ts=AT + DAY + 30_000, itemInSession=1)],
            NOV_2: [play(ts=AT - 1)],
        },
        expected={
            "songplays": [
                (
                    ID["1|1|1541116830000|7"],
                    at(0, 0, 30, day=2),
                    7,
                    "free",
                    None,
                    None,
                    1,
                    "Porto",
                    "Firefox",
                    NOV_1,
                ),
                (
                    *(ID["1|0|1541030399999|7"], utc("2018-10-31 23:59:59.999"), 7, "free"),
                    *(None, None, 1, "Porto", "Firefox", NOV_2),
                ),
            ],
            "time": [
                (at(0, 0, 30, day=2), 0, 2, 44, 11, 2018, 4),
                (utc("2018-10-31 23:59:59.999"), 23, 31, 44, 10, 2018, 2),
            ],
        },
    ),
    Example(
        "an empty file is an empty day",
        events={NOV_1: [], NOV_2: [event()]},
        expected={"songplays": [], "users": [ANA], "time": []},
    ),
    Example(
        "no file at all leaves every table empty",
        events={},
        expected={
            "staging_events": [],
            "staging_songs": [],
            "songplays": [],
            "users": [],
            "songs": [],
            "artists": [],
            "time": [],
        },
    ),
]

EXAMPLES = [*IDENTITY, *PLAYS, *USERS, *SONGS, *TIMES, *STAGING, *DATES]
