"""Which files count, and for which log date."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from local.reference import read_log_files, read_song_files
from tests.examples import NOV_1, NOV_2, event, song


def log(item: int) -> bytes:
    return json.dumps(event(itemInSession=item)).encode()


def items(files: dict[str, bytes]) -> dict[date, list[int]]:
    return {
        log_date: sorted(e.item_in_session or 0 for e in events) for log_date, events in read_log_files(files).items()
    }


def test_the_parts_of_a_date_plain_and_compressed_are_one_date() -> None:
    assert items(
        {
            "log_data/2018/11/2018-11-01-events.json": log(1),
            "log_data/2018/11/2018-11-01-events-0.json": log(2) + b"\n" + log(3),
            "log_data/2018/11/2018-11-01-events-b.json.gz": gzip.compress(log(4)),
            "log_data/2018/11/2018-11-02-events.json.gz": gzip.compress(log(5)),
        }
    ) == {NOV_1: [1, 2, 3, 4], NOV_2: [5]}


@pytest.mark.parametrize(
    "key",
    [
        "log_data_bkp/2018/11/2018-11-01-events.json",
        "old/log_data/2018/11/2018-11-01-events.json",
        "log_data/2018/12/2018-11-01-events.json",
        "log_data/2018/11/2018-11-1-events.json",
        "log_data/2018/11/2018-11-31-events.json",
        "log_data/2018/11/2018-11-01-events.json.bak",
        "log_data/2018/11/2018-11-01-eventsold.json",
        "log_data/2018/11/2018-11-01-events.csv",
        "log_data/2018/11/old/2018-11-01-events.json",
        "log_data/2018/11/2018-11-01-events-a/b.json",
        "song_data/2018-11-01-events.json",
    ],
)
def test_a_file_of_another_name_or_place_is_no_log_file(key: str) -> None:
    assert items({key: log(1)}) == {}


def test_a_date_with_an_empty_file_is_a_date_without_events() -> None:
    assert items({"log_data/2018/11/2018-11-01-events.json": b""}) == {NOV_1: []}


def test_dates_are_in_order() -> None:
    names = ("2018-12-01", "2018-11-02", "2018-11-01")
    files = {f"log_data/{day[:4]}/{day[5:7]}/{day}-events.json": log(1) for day in names}
    assert [str(day) for day in read_log_files(files)] == sorted(names)


def test_song_files_lie_at_any_depth_below_song_data() -> None:
    files = {
        "song_data/A/B/C/TR1.json": json.dumps(song("SO1"), indent=1).encode(),
        "song_data/TR2.json": json.dumps(song("SO2")).encode() + b"\n" + json.dumps(song("SO3")).encode(),
        "song_data/A/TR5.json.gz": gzip.compress(json.dumps(song("SO5")).encode()),
        "song_data/A/notes.txt": b"no song",
        "song_data/A/._TR1.json": b"no song",
        "song_data_old/TR4.json": json.dumps(song("SO4")).encode(),
        "log_data/2018/11/2018-11-01-events.json": log(1),
    }
    assert [s.song_id for s in read_song_files(files)] == ["SO1", "SO5", "SO2", "SO3"]


def test_a_folder_is_read_as_the_keys_of_its_files(tmp_path: Path) -> None:
    files = {
        "log_data/2018/11/2018-11-01-events.json": log(1),
        "log_data/2018/11/2018-11-01-events-2.json.gz": gzip.compress(log(2)),
        "log_data_bkp/2018/11/2018-11-01-events.json": log(3),
        "song_data/A/A/A/TR1.json": json.dumps(song("SO1")).encode(),
    }
    for key, data in files.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert read_log_files(tmp_path) == read_log_files(files)
    assert read_song_files(str(tmp_path)) == read_song_files(files)
    assert [s.song_id for s in read_song_files(tmp_path)] == ["SO1"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere.* holds log_data"):
        read_log_files(tmp_path / "nowhere")


@pytest.mark.parametrize("data", [log(1), gzip.compress(log(1))[:-9], b"\x1f\x8b\x08" + b"\0" * 20])
def test_a_compressed_file_that_is_broken_is_named(data: bytes) -> None:
    key = "log_data/2018/11/2018-11-01-events.json.gz"
    with pytest.raises(ValueError, match=r"2018-11-01-events\.json\.gz cannot be decompressed"):
        read_log_files({key: data})
