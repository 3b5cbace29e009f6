"""The tables of Sparkify, each declared once: its key, its queue, and the tables that follow it."""

from __future__ import annotations

from sparkify.loading.declarations import DerivedTable, Follower, StagingTable
from sparkify.loading.source_files import Catalogue, DatedFiles

EVENT_FILES = DatedFiles(
    "log_data/{log_date:%Y/%m}/{log_date}-events.json",
    parts="log_data/{log_date:%Y/%m}/{log_date}-events-*.json",
)
SONG_FILES = Catalogue("song_data/")

TIME = DerivedTable(
    "time",
    key="start_time",
    queue={"start_time": "timestamp"},
    bounds=("start_time",),
    sorted_by="start_time",
)
USERS = DerivedTable(
    "users",
    key="user_id",
    queue={"user_id": "integer"},
    bounds=("ts",),
    newest="last_seen_at",
)
SONGS = DerivedTable("songs", key="song_id", queue={"song_id": "varchar(64)"})
ARTISTS = DerivedTable("artists", key="artist_id", queue={"artist_id": "varchar(64)"})
SONGPLAYS = DerivedTable(
    "songplays",
    key="songplay_id",
    # What identifies an event: the songplay_id follows from it.
    queue={"session_id": "bigint", "item_in_session": "integer", "ts": "bigint", "user_id": "integer"},
    bounds=("ts", "start_time"),
    sorted_by="start_time",
    partition="log_date",
    followers=(Follower(TIME),),
)

STAGING_EVENTS = StagingTable("staging_events", EVENT_FILES, followers=(Follower(SONGPLAYS), Follower(USERS)))
STAGING_SONGS = StagingTable(
    "staging_songs",
    SONG_FILES,
    followers=(
        Follower(SONGPLAYS, "queue/songplays_of_songs.sql"),
        Follower(SONGS),
        Follower(ARTISTS, "queue/artists_of_songs.sql"),
    ),
)

STAGING = (STAGING_EVENTS, STAGING_SONGS)
STAR = (SONGPLAYS, USERS, SONGS, ARTISTS, TIME)


def is_source_file(key: str) -> bool:
    """Whether a key of the source bucket is that of a file that some load reads."""
    return any(table.source.is_file(key) for table in STAGING)


def schema_statements() -> list[str]:
    """The statements that create the mutexes and queues of all tables."""
    return [statement for table in (*STAGING, *STAR) for statement in table.ddl()]
