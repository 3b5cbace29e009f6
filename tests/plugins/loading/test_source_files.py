"""One rule says what a source file is, in a bucket and in a folder."""

from __future__ import annotations

import gzip
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.reference import read_log_files, read_song_files
from sparkify.loading.source_files import Catalogue, DatedFiles
from sparkify.tables import EVENT_FILES, SONG_FILES, is_source_file

OF_EVENTS = (
    "log_data/2018/11/2018-11-01-events.json",
    "log_data/2018/11/2018-11-01-events.json.gz",
    "log_data/2018/11/2018-11-01-events-2.json",
    "log_data/2018/11/2018-11-01-events-part a_.json.gz",
    "log_data/2018/11/2018-11-01-events-.json",
)
OF_SONGS = (
    "song_data/A/B/C/TR1.json",
    "song_data/TR1.json.gz",
    "song_data/A//TR1.json",
    "song_data/A/a_b.c#d/TR 1.json",
    "song_data/2018-11-01-events.json",
)
OTHERS = (
    "log_data_bkp/2018/11/2018-11-01-events.json",
    "old/log_data/2018/11/2018-11-01-events.json",
    "log_data/2018/12/2018-11-01-events.json",
    "log_data/2018/11/2018-11-1-events.json",
    "log_data/2018/11/2018-11-31-events.json",
    "log_data/2018/11/2018-11-01-events.json.bak",
    "log_data/2018/11/2018-11-01-events.json\n",
    "log_data/2018/11/2018-11-01-events.JSON",
    "log_data/2018/11/2018-11-01-events.jsonl",
    "log_data/2018/11/2018-11-01-events.json.bz2",
    "log_data/2018/11/2018-11-01-eventsold.json",
    "log_data/2018/11/old/2018-11-01-events.json",
    "log_data/2018/11/2018-11-01-events-a/b.json",
    "log_data/2018/11/._2018-11-01-events.json",
    "log_data/2018/11/.ipynb_checkpoints/2018-11-01-events-checkpoint.json",
    "log_data/٢٠١٨/11/٢٠١٨-11-01-events.json",
    "log_data/0000/11/0000-11-01-events.json",
    "log_data/2018/11/",
    "song_data/A/._TR1.json",
    "song_data/.DS_Store",
    "song_data/.json",
    "song_data/.ipynb_checkpoints/TR1-checkpoint.json",
    "song_data/__MACOSX/A/TR1.json",
    "song_data/_temporary/0/part-1.json",
    "song_data/A/#TR1.json",
    "song_data/_SUCCESS",
    "song_data/A/",
    "song_data/A.json/",
    "song_data/TR1.json\n",
    "song_data/TR1.JSON",
    "song_data_old/TR1.json",
    "song_data.json",
)


@pytest.mark.parametrize("key", OF_EVENTS)
def test_an_event_file_has_its_log_date_in_its_name(key: str) -> None:
    assert EVENT_FILES.log_date_of(key) == date(2018, 11, 1)
    assert is_source_file(key)
    assert not SONG_FILES.is_file(key)


@pytest.mark.parametrize("key", OF_SONGS)
def test_a_song_file_lies_at_any_depth_below_song_data(key: str) -> None:
    assert SONG_FILES.is_file(key)
    assert is_source_file(key)
    assert EVENT_FILES.log_date_of(key) is None


@pytest.mark.parametrize("key", OTHERS)
def test_a_file_of_another_name_or_place_and_a_hidden_one_is_no_source_file(key: str) -> None:
    assert not is_source_file(key)


# Of the parts that the rules are about, so that many a name is nearly right.
PARTS = ["log_data", "song_data", "2018", "11", "2018-11-01", "-events", "-", "/", ".json", ".gz", "A", ".", "_", "#"]
names = st.lists(st.sampled_from([*PARTS, "/", "\n", " ", "٢"]), max_size=9).map("".join)
keys = st.tuples(st.sampled_from(["", "log_data/2018/11/2018-11-01", "song_data/"]), names).map("".join)


