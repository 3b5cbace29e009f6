"""The rows of a folder of source files, leaving out unreadable records if that is wanted."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from local.errors import LocalStackError
from local.reference import StagedEvent, StagedSong, UnreadableRecordError, read_log_files, read_song_files
from local.seeding import SOURCE_FOLDERS
from sparkify.loading.source_files import is_source_file


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
            pieces = _readable_pieces(name, data, rows.left_out) if skip_unreadable else [_parsed(name, data)]
            for events, songs in pieces:
                for log_date, of_date in events.items():
                    rows.events.setdefault(log_date, []).extend(of_date)
                rows.songs += songs
        except UnreadableRecordError as error:
            raise LocalStackError(
                f"{str(error).removesuffix('.')}, or give --skip-unreadable to compare the others."
            ) from error
        except ValueError as error:
            raise LocalStackError(str(error)) from error
        progress(done, len(files))
    return rows


def _parsed(name: str, data: bytes) -> tuple[dict[date, list[StagedEvent]], list[StagedSong]]:
    return read_log_files({name: data}), read_song_files({name: data})


def _readable_pieces(name: str, data: bytes, left_out: list[UnreadableRecordError]) -> Iterator[Any]:
    """What stands before, between and after the records that cannot be read; those go to *left_out*."""
    file, before = name, 0
    while True:
        try:
            yield _parsed(file, data)
            return
        except UnreadableRecordError as error:
            if file.endswith(".gz"):
                file, data = file.removesuffix(".gz"), gzip.decompress(data)
            left_out.append(UnreadableRecordError(name, before + error.line, error.field, error.reason))
            lines = data.split(b"\n")
            end = _end_of_record(lines, error.line - 1)
            yield _parsed(file, b"\n".join(lines[: error.line - 1]))
            data, before = b"\n".join(lines[end:]), before + end


def _end_of_record(lines: list[bytes], start: int) -> int:
    """The line after the record that begins in line *start*: records may take several, as songs often do."""
    end = start + 1
    if lines[start].lstrip().startswith(b"{"):
        while end < len(lines) and not lines[end].startswith(b"{"):
            end += 1
    return end
