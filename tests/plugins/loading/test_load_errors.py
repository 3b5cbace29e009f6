"""What is told of a COPY that failed, also where its files cannot be read."""

from __future__ import annotations

import gzip
import logging
from typing import Any

import pytest

from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.load_errors import LoadError, read_load_errors
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from tests.pipeline import Pipeline

KEY = "log_data/2018/11/2018-11-01-events.json.gz"
LINES = b"".join(b'{"ts": "x%d"}\n' % number for number in range(20_000))


class Refused:
    """A session whose last COPY refused a line of a file, as the system views tell it."""

    log = logging.getLogger("test_load_errors")

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [(2,)] if sql == "select pg_last_copy_id()" else [(self.url, 19_999, "ts", "Invalid digit")]


def told(pipeline: Pipeline, **options: bool) -> list[LoadError]:
    """What is found out about the line that was refused."""
    source = Source("aws_default", Settings.of_connection("aws_default"))
    warehouse: Any = Refused(f"s3://{pipeline.bucket}/{KEY}")
    return read_load_errors(warehouse, source, {"ts": "ts"}, since=1, **options)


def test_a_line_of_a_gzipped_file_is_told_whole(pipeline: Pipeline) -> None:
    pipeline.put({KEY: gzip.compress(LINES)})
    assert [(error.text, error.value) for error in told(pipeline)] == [('{"ts": "x19998"}', '"x19998"')]


@pytest.mark.parametrize(
    "data",
    [LINES, gzip.compress(LINES)[:-1000], gzip.compress(LINES)[:5], gzip.compress(LINES)[:100] + b"x" * 5000, None],
    ids=["no gzip", "truncated", "truncated in its header", "broken", "gone"],
)
def test_a_file_that_cannot_be_read_does_not_hide_the_error(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, data: bytes | None
) -> None:
    if data is not None:
        pipeline.put({KEY: data})
    assert told(pipeline) == [LoadError(f"s3://{pipeline.bucket}/{KEY}", 19_999, "ts", "Invalid digit", None, None)]
    assert f"could not be fetched from s3://{pipeline.bucket}/{KEY}: " in caplog.text


def test_an_s3_that_refuses_does_not_hide_the_error(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> dict[int, str]:
        raise SettingsError("permission refused by S3")

    monkeypatch.setattr(Source, "lines", refuse)
    assert [error.reason for error in told(pipeline)] == ["Invalid digit"]


def test_lines_that_are_to_be_kept_must_be_fetched(pipeline: Pipeline) -> None:
    with pytest.raises(Unavailable):
        told(pipeline, whole=True)
