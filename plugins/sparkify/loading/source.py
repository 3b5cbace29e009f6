"""The source bucket: which files there are, and the manifests that name them to COPY."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import zlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sparkify.loading import aws
from sparkify.loading.aws_errors import error_of_aws, is_harmless
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.source_files import is_song_file, log_date_of

if TYPE_CHECKING:
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.settings import Settings

REFUSED = ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
SONGS = "song_data/"
PIECE_BYTES = 1 << 16
# Of the bucket's top, to look for a file that is not where it should be.
MOST_FOLDERS = 20
SERVER_BUSY = re.compile(r"5\d\d|InternalError|SlowDown|ServiceUnavailable|RequestTimeout|Throttling.*")


@dataclass(frozen=True)
class SourceFile:
    """One object of the source bucket. ``size`` in bytes; ``etag`` changes when the content does."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_gzip(self) -> bool:
        return self.key.endswith(".gz")


def _names(log_date: date) -> re.Pattern[str]:
    """Finds the date in a key, however its parts are set apart."""
    padded = f"{log_date:%Y}[-_./]?{log_date:%m}[-_./]?{log_date:%d}"
    plain = f"{log_date:%Y}[-_./]{log_date.month}[-_./]{log_date.day}"
    return re.compile(rf"(?<!\d)({padded}|{plain})(?!\d)")


def log_folder(dates: LogDates) -> str:
    """The folder of the dates' files: of their month, or of all months."""
    first, last = (f"log_data/{log_date:%Y/%m}/" for log_date in (dates.first, dates.last))
    return first if first == last else "log_data/"


