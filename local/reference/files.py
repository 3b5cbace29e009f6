"""Finds the source files, and the log date of each."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from local.reference.records import LeftOut, read_events, read_songs
from local.reference.tables import StagedEvent, StagedSong

_LOG_FILE = re.compile(
    r"log_data/(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/"
    r"(?P<date>(?P=year)-(?P=month)-[0-9]{2})-events(?:-[^/]*)?\.json(?P<gzip>\.gz)?"
)
# A name that begins otherwise is that of a hidden file or folder, which holds no songs.
_SONG_FILE = re.compile(r"song_data(?:/[^/._#][^/]*|/)*/[^/._#][^/]*\.json(?P<gzip>\.gz)?")


def read_log_files(
    source: Path | str | Mapping[str, bytes], left_out: LeftOut | None = None
) -> dict[date, list[StagedEvent]]:
    """The events of every log date that has a file; a date with only empty files has an empty list.

    :param source: the folder that holds ``log_data``, or a mapping of keys (``log_data/2018/11/…``) to
        the files' bytes.
    :param left_out: takes the records COPY could not load, which are then left out.
    :raises UnreadableRecordError: naming file, line and field of the first record COPY could not load, if
        there is no *left_out*.
    """
    events: dict[date, list[StagedEvent]] = {}
    for name, data in _files(source, "log_data"):
        match = _LOG_FILE.fullmatch(name)
        log_date = _date(match["date"]) if match else None
        if match is None or log_date is None:
            continue
        content = _decompressed(data, name) if match["gzip"] else data
        events.setdefault(log_date, []).extend(read_events(content, name, log_date, left_out))
    return dict(sorted(events.items()))


def read_song_files(source: Path | str | Mapping[str, bytes], left_out: LeftOut | None = None) -> list[StagedSong]:
    """The songs of every song file.

    :param source: the folder that holds ``song_data``, or a mapping of keys (``song_data/A/B/C/…``) to
        the files' bytes.
    :param left_out: takes the records COPY could not load, which are then left out.
    :raises UnreadableRecordError: naming file, line and field of the first record COPY could not load, if
        there is no *left_out*.
    """
    songs: list[StagedSong] = []
    for name, data in _files(source, "song_data"):
        match = _SONG_FILE.fullmatch(name)
        if match is not None:
            songs += read_songs(_decompressed(data, name) if match["gzip"] else data, name, left_out)
    return songs


def _files(source: Path | str | Mapping[str, bytes], top: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(source, Mapping):
        yield from sorted(source.items())
        return
    folder = Path(source)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Give the folder that holds {top}.")
    for path in sorted((folder / top).rglob("*.json*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _decompressed(data: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} cannot be decompressed ({error}). A file named .gz must be gzip: deliver it again."
        ) from None
