"""The tables of Sparkify, each declared once: its key, its queue, and the tables that follow it."""

from __future__ import annotations

from sparkify.loading.declarations import DerivedTable, Follower, StagingTable, columns_of
from sparkify.loading.source_files import Catalogue, DatedFiles

EVENT_FILES = DatedFiles(
    "log_data/{log_date:%Y/%m}/{log_date}-events.json",
    parts="log_data/{log_date:%Y/%m}/{log_date}-events-*.json",
)
SONG_FILES = Catalogue("song_data/")
# A song that comes late meets plays of many days, few of each.
DAYS = {"ts": "ts / 86400000", "start_time": "date_trunc('day', start_time)"}

TIME = DerivedTable(
    "time",
    about="One row a start time of a play, in UTC, with its parts.",
    key="start_time",
    queue={"start_time": "timestamp"},
    bounds=("start_time",),
    buckets=DAYS,
    sorted_by="start_time",
    columns=columns_of("songplays", "start_time")
    | columns_of("songplays", **dict.fromkeys(("hour", "day", "week", "month", "year", "weekday"), "start_time")),
)
USERS = DerivedTable(
    "users",
    about="One row a signed-in user, as of the user's latest event by time, whatever the order of loads.",
    key="user_id",
    queue={"user_id": "integer"},
    bounds=("ts",),
    newest="last_seen_at",
    columns=columns_of("staging_events", "user_id", "first_name", "last_name", "gender", "level", last_seen_at="ts"),
    personal=("first_name", "last_name"),
)
SONGS = DerivedTable(
    "songs",
    about="One row a song of the catalogue.",
    key="song_id",
    queue={"song_id": "varchar(64)"},
    columns=columns_of("staging_songs", "song_id", "title", "artist_id", "year", "duration"),
)
ARTISTS = DerivedTable(
    "artists",
    about="One row an artist, each attribute from the artist's latest song that has it.",
    key="artist_id",
    queue={"artist_id": "varchar(64)"},
    columns=columns_of(
        "staging_songs",
        "artist_id",
        name="artist_name",
        location="artist_location",
        latitude="artist_latitude",
        longitude="artist_longitude",
    ),
)
SONGPLAYS = DerivedTable(
    "songplays",
    about="One row for each event with page NextSong, with its song where title, artist and duration match.",
    key="songplay_id",
    # What identifies an event: the songplay_id follows from it.
    queue={"session_id": "bigint", "item_in_session": "integer", "ts": "bigint", "user_id": "integer"},
    bounds=("ts", "start_time"),
    buckets=DAYS,
    sorted_by="start_time",
    partition="log_date",
    followers=(Follower(TIME, "queue/times_of_songplays.sql"),),
    columns=columns_of(
        "staging_events",
        "user_id",
        "level",
        "session_id",
        "location",
        "user_agent",
        "log_date",
        songplay_id="session_id item_in_session ts user_id",
        start_time="ts",
    )
    | columns_of("staging_songs", "song_id", "artist_id"),
    personal=("location", "user_agent"),
)

STAGING_EVENTS = StagingTable("staging_events", EVENT_FILES, followers=(Follower(SONGPLAYS), Follower(USERS)))
STAGING_SONGS = StagingTable(
    "staging_songs",
    SONG_FILES,
    followers=(
        Follower(SONGPLAYS, "queue/songplays_of_songs.sql", values="queue/lengths_of_songs.sql"),
        Follower(SONGS),
        Follower(ARTISTS, "queue/artists_of_songs.sql"),
    ),
)

STAGING = (STAGING_EVENTS, STAGING_SONGS)
STAR = (SONGPLAYS, USERS, SONGS, ARTISTS, TIME)


def dated_tables() -> list[str]:
    """The names of the tables that every load of a log date writes: those that follow dated files."""
    found: list[str] = []
    waiting: list[StagingTable | DerivedTable] = [table for table in STAGING if isinstance(table.source, DatedFiles)]
    while waiting:
        table = waiting.pop(0)
        found.append(table.name)
        waiting += [follower.table for follower in table.followers if follower.table.name not in found]
    return found


def is_source_file(key: str) -> bool:
    """Whether a key of the source bucket is that of a file that some load reads."""
    return any(table.source.is_file(key) for table in STAGING)


def schema_statements() -> list[str]:
    """The statements that create the mutexes and queues of all tables."""
    return [statement for table in (*STAGING, *STAR) for statement in table.ddl()]
