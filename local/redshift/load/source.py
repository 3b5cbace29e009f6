"""What COPY reads: a prefix, a key or a manifest in S3, as blocks of whole lines."""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.redshift.load.rows import LoadFailedError, Path

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_BYTES = 1 << 20
# Smaller objects are fetched whole by several threads at once; a larger one is streamed.
SMALL_BYTES = 1 << 20
FETCHERS = 16
MAX_LINE_BYTES = 64 << 20
_GZIP_WINDOW = 31
_client_lock = threading.Lock()
_client: S3Client | None = None


@dataclass(frozen=True)
class Source:
    """One object to load."""

    uri: str
    mandatory: bool = True

    @property
    def bucket(self) -> str:
        return split_uri(self.uri)[0]

    @property
    def key(self) -> str:
        return split_uri(self.uri)[1]


def client() -> S3Client:
    """The S3 client of the process environment, made once."""
    global _client
    with _client_lock:
        if _client is None:
            own_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            _client = boto3.client(
                "s3",
                region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
                config=Config(
                    max_pool_connections=FETCHERS * 2,
                    retries={"max_attempts": 4, "mode": "standard"},
                    s3={"addressing_style": "path"} if own_endpoint else {},
                ),
            )
        return _client


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise LoadFailedError(f"The S3 address '{uri}' is not valid: it must be s3://bucket/key.")
    return bucket, key


def _in_words(error: ClientError | BotoCoreError, uri: str) -> LoadFailedError:
    bucket, _ = split_uri(uri)
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            return LoadFailedError(f"S3ServiceException: The specified bucket {bucket} does not exist, NoSuchBucket")
        if code in ("NoSuchKey", "404"):
            return LoadFailedError(f"S3ServiceException: The specified key does not exist, Error NoSuchKey, {uri}")
        return LoadFailedError(f"S3ServiceException: {error.response.get('Error', {}).get('Message', code)}, {uri}")
    return LoadFailedError(f"S3 could not be read at {uri}: {error}")


def _read(uri: str) -> Any:
    bucket, key = split_uri(uri)
    try:
        return client().get_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise _in_words(error, uri) from error


def read_json(uri: str, what: str) -> Any:
    """A small JSON document: a manifest or a jsonpaths file."""
    try:
        return json.loads(_read(uri)["Body"].read())
    except (ValueError, BotoCoreError) as error:
        raise LoadFailedError(f"The {what} {uri} is not valid JSON: {error}") from None


def list_sources(uri: str, manifest: bool) -> list[Source]:
    """The objects of a manifest, or all whose key begins with the address's."""
    if manifest:
        return _manifest(uri)
    bucket, prefix = split_uri(uri)
    found: list[Source] = []
    try:
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            found += [
                Source(f"s3://{bucket}/{item['Key']}")
                for item in page.get("Contents", [])
                if not (item["Key"].endswith("/") and not item["Size"])
            ]
    except (ClientError, BotoCoreError) as error:
        raise _in_words(error, uri) from error
    if not found:
        raise LoadFailedError(f"The specified S3 prefix '{prefix}' does not exist")
    return found


def _manifest(uri: str) -> list[Source]:
    document = read_json(uri, "manifest")
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise LoadFailedError(f"The manifest {uri} is not valid: it needs a list of entries.")
    sources = []
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or not url.startswith("s3://"):
            raise LoadFailedError(f"The manifest {uri} is not valid: every entry needs a url that begins with s3://.")
        sources.append(Source(url, entry.get("mandatory", False) is True))
    return sources


def read_json_paths(uri: str, count: int) -> list[Path]:
    """The paths of a jsonpaths file, one for each column."""
    document = read_json(uri, "jsonpaths file")
    written = document.get("jsonpaths") if isinstance(document, dict) else None
    if not isinstance(written, list):
        raise LoadFailedError(f"The jsonpaths file {uri} is not valid: it needs a list named jsonpaths.")
    if len(written) != count:
        raise LoadFailedError(
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(written)}, Number of columns in table or column list: {count}"
        )
    return [_path(uri, path) for path in written]


