"""What every table must hold, worked out from the source files alone.

The reference shares nothing with the SQL: no database, no statement, no operator. It reads the files
(:mod:`~local.reference.files`), works out the tables (:mod:`~local.reference.star`) and compares them
with what a warehouse holds (:mod:`~local.reference.comparison`). Where it and the warehouse disagree,
one of them is wrong.
"""

from __future__ import annotations

from local.reference.comparison import Differences, differences
from local.reference.files import read_log_files, read_song_files
from local.reference.records import UnreadableRecordError
from local.reference.star import star_schema
from local.reference.tables import (
    COLUMNS,
    KEYS,
    ROW_TYPES,
    Artist,
    Song,
    Songplay,
    StagedEvent,
    StagedSong,
    Tables,
    Time,
    User,
)

__all__ = [
    "COLUMNS",
    "KEYS",
    "ROW_TYPES",
    "Artist",
    "Differences",
    "Song",
    "Songplay",
    "StagedEvent",
    "StagedSong",
    "Tables",
    "Time",
    "UnreadableRecordError",
    "User",
    "differences",
    "read_log_files",
    "read_song_files",
    "star_schema",
]
