"""Reads the rows of a folder of source files, and leaves unreadable records out if asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from local.errors import LocalStackError
from local.reference import StagedEvent, StagedSong, UnreadableRecordError, read_log_files, read_song_files
from local.seeding import SOURCE_FOLDERS
from sparkify.tables import is_source_file


@dataclass
class SourceRows:
    """What the files hold."""

    events: dict[date, list[StagedEvent]] = field(default_factory=dict)
    songs: list[StagedSong] = field(default_factory=list)
    left_out: list[UnreadableRecordError] = field(default_factory=list)


def read(folder: Path, skip_unreadable: bool, progress: Callable[[int, int], None]) -> SourceRows:
    """Read the log_data and the song_data of *folder*, whichever it has.

    :param skip_unreadable: leave out the records that COPY could not load, instead of ending with the first.
    :param progress: gets how many of how many files are done.
    """
    present = [name for name in SOURCE_FOLDERS if (folder / name).is_dir()]
    if not present:
        raise LocalStackError(
            f"{folder} holds neither a folder log_data nor a folder song_data, so there is nothing to compare with. "
            "Give the folder that holds them."
        )
    paths = {
        path.relative_to(folder).as_posix(): path
        for name in present
        for path in sorted((folder / name).rglob("*.json*"))
        if path.is_file()
    }
    files = {name: path for name, path in paths.items() if is_source_file(name)}
    rows = SourceRows()
    for done, (name, path) in enumerate(files.items(), start=1):
        data = path.read_bytes()
        try:
            left_out = rows.left_out if skip_unreadable else None
            for log_date, of_date in read_log_files({name: data}, left_out).items():
                rows.events.setdefault(log_date, []).extend(of_date)
            rows.songs += read_song_files({name: data}, left_out)
        except UnreadableRecordError as error:
            raise LocalStackError(
                f"{str(error).removesuffix('.')}, or give --skip-unreadable to compare the others."
            ) from error
        except ValueError as error:
            raise LocalStackError(str(error)) from error
        progress(done, len(files))
    return rows