def _path(uri: str, written: Any) -> Path:
    """One path in dot or bracket notation."""
    bad = LoadFailedError(f"Invalid JSONPath format in {uri}: {written!r}. Supported notations are 'dot-notation' and "
                          "'bracket-notation': $.name, $['name'], $[0].")  # fmt: skip
    if not isinstance(written, str) or not written.startswith("$"):
        raise bad
    steps: list[str | int] = []
    rest = written[1:]
    while rest:
        if rest.startswith("["):
            inner, closed, rest = rest[1:].partition("]")
            if not closed:
                raise bad
            quoted = len(inner) > 2 and inner[0] == inner[-1] and inner[0] in "'\""
            if not (quoted or inner.isdecimal()):
                raise bad
            steps.append(inner[1:-1] if quoted else int(inner))
        else:
            name, found, after = rest[1:].partition(".") if "." in rest[1:] else (rest[1:], "", "")
            name, bracket, inside = name.partition("[")
            rest = (bracket + inside + found + after) if bracket else found + after
            if not name:
                raise bad
            steps.append(name)
        if rest and rest[0] not in ".[":
            raise bad
    if not steps:
        raise bad
    return tuple(steps)


class Reader:
    """Reads objects in their order, the next ones being fetched meanwhile."""

    def __init__(self, sources: list[Source], gzip: bool) -> None:
        self._sources, self._gzip = sources, gzip
        self.files = 0
        self.bytes = 0

    def files_of_blocks(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Yield each object's address and its blocks; the blocks are used up before the next is asked for."""
        with ThreadPoolExecutor(FETCHERS, thread_name_prefix="copy-get") as pool:
            waiting: deque[tuple[Source, Future[Any]]] = deque()
            coming = iter(self._sources)
            try:
                while True:
                    while len(waiting) < FETCHERS * 2 and (source := next(coming, None)) is not None:
                        waiting.append((source, pool.submit(self._fetch, source)))
                    if not waiting:
                        break
                    source, fetched = waiting.popleft()
                    body = fetched.result()
                    if body is None:
                        continue
                    self.files += 1
                    yield source.uri, self._blocks(source, body)
            finally:
                for _, future in waiting:
                    future.cancel()
        if not self.files:
            raise LoadFailedError("The manifest's files do not exist: none of them could be read.")

    def _fetch(self, source: Source) -> Any:
        try:
            answer = _read(source.uri)
        except LoadFailedError as failed:
            if not source.mandatory and "NoSuchKey" in str(failed):
                return None
            raise
        body = answer["Body"]
        return body.read() if answer["ContentLength"] <= SMALL_BYTES else body

    def _blocks(self, source: Source, body: Any) -> Iterator[bytes]:
        pieces = (body,) if isinstance(body, bytes) else iter(lambda: body.read(READ_BYTES), b"")
        tail = b""
        try:
            for piece in self._unpacked(pieces):
                cut = piece.rfind(b"\n") + 1
                if not cut:
                    tail += piece
                    if len(tail) > MAX_LINE_BYTES:
                        raise LoadFailedError(f"{source.uri} has a line of more than {MAX_LINE_BYTES} bytes.")
                    continue
                yield tail + piece[:cut]
                tail = piece[cut:]
        except zlib.error as error:
            raise LoadFailedError(f"{source.uri} is not valid gzip: {error}") from None
        except BotoCoreError as error:
            raise _in_words(error, source.uri) from error
        if tail:
            yield tail

    def _unpacked(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(_GZIP_WINDOW) if self._gzip else None
        for piece in pieces:
            self.bytes += len(piece)
            if unpacker is None:
                yield piece
                continue
            while piece:
                yield unpacker.decompress(piece, READ_BYTES)
                piece = unpacker.unconsumed_tail
                if unpacker.eof:
                    # A gzip file may be several, one after the other.
                    piece = unpacker.unused_data
                    unpacker = zlib.decompressobj(_GZIP_WINDOW)
        if unpacker is not None:
            rest = unpacker.flush()
            if rest:
                yield rest


def stream(reader: Reader, encode: Callable[[str, Iterable[bytes]], Iterator[bytes]]) -> Generator[bytes]:
    """Rows of all objects, in their order."""
    for uri, blocks in reader.files_of_blocks():
        yield from encode(uri, blocks)
