"""Which objects of the source bucket are source files: the one rule that everything which looks for them follows."""

from __future__ import annotations

import re
from datetime import date

_LOG_FILE = re.compile(
    r"log_data/(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/"
    r"(?P<log_date>(?P=year)-(?P=month)-[0-9]{2})-events(-[^/]*)?\.json(\.gz)?"
)
_SONG_FILE = re.compile(r"song_data/.*\.json(\.gz)?", re.DOTALL)
# As Redshift Spectrum passes over them. macOS and Jupyter begin names with a period, Spark with an underscore.
# https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
_HIDDEN = (".", "_", "#")


def is_source_file(key: str) -> bool:
    """Whether the key is that of an event file or of a song file."""
    return log_date_of(key) is not None or is_song_file(key)


def log_date_of(key: str) -> date | None:
    """The log date of an event file, or of a part of one; None if the key is not that of an event file."""
    match = _LOG_FILE.fullmatch(key)
    if match is None:
        return None
    try:
        return date.fromisoformat(match["log_date"])
    except ValueError:
        return None


def is_song_file(key: str) -> bool:
    """Whether the key is that of a song file."""
    return _SONG_FILE.fullmatch(key) is not None and not is_hidden(key)


def is_hidden(key: str) -> bool:
    """Whether the file, or a folder that it is in, has a name that programs give to files of their own."""
    return any(name.startswith(_HIDDEN) for name in key.split("/"))
