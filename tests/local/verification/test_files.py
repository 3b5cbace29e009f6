from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from local.errors import LocalStackError
from local.verification.files import SourceRows, read

ITEM = "itemInSession"
DAY = "log_data/2018/11/2018-11-01-events"


def read_files(folder: Path, files: dict[str, bytes], *, skip: bool = True) -> SourceRows:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return read(folder, skip, lambda _done, _total: None)


def events(*items: object) -> bytes:
    return b"\n".join(json.dumps({"itemInSession": item}).encode() for item in items)


def staged(rows: SourceRows) -> list[int | None]:
    return [event.item_in_session for event in rows.events[date(2018, 11, 1)]]


def left_out(rows: SourceRows) -> list[tuple[str, int, str | None]]:
    return [(error.file, error.line, error.field) for error in rows.left_out]


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_every_unreadable_line_is_left_out_under_its_own_number(suffix: str, tmp_path: Path) -> None:
    lines = b"\n".join([events(1, "x", 2), b"no json", b'{"itemInSession": 3', events("y", 4)])
    rows = read_files(tmp_path, {f"{DAY}{suffix}": gzip.compress(lines) if suffix.endswith(".gz") else lines})
    name = f"{DAY}{suffix}"
    assert staged(rows) == [1, 2, 4]
    assert left_out(rows) == [(name, 2, ITEM), (name, 4, None), (name, 5, None), (name, 6, ITEM)]


def test_the_parts_of_a_date_are_joined(tmp_path: Path) -> None:
    rows = read_files(tmp_path, {f"{DAY}-1.json": events(1), f"{DAY}-2.json.gz": gzip.compress(events(2))})
    assert staged(rows) == [1, 2]
    assert rows.left_out == []


def test_a_song_over_several_lines_is_left_out_as_one_record(tmp_path: Path) -> None:
    bad = json.dumps({"song_id": "SOBAD", "title": "T", "year": "x"}, indent=1).encode()
    good = json.dumps({"song_id": "SOGOOD", "year": 1}, indent=1).encode()
    rows = read_files(tmp_path, {"song_data/A/TRA.json": bad + b"\n" + good})
    assert [song.song_id for song in rows.songs] == ["SOGOOD"]
    assert left_out(rows) == [("song_data/A/TRA.json", 1, "year")]


def test_a_date_of_unreadable_lines_only_is_an_empty_date(tmp_path: Path) -> None:
    assert staged(read_files(tmp_path, {f"{DAY}.json": b"no json"})) == []


def test_a_folder_with_one_of_the_two_is_read(tmp_path: Path) -> None:
    assert read_files(tmp_path, {f"{DAY}.json": events(1)}, skip=False).songs == []


def test_a_file_that_is_not_gzip_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="A file named .gz must be gzip"):
        read_files(tmp_path, {f"{DAY}.json.gz": b"plain"})