@pytest.mark.parametrize("key", [*OF_EVENTS, *OF_SONGS, *OTHERS])
def test_the_reference_has_a_rule_of_its_own_that_says_the_same(key: str) -> None:
    assert_the_same(key)


@given(key=keys)
def test_the_reference_says_the_same_of_any_name(key: str) -> None:
    assert_the_same(key)


def assert_the_same(key: str) -> None:
    content = b'{"song_id": "SO1"}'
    files = {key: gzip.compress(content) if key.endswith(".gz") else content}
    assert next(iter(read_log_files(files)), None) == EVENT_FILES.log_date_of(key)
    assert bool(read_song_files(files)) == SONG_FILES.is_file(key)


@pytest.mark.parametrize(
    ("files", "key", "expected"),
    [
        (DatedFiles("raw/dt={log_date}/*.json"), "raw/dt=2018-11-01/a.json", date(2018, 11, 1)),
        (DatedFiles("raw/dt={log_date}/*.json"), "raw/dt=2018-11-01/a.json.gz", date(2018, 11, 1)),
        (DatedFiles("raw/dt={log_date}/*.json"), "raw/dt=2018-11-01/a/b.json", None),
        (DatedFiles("raw/dt={log_date}/*.json"), "raw/dt=2018-11-01/_SUCCESS.json", None),
        (DatedFiles("raw/dt={log_date}/*.json"), "raw/dt=2018-02-30/a.json", None),
        (DatedFiles("_raw/{log_date}.json"), "_raw/2018-11-01.json", date(2018, 11, 1)),
        (DatedFiles("{log_date:%d}.{log_date:%m}.{log_date:%Y}.csv"), "01.11.2018.csv", date(2018, 11, 1)),
        (DatedFiles("{log_date:%Y%m%d}/orders(1)+.json"), "20181101/orders(1)+.json", date(2018, 11, 1)),
        (DatedFiles("{log_date:%Y}/{log_date}.json", parts="{log_date:%Y}/{log_date}-*.json"), "2018/2018-11-01-2.json",
         date(2018, 11, 1)),
        (DatedFiles("{log_date:%Y}/{log_date}.json"), "2019/2018-11-01.json", None),
    ],
)  # fmt: skip
def test_a_pattern_says_which_date_a_key_is_of(files: DatedFiles, key: str, expected: date | None) -> None:
    assert files.log_date_of(key) == expected
    if expected:
        assert key.startswith(files.prefix(expected))
        assert files.prefix(expected).startswith(files.folder(expected))
        assert files.folder(expected).startswith(files.top)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("raw/{log_date:%Y/%m}/events.json", "names no whole date: it lacks %d. Write {log_date}"),
        ("raw/events.json", "names no whole date: it lacks %Y, %m, %d"),
        ("raw/{ds}/{log_date}.json", "has something in braces that is no log date"),
        ("raw/{log_date}-%H.json", "has something in braces that is no log date, or a % of another meaning"),
        ("raw/{log_date:%H}/{log_date}.json", "has something in braces that is no log date"),
    ],
)
def test_a_pattern_that_names_no_date_or_something_else_is_refused(pattern: str, sentence: str) -> None:
    for patterns in ([pattern], ["{log_date}.json", pattern]):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            DatedFiles(*patterns)


def test_files_of_a_date_are_told_in_words() -> None:
    assert DatedFiles("raw/dt={log_date}/*.json").expected("b", date(2018, 11, 1)) == (
        "s3://b/raw/dt=2018-11-01/*.json (or .json.gz)"
    )


@pytest.mark.parametrize(
    ("depth", "folder"), [(0, "songs/"), (1, "songs/A/"), (2, "songs/A/B/"), (3, "songs/A/B/C/"), (9, "songs/A/B/C/")]
)
def test_a_catalogues_folders_are_told_apart_to_a_depth(depth: int, folder: str) -> None:
    catalogue = Catalogue("songs/", depth)
    assert catalogue.folder_of("songs/A/B/C/1.json") == folder
    assert catalogue.is_branch(folder) == (depth == 9)
