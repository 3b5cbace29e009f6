"""The latest report, as it lies in the control bucket.

The page shares its process and its threads with all of Airflow's API. So S3 is asked within seconds or not at all, and
by a few requests at a time: Airflow answers as before while S3 does not.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool

from sparkify.layout import report_path
from sparkify.loading import aws, aws_errors
from sparkify.loading.exceptions import SettingsError, Unavailable
from sparkify.loading.settings import Settings

AWS_CONN_ID = "aws_default"
ABSENT = ("404", "NoSuchKey", "NotFound")
# boto3's own limits are a minute to connect, a minute to read and five tries.
LIMITS = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
READ_SECONDS, MOST_BYTES = 20.0, 50_000_000
PIECE = 16 * 1024
# How a report of this package begins.
ROOT = b'<!doctype html>\n<html lang="en">'

#: So many requests are with S3 at a time, each in one of the API server's 40 threads; others wait so long, in none.
AT_ONCE, WAIT_SECONDS = 3, 3.0
_turns = threading.BoundedSemaphore(AT_ONCE)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Report:
    """Where the latest report lies, and how to read it."""

    bucket: str
    key: str
    client: Any

    @classmethod
    def latest(cls) -> Report:
        """By the AWS connection; :class:`SettingsError` or :class:`Unavailable` says why not."""
        settings = Settings.of_connection(AWS_CONN_ID)
        key = f"{settings.control_prefix}/{report_path()}"
        return cls(settings.control_bucket, key, aws.client("s3", AWS_CONN_ID, LIMITS))

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def exists(self) -> bool:
        """Whether there is one."""
        return self._asked(lambda: self.client.head_object(Bucket=self.bucket, Key=self.key)) is not None

    def read(self) -> bytes | None:
        """Its bytes; None if there is none."""
        return self._asked(self._read)

    def _read(self) -> bytes:
        give_up = time.monotonic() + READ_SECONDS
        pieces, size = [], 0
        for piece in self.client.get_object(Bucket=self.bucket, Key=self.key)["Body"].iter_chunks(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise SettingsError(f"{self.url} is larger than {MOST_BYTES:,} bytes. Have the report made again.")
            if time.monotonic() > give_up:
                raise Unavailable(f"S3 gave {size:,} bytes of {self.url} within {READ_SECONDS:g} s.")
        return b"".join(pieces)

    def _asked(self, question: Callable[[], Answer]) -> Answer | None:
        with aws_errors.translated(f"read {self.url}"):
            try:
                return question()
            except ClientError as error:
                if aws_errors.error_code(error) in ABSENT:
                    return None
                raise


def in_theme(report: bytes, theme: str) -> bytes:
    """The report with the theme that it is to have, instead of the reader's system's; one of another make as it is."""
    return report.replace(ROOT, ROOT[:-1] + f' data-theme="{theme}">'.encode(), 1)


async def in_turn(question: Callable[[Report], Answer]) -> Answer:
    """Ask about the latest report when it is this request's turn; :class:`Unavailable` if that does not come soon.

    Looking up the connection is part of the turn: a secrets backend may hang as S3 may.
    """
    give_up = time.monotonic() + WAIT_SECONDS
    while not _turns.acquire(blocking=False):
        if time.monotonic() > give_up:
            raise Unavailable("S3 is slow, and other readers wait for it already.")
        await asyncio.sleep(0.05)
    try:
        return await run_in_threadpool(lambda: question(Report.latest()))
    finally:
        _turns.release()
