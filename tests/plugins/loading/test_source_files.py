"""One rule says what a source file is, for whoever lists a bucket or a folder."""

from __future__ import annotations

import gzip
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.reference import read_log_files, read_song_files
from sparkify.loading.source_files import is_song_file, is_source_file, log_date_of

EVENT_FILES = (
    "log_data/2018/11/2018-11-01-events.json",
    "log_data/2018/11/2018-11-01-events.json.gz",
    "log_data/2018/11/2018-11-01-events-2.json",
    "log_data/2018/11/2018-11-01-events-part a_.json.gz",
    "log_data/2018/11/2018-11-01-events-.json",
)
SONG_FILES = (
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


@pytest.mark.parametrize("key", EVENT_FILES)
def test_an_event_file_has_its_log_date_in_its_name(key: str) -> None:
    assert log_date_of(key) == date(2018, 11, 1)
    assert is_source_file(key)
    assert not is_song_file(key)


@pytest.mark.parametrize("key", SONG_FILES)
def test_a_song_file_lies_at_any_depth_below_song_data(key: str) -> None:
    assert is_song_file(key)
    assert is_source_file(key)
    assert log_date_of(key) is None


@pytest.mark.parametrize("key", OTHERS)
def test_a_file_of_another_name_or_place_and_a_hidden_one_is_no_source_file(key: str) -> None:
    assert not is_source_file(key)


# Of the parts that the rules are about, so that many a name is nearly right.
PARTS = ["log_data", "song_data", "2018", "11", "2018-11-01", "-events", "-", "/", ".json", ".gz", "A", ".", "_", "#"]
names = st.lists(st.sampled_from([*PARTS, "/", "\n", " ", "٢"]), max_size=9).map("".join)
keys = st.tuples(st.sampled_from(["", "log_data/2018/11/2018-11-01", "song_data/"]), names).map("".join)


@pytest.mark.parametrize("key", [*EVENT_FILES, *SONG_FILES, *OTHERS])
def test_the_reference_has_a_rule_of_its_own_that_says_the_same(key: str) -> None:
    assert_the_same(key)


@given(key=keys)
def test_the_reference_says_the_same_of_any_name(key: str) -> None:
    assert_the_same(key)


def assert_the_same(key: str) -> None:
    content = b'{"song_id": "SO1"}'
    files = {key: gzip.compress(content) if key.endswith(".gz") else content}
    assert next(iter(read_log_files(files)), None) == log_date_of(key)
    assert bool(read_song_files(files)) == is_song_file(key)
