"""Made-up days of events: as files to be loaded, and as the tables that loading them would have left.

A day is a function of its number, worked out by one SELECT, so that both are of the same events. A thousand days by
way of files would take hours; in the database they take minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import jinja2
import psycopg
from psycopg import sql

from benchmarks import PROJECT

INCLUDE = PROJECT / "include"
FIRST = date(2016, 1, 1)
EVENTS_A_SESSION = 20
SONGS = 1_000
ARTISTS = 300
# The plays are spread over these many times as many songs as the catalogue knows: one play in ten finds its song.
SONGS_PLAYED = 10 * SONGS
TABLES = ("staging_events", "staged_dates", "songplays", "users", "time")

# Every event is a play, and has a time of its own, as nearly all have in reality.
_EVENTS = """
select
    'Artist ' || song_number % {artists} as artist,
    'Logged In' as auth,
    'First ' || user_id as first_name,
    case when user_id % 2 = 0 then 'F' else 'M' end as gender,
    item_in_session,
    'Last ' || user_id as last_name,
    (180 + song_number % 100 + 0.12345)::numeric(10, 5) as length,
    case when (user_id + day / 30) % 4 = 0 then 'paid' else 'free' end as level,
    'San Francisco-Oakland-Hayward, CA ' || user_id % 90 as location,
    'PUT' as method,
    'NextSong' as page,
    1540919166796.0::double precision + user_id as registration,
    session_id,
    'Song ' || song_number as song,
    200 as status,
    extract(epoch from {first}::date + day)::bigint * 1000 + number * (86400000 / {events}) + day % 1000 as ts,
    '"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Version/' || user_id % 40 || '"'
        as user_agent,
    user_id,
    {first}::date + day as log_date
from (
    select
        *,
        1 + (session_id * 7919 % {users})::integer as user_id,
        (number * 31 + day) % {songs_played} as song_number
    from (
        select
            day,
            number,
            day::bigint * {sessions} + number % {sessions} as session_id,
            number / {sessions} as item_in_session
        from (
            select (i / {events})::integer as day, (i % {events})::integer as number
            from generate_series({from_day}::bigint * {events}, {to_day}::bigint * {events} - 1) as series(i)
        ) as numbers
    ) as sessions
) as plays
"""

_STAGED_DATES = """
insert into staged_dates (table_name, log_date, files, lines_read)
select 'staging_events', log_date, 1, count(*)
from staging_events
group by log_date
"""

_SONGPLAYS = """
insert into songplays
select
    {{ events.songplay_id() }},
    {{ events.start_time() }},
    user_id, level, songs.song_id, songs.artist_id, session_id, location, user_agent, log_date
from staging_events
left join songs on staging_events.song = songs.title and staging_events.length = songs.duration
"""

_USERS = """
insert into users
select user_id, first_name, last_name, gender, level, {{ events.start_time() }}
from (
    select distinct on (user_id) staging_events.*
    from staging_events
    inner join (
        select user_id as latest_user, max(ts) as latest_ts from staging_events group by user_id
    ) as latest on user_id = latest_user and ts = latest_ts
    order by user_id, item_in_session desc, session_id desc
) as latest_events
"""


@dataclass(frozen=True)
class Days:
    """Days of ``events_per_day`` events each, numbered from 0.

    :param dsn: the warehouse's database as its administrator, past the stand-in.
    :param users: how many users there are; each plays in sessions of some twenty events.
    """

    dsn: str
    events_per_day: int
    users: int = 10_000

    def log_date(self, day: int) -> date:
        """The log date of a day."""
        return FIRST + timedelta(day)

    def file(self, day: int) -> dict[str, bytes]:
        """A day's file, as the player would have written it, by its key."""
        paths = json.loads((INCLUDE / "jsonpaths" / "log_events.json").read_text())["jsonpaths"]
        fields = [path.removeprefix("$['").removesuffix("']") for path in paths]
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(self._events(day, day + 1)).fetchall()
        # log_date comes last, and is in the file's name instead.
        lines = (json.dumps(dict(zip(fields, row[:-1], strict=True)), default=str) for row in rows)
        log_date = self.log_date(day)
        return {f"log_data/{log_date:%Y/%m}/{log_date}-events.json": "\n".join(lines).encode()}

    def catalogue(self, first: int = 0, count: int = SONGS) -> dict[str, bytes]:
        """A file of ``count`` songs from number ``first`` on, by its key."""
        songs = (
            {
                "num_songs": 1,
                "artist_id": f"AR{number % ARTISTS:05}",
                "artist_latitude": 37.5,
                "artist_longitude": -122.25,
                "artist_location": "San Francisco",
                "artist_name": f"Artist {number % ARTISTS}",
                "song_id": f"SO{number:05}",
                "title": f"Song {number}",
                "duration": 180 + number % 100 + 0.12345,
                "year": 1990 + number % 30,
            }
            for number in range(first, first + count)
        )
        return {f"song_data/A/A/A/TRAAAAA{first}.json": "\n".join(map(json.dumps, songs)).encode()}

    def fill(self, schema: str, days: int, tell: Callable[[str], None] = lambda _: None) -> None:
        """Put the first ``days`` days into the schema's tables, which hold the catalogue and no events yet."""
        with psycopg.connect(self.dsn) as connection:
            self._enter(connection, schema)
            # In the transaction of the TRUNCATE the rows need not also go through PostgreSQL's log.
            connection.execute(_text(f"truncate {', '.join(TABLES)}"))
            tell("staging_events")
            connection.execute(sql.SQL("insert into staging_events {}").format(self._events(0, days)))
            connection.execute(_text(_STAGED_DATES))
            tell("songplays")
            connection.execute(_text(_rendered(_SONGPLAYS)))
            tell("users")
            connection.execute(_text(_rendered(_USERS)))
            tell("time")
            connection.execute(_text("create temp table keys on commit drop as select start_time from songplays"))
            bounds = {"start_time": "1 = 1"}
            select = _rendered((INCLUDE / "sql" / "dimensions" / "time.sql").read_text(), bounds=bounds)
            connection.execute(_text(f"insert into time {select}"))
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            self._enter(connection, schema)
            tell("vacuum")
            # It also summarises the zone maps. The checkpoint is for the measurements' sake: none falls into them.
            connection.execute(_text(f"vacuum (analyze) {', '.join(TABLES)}"))
            connection.execute("checkpoint")

    def _enter(self, connection: psycopg.Connection[Any], schema: str) -> None:
        connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))

    def _events(self, from_day: int, to_day: int) -> sql.Composed:
        return sql.SQL(_EVENTS).format(
            artists=sql.Literal(ARTISTS),
            events=sql.Literal(self.events_per_day),
            first=sql.Literal(str(FIRST)),
            from_day=sql.Literal(from_day),
            sessions=sql.Literal(max(1, self.events_per_day // EVENTS_A_SESSION)),
            songs_played=sql.Literal(SONGS_PLAYED),
            to_day=sql.Literal(to_day),
            users=sql.Literal(self.users),
        )


def _rendered(template: str, **names: object) -> str:
    """The template with the project's own macros, so that a key is made here as it is made by a load."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(INCLUDE / "sql"), autoescape=False)  # noqa: S701
    text = environment.from_string('{% import "macros/events.sql" as events %}' + template).render(**names)
    # The stand-in would put quotes around the name of a part; this goes past it.
    return re.sub(r"dateadd\(\s*ms,", "redshift_compat.dateadd('millisecond',", text)


def _text(statement: str) -> sql.SQL:
    return sql.SQL(statement)
