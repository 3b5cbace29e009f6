"""Lists the source bucket, and writes the manifests that name its files to COPY."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import re
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sparkify.loading import aws
from sparkify.loading.aws_errors import error_of_aws, is_harmless
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable

if TYPE_CHECKING:
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.settings import Settings
    from sparkify.loading.source_files import Catalogue, DatedFiles

REFUSED = ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
PIECE_BYTES = 1 << 16
# Of the bucket's top, to look for a file that is not where it should be.
MOST_FOLDERS = 20
# Requests at a time; the client keeps ten connections.
LISTINGS = 8
SERVER_BUSY = re.compile(r"5\d\d|InternalError|SlowDown|ServiceUnavailable|RequestTimeout|Throttling.*")


@dataclass(frozen=True)
class SourceFile:
    """One object of the source bucket. ``size`` in bytes; ``etag`` changes when the content does.

    ``changed_at`` is when it was last written, also if by the same content.
    """

    bucket: str
    key: str
    size: int
    etag: str
    changed_at: datetime | None = field(default=None, compare=False)

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


@dataclass(frozen=True)
class Folder:
    """What a folder of a catalogue holds: the number of its files, and a digest of their keys and ETags."""

    files: int
    fingerprint: str


class Source:
    """The files of the source bucket and the manifests in the control bucket.

    :param aws_conn_id: Airflow connection that may list and read the one and write to the other.
    :param settings: the buckets and the prefix.
    """

    def __init__(self, aws_conn_id: str, settings: Settings) -> None:
        self.settings = settings
        self.client = aws.client("s3", aws_conn_id)

    def dated_files(self, files: DatedFiles, dates: LogDates) -> dict[date, list[SourceFile]]:
        """The files of each date: its one file, or its parts, plain or gzipped; none if it has not been delivered.

        Asks S3 once a folder, not once a date: where a folder holds a month, a range of ten years is then 121
        listings, not 3,660.
        """
        found: dict[date, list[SourceFile]] = {log_date: [] for log_date in dates}
        for folder, grouped in itertools.groupby(dates, key=files.folder):
            days = list(grouped)
            for file in self._list(files.prefix(days[0]) if len(days) == 1 else folder):
                if (log_date := files.log_date_of(file.key)) in found:
                    found[log_date].append(file)
        return found

    def has(self, key: str) -> bool:
        """Whether there is an object of this key; to list suffices, so it need not be readable."""
        return any(file.key == key for file in self._list(key))

    def misnamed(self, files: DatedFiles, log_date: date, others: Sequence[DatedFiles | Catalogue] = ()) -> list[str]:
        """Keys that name the date and are none of its files: of another suffix, in other capitals, in another folder.

        One request for each place where such a file may be, so a large bucket is not read to its end. A place that
        the connection may not list has none.

        :param others: files that other tasks load.
        """
        listed = []
        folder = files.folder(log_date)
        while folder := folder.rpartition("/")[0].rpartition("/")[0]:
            folder += "/"
            listed += self._first_keys(folder)
        known = {one.top.partition("/")[0] + "/" for one in (files, *others)}
        for top in self._first_keys("", Delimiter="/")[:MOST_FOLDERS]:
            if top in known:
                continue
            listed += self._first_keys(top) if top.endswith("/") else [top]
        return [
            key
            for key in dict.fromkeys(listed)
            if _names(log_date).search(key)
            and files.log_date_of(key) != log_date
            and not any(one.is_file(key) for one in others)
        ]

    def folders(self, catalogue: Catalogue) -> dict[str, Folder]:
        """The folders of a catalogue that hold files. No file is kept, so a million of them take little memory.

        What does not fit into one answer of S3 is listed by folder, several at a time.
        """
        bucket, prefix = self.settings.bucket, catalogue.prefix
        digests = _Digests(catalogue)
        with self._translated(f"list s3://{bucket}/{prefix}", bucket):
            page = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix)
            if not page.get("IsTruncated"):
                digests.add(page)
                return digests.folders()
            branches = [prefix]
            while len(branches) == 1 and catalogue.is_branch(branches[0]):
                branches = self._branches(branches[0], digests)
            with ThreadPoolExecutor(LISTINGS) as threads:
                for below in threads.map(lambda branch: self._folders_below(catalogue, branch), branches):
                    digests.include(below)
        return digests.folders()

    def _branches(self, folder: str, digests: _Digests) -> list[str]:
        """The folders in a folder; its own files go into ``digests``."""
        found = []
        for page in self._pages(folder, Delimiter="/"):
            digests.add(page)
            found += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        return found

    def _folders_below(self, catalogue: Catalogue, branch: str) -> _Digests:
        digests = _Digests(catalogue)
        for page in self._pages(branch):
            digests.add(page)
        return digests

    def files_of(self, catalogue: Catalogue, folder: str) -> list[SourceFile]:
        """The files of one folder of a catalogue, in the order of their keys."""
        alone = {"Delimiter": "/"} if catalogue.is_branch(folder) else {}
        return [file for file in self._list(folder, **alone) if catalogue.is_file(file.key)]

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

    def _pages(self, prefix: str, **more: str) -> Iterable[dict[str, Any]]:
        paginator = self.client.get_paginator("list_objects_v2")
        pages: Iterable[dict[str, Any]] = paginator.paginate(Bucket=self.settings.bucket, Prefix=prefix, **more)
        return pages

    def _list(self, prefix: str, **more: str) -> list[SourceFile]:
        bucket = self.settings.bucket
        with self._translated(f"list s3://{bucket}/{prefix}", bucket):
            return [
                SourceFile(bucket, item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])
                for page in self._pages(prefix, **more)
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
                    f"Could not {what}: it is gone since it was listed. Another try lists again."
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


class _Digests:
    """What was listed of a catalogue, by folder. S3 lists keys in order, so a folder's digest is always the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._digests: dict[str, Any] = {}
        self._files: dict[str, int] = {}

    def add(self, page: dict[str, Any]) -> None:
        """Take in one answer of S3."""
        for item in page.get("Contents", []):
            if self._catalogue.is_file(item["Key"]):
                self._add(item["Key"], item["ETag"].strip('"'))

    def _add(self, key: str, etag: str) -> None:
        folder = self._catalogue.folder_of(key)
        if folder not in self._digests:
            self._digests[folder] = hashlib.md5(usedforsecurity=False)
            self._files[folder] = 0
        self._digests[folder].update(f"{key}\0{etag}\0".encode())
        self._files[folder] += 1

    def include(self, other: _Digests) -> None:
        """Take in what was listed of other folders."""
        self._digests |= other._digests
        self._files |= other._files

    def folders(self) -> dict[str, Folder]:
        return {name: Folder(self._files[name], digest.hexdigest()) for name, digest in self._digests.items()}


def fingerprint(catalogue: Catalogue, files: Iterable[SourceFile]) -> str:
    """The digest of one folder's files, in the order of their keys."""
    digests = _Digests(catalogue)
    for file in files:
        digests._add(file.key, file.etag)
    return next((folder.fingerprint for folder in digests.folders().values()), "")


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
