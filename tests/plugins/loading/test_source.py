"""Which files there are, and what finding them costs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sparkify.loading.log_dates import LogDates
from sparkify.loading.settings import Settings
from sparkify.loading.source import MOST_FOLDERS, Source
from sparkify.tables import EVENT_FILES, SONG_FILES
from tests.examples import NOV_1, NOV_2
from tests.pipeline import Pipeline

NEIGHBOURS = (
    "log_data/2018/11/2018-11-1-events.json",
    "log_data/2018/11/2018-11-01-eventsx.json",
    "log_data/2018/11/2018-11-01-events.json.bak",
    "log_data/2018/10/2018-11-01-events.json",
    "log_data/2018/11/sub/2018-11-01-events.json",
    "log_data/2018/11/2018-11-01-events-a/b.json",
    "log_data/2018/11/2018-11-31-events.json",
    "log_data/2018/11/2018-11-٠٢-events.json",
    "log_data_bkp/2018/11/2018-11-01-events.json",
)


def listing(pipeline: Pipeline) -> tuple[Source, list[str]]:
    """The pipeline's source, and the prefixes that it asks S3 for from now on."""
    source = Source("aws_default", Settings.of_connection("aws_default"))
    asked: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["Prefix"])

    source.client.meta.events.register("before-parameter-build.s3.ListObjectsV2", note)
    return source, asked


def test_a_date_has_its_file_or_its_parts_and_no_neighbour(pipeline: Pipeline) -> None:
    named = ["log_data/2018/11/2018-11-01-events.json", "log_data/2018/11/2018-11-01-events-2.json.gz"]
    pipeline.put(dict.fromkeys([*named, *NEIGHBOURS], b"{}"))
    source, _ = listing(pipeline)
    for dates in (LogDates(NOV_1, NOV_1), LogDates(NOV_1, NOV_2), LogDates(date(2018, 10, 1), date(2018, 12, 31))):
        found = source.dated_files(EVENT_FILES, dates)
        assert list(found) == list(dates)
        assert {log_date: files for log_date, files in found.items() if files}.keys() == {NOV_1}
        assert [file.key for file in found[NOV_1]] == sorted(named)


def test_a_range_is_listed_month_by_month_and_a_date_alone(pipeline: Pipeline) -> None:
    days = (date(2018, 10, 31), date(2018, 11, 15), date(2019, 1, 1))
    pipeline.put({f"log_data/{day:%Y/%m}/{day}-events.json": b"{}" for day in days})
    source, asked = listing(pipeline)
    found = source.dated_files(EVENT_FILES, LogDates(date(2018, 10, 31), date(2019, 1, 2)))
    assert [log_date for log_date, files in found.items() if files] == list(days)
    assert asked == [
        "log_data/2018/10/2018-10-31-events",
        "log_data/2018/11/",
        "log_data/2018/12/",
        "log_data/2019/01/",
    ]


@pytest.mark.parametrize("years", [1, 10])
def test_ten_years_ask_s3_once_a_month(pipeline: Pipeline, years: int) -> None:
    source, asked = listing(pipeline)
    assert not any(source.dated_files(EVENT_FILES, LogDates(date(2010, 1, 1), date(2009 + years, 12, 31))).values())
    assert len(asked) == 12 * years


LIKE_IT = (
    "log_data/2018/11/2018-11-01-events.jsonl",
    "log_data/2018/11/2018-11-01-events.json.bz2",
    "log_data/2018/11/2018-11-01-Events.JSON",
    "log_data/2018/11/2018-11-01.json",
    "log_data/2018/11/2018-11-1-events.json",
    "log_data/2018/11/20181101-events.json",
    "log_data/2018/11/01/events.json",
    "log_data/2018/12/2018-11-01-events.json",
    "log_data/2018-11-01-events.json",
    "Log_Data/2018/11/2018-11-01-events.json",
    "logs/2018_11_01.json",
    "2018-11-01-events.json",
)
NOT_LIKE_IT = (
    "log_data/2018/11/2018-11-02-events.json",
    "log_data/2018/11/2018-11-010-events.json",
    "log_data/2018/11/12018-11-01-events.json",
    "log_data/2018/11/events.json",
    "log_data/2019/11/2019-11-01-events.json",
    "song_data/A/2018-11-01.json",
)


@pytest.mark.parametrize("key", LIKE_IT)
def test_a_file_that_is_named_otherwise_is_found(key: str, pipeline: Pipeline) -> None:
    pipeline.put(dict.fromkeys([key, *NOT_LIKE_IT], b"{}"))
    source, _ = listing(pipeline)
    assert source.misnamed(EVENT_FILES, NOV_1, [SONG_FILES]) == [key]


def test_files_of_the_date_and_of_others_are_not_misnamed(pipeline: Pipeline) -> None:
    pipeline.put(dict.fromkeys(["log_data/2018/11/2018-11-01-events.json", *NOT_LIKE_IT], b"{}"))
    source, _ = listing(pipeline)
    assert source.misnamed(EVENT_FILES, NOV_1, [SONG_FILES]) == []


def test_a_misnamed_file_is_not_looked_for_everywhere(pipeline: Pipeline) -> None:
    pipeline.put({f"{folder:02}/2018-11-01.json": b"{}" for folder in range(30)})
    source, asked = listing(pipeline)
    assert len(source.misnamed(EVENT_FILES, NOV_1, [SONG_FILES])) == len(asked) - 3 == MOST_FOLDERS


def test_what_may_not_be_listed_is_not_looked_at(pipeline: Pipeline) -> None:
    pipeline.put(dict.fromkeys(["logs/2018-11-01.json", "log_data/2018-11-01.json"], b"{}"))
    source, _ = listing(pipeline)

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if not params["Prefix"].startswith("log_data/"):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")

    source.client.meta.events.register("before-parameter-build.s3.ListObjectsV2", refuse)
    assert source.misnamed(EVENT_FILES, NOV_1, [SONG_FILES]) == ["log_data/2018-11-01.json"]