class Source:
    """The files of the source bucket and the manifests in the control bucket.

    :param aws_conn_id: Airflow connection that may list and read the one and write to the other.
    :param settings: the buckets and the prefix.
    """

    def __init__(self, aws_conn_id: str, settings: Settings) -> None:
        self.settings = settings
        self.client = aws.client("s3", aws_conn_id)

    def log_files(self, dates: LogDates) -> dict[date, list[SourceFile]]:
        """The files of each date: its one file, or its parts, plain or gzipped; none if it has not been delivered.

        Asks S3 once a month, not once a date: a range of ten years is then 121 listings, not 3,660.
        """
        files: dict[date, list[SourceFile]] = {log_date: [] for log_date in dates}
        for month, days in itertools.groupby(dates, key=lambda log_date: f"log_data/{log_date:%Y/%m}"):
            stems = [f"{month}/{log_date}-events" for log_date in days]
            for file in self._list(stems[0] if len(stems) == 1 else f"{month}/"):
                if (log_date := log_date_of(file.key)) in files:
                    files[log_date].append(file)
        return files

    def misnamed(self, log_date: date) -> list[str]:
        """Keys that name the date and are none of its files: of another suffix, in other capitals, in another folder.

        One request for each place where such a file may be, so a large bucket is not read to its end. A place that
        the connection may not list has none.
        """
        year = f"log_data/{log_date:%Y}/"
        listed = [*self._first_keys(year), *self._first_keys("log_data/")]
        for top in self._first_keys("", Delimiter="/")[:MOST_FOLDERS]:
            listed += self._first_keys(top) if top.endswith("/") and top not in ("log_data/", SONGS) else [top]
        found = [key for key in listed if _names(log_date).search(key) and log_date_of(key) != log_date]
        return list(dict.fromkeys(found))

    def song_files(self) -> list[SourceFile]:
        """The whole catalogue, one object a song."""
        return [file for file in self._list(SONGS) if is_song_file(file.key)]

    def pieces(self, url: str) -> Generator[bytes]:
        """A file, unpacked, in pieces of at most :data:`PIECE_BYTES`."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        with self._translated(f"read {url}", bucket):
            body = self.client.get_object(Bucket=bucket, Key=key)["Body"]
            with contextlib.closing(body):
                stored = iter(partial(body.read, PIECE_BYTES), b"")
                yield from unpacked(stored) if key.endswith(".gz") else stored

    def beginning(self, file: SourceFile, most_bytes: int, *, stored: bool = False) -> bytes:
        """What the file begins with, up to so many bytes; no more than that are fetched.

        :param stored: as it is stored; else unpacked, as far as it can be.
        """
        with self._translated(f"read {file.url}", file.bucket):
            found = self.client.get_object(Bucket=file.bucket, Key=file.key, Range=f"bytes=0-{most_bytes - 1}")
            with contextlib.closing(found["Body"]) as body:
                data: bytes = body.read()
        if stored or not file.is_gzip:
            return data
        beginning = bytearray()
        # It is cut off, and may be no gzip at all.
        with contextlib.suppress(EOFError, zlib.error):
            for piece in unpacked(data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)):
                beginning += piece
                if len(beginning) >= most_bytes:
                    break
        return bytes(beginning[:most_bytes])

    def not_whole(self, files: Iterable[SourceFile], most_bytes: int) -> tuple[SourceFile, str] | None:
        """The first of these gzip files that is cut off or broken, and why, in words.

        :param most_bytes: of all together, unpacked; what lies beyond is not looked at.
        """
        for file in files:
            with self._translated(f"read {file.url}", file.bucket):
                body = self.client.get_object(Bucket=file.bucket, Key=file.key)["Body"]
                with contextlib.closing(body):
                    try:
                        for piece in unpacked(iter(partial(body.read, PIECE_BYTES), b"")):
                            most_bytes -= len(piece)
                            if most_bytes < 0:
                                return None
                    except (EOFError, zlib.error) as error:
                        return file, str(error)
        return None

    def put_manifest(self, path: str, files: Iterable[SourceFile]) -> str:
        """Write a manifest of these files, all mandatory, under the control prefix; returns its URL."""
        entries = [{"url": file.url, "mandatory": True} for file in files]
        return self.put(path, json.dumps({"entries": entries}, indent=1))

    def put(self, path: str, text: str, content_type: str = "application/json") -> str:
        """Write a text under the control prefix; returns its URL."""
        bucket, key = self.settings.control_bucket, f"{self.settings.control_prefix}/{path}"
        with self._translated(f"write s3://{bucket}/{key}", bucket):
            self.client.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)
        return f"s3://{bucket}/{key}"

    def remove(self, path: str) -> None:
        """Take away what was written there under the control prefix."""
        bucket, key = self.settings.control_bucket, f"{self.settings.control_prefix}/{path}"
        with self._translated(f"remove s3://{bucket}/{key}", bucket):
            self.client.delete_object(Bucket=bucket, Key=key)

    def get(self, path: str) -> str | None:
        """The text at this path under the control prefix; None if there is no such object."""
        bucket, key = self.settings.control_bucket, f"{self.settings.control_prefix}/{path}"
        with self._translated(f"read s3://{bucket}/{key}", bucket):
            try:
                with contextlib.closing(self.client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                    return str(body.read(), "utf-8")
            except self.client.exceptions.NoSuchKey:
                return None

    def _first_keys(self, prefix: str, **more: str) -> list[str]:
        """The first thousand keys or, with a delimiter, folders; none if they may not be listed."""
        try:
            page = self.client.list_objects_v2(Bucket=self.settings.bucket, Prefix=prefix, **more)
        except (BotoCoreError, ClientError, OSError):
            return []
        return [item["Key"] for item in page.get("Contents", [])] + [
            item["Prefix"] for item in page.get("CommonPrefixes", [])
        ]

    def _list(self, prefix: str) -> list[SourceFile]:
        bucket = self.settings.bucket
        with self._translated(f"list s3://{bucket}/{prefix}", bucket):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [
                SourceFile(bucket, item["Key"], item["Size"], item["ETag"].strip('"'))
                for page in pages
                for item in page.get("Contents", [])
            ]

    @contextlib.contextmanager
    def _translated(self, what: str, bucket: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            if code == "NoSuchBucket":
                raise SettingsError(
                    f"Could not {what}: there is no bucket {bucket}. "
                    "Set the right name in the AWS connection's extra, service_config."
                ) from error
            if code == "NoSuchKey":
                raise Unavailable(
                    f"Could not {what}: it is gone since it was listed. Another try lists anew."
                ) from error
            if SERVER_BUSY.fullmatch(code) or SERVER_BUSY.fullmatch(status):
                raise Unavailable(f"Could not {what}: {error}") from error
            if code in REFUSED or status == "403":
                raise SettingsError(f"Could not {what}: permission refused by S3 ({error}).") from error
            raise SettingsError(f"Could not {what}: {error}") from error
        except (EOFError, zlib.error) as error:
            raise DataError(f"Could not {what}: it is no whole gzip file ({error}).") from error
        except (BotoCoreError, OSError) as error:
            # The log shows an error's cause with its words.
            raise error_of_aws(what, error) from (error if is_harmless(error) else None)


def unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip unpacked, with all its members, in pieces of at most :data:`PIECE_BYTES`, however much they come to.

    Raises :class:`zlib.error` or :class:`EOFError` where it is broken or cut off.
    """
    member = _member()
    between = False
    for data in packed:
        # Zeros may stand between members.
        while data := data.lstrip(b"\0") if between else data:
            member = _member() if between else member
            if piece := member.decompress(data, PIECE_BYTES):
                yield piece
            between = member.eof
            data = member.unused_data if between else member.unconsumed_tail
    while piece := member.decompress(b"", PIECE_BYTES):
        yield piece
    if not member.eof:
        raise EOFError("it ends too early")


def _member() -> zlib._Decompress:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
