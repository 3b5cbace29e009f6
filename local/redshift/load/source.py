"""What COPY reads: a prefix, a key or a manifest in S3, block by block."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import IO, TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip, igzip_lib

from local.redshift.load.rows import LoadFailedError, Path

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FETCHERS = 16
# So small that a block, its rows and their bytes stay in a processor's cache.
BLOCK_BYTES = 1 << 16
# Objects up to this size are fetched whole, many at once.
SMALL_BYTES = 1 << 20
# A path is in one notation or the other; a number in brackets is an array's element in both.
_NOTATIONS = [
    r"\[(?:(?P<quote>['\"])(?P<name>[^'\"]+)(?P=quote)|(?P<index>[0-9]+))\]",
    r"\.(?P<name>[^.'\[\]]+)|\[(?P<index>[0-9]+)\]",
]


class MissingError(LoadFailedError):
    """An object that is to be loaded does not exist."""


@cache
def client() -> S3Client:
    """The S3 client of the process environment."""
    # A session of its own, because the default one is not to be used by several threads.
    config = Config(
        max_pool_connections=FETCHERS * 2, s3={"addressing_style": "path"}, response_checksum_validation="when_required"
    )
    return boto3.Session().client("s3", config=config)


@contextlib.contextmanager
def _in_words(uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        kind = MissingError if said.get("Code") in ("NoSuchKey", "404") else LoadFailedError
        raise kind(f"S3ServiceException: {said.get('Message')}, Error {said.get('Code')}, {uri}") from error
    except (igzip.BadGzipFile, igzip_lib.error, EOFError) as error:  # type: ignore[misc]  # as its stub has it
        raise LoadFailedError(f"{uri} is not valid gzip: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise LoadFailedError(f"S3CurlException: {error}, {uri}") from error


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise LoadFailedError(f"The S3 address '{uri}' is not valid: it must be s3://bucket/key.")
    return bucket, key


def _fetch(uri: str) -> tuple[IO[bytes], int]:
    """An object and its size; a small one is read when this returns."""
    bucket, key = _bucket_and_key(uri)
    with _in_words(uri):
        answer = client().get_object(Bucket=bucket, Key=key)
        body: Any = answer["Body"]
        size = answer["ContentLength"]
        return io.BytesIO(body.read()) if size <= SMALL_BYTES else io.BufferedReader(body, SMALL_BYTES), size


def _listed(uri: str, what: str, name: str) -> list[Any]:
    """The list of that name in a small JSON document, which is UTF-8 as Amazon asks for.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html#copy-encoding
    """
    try:
        document = json.loads(_fetch(uri)[0].read().decode())
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise LoadFailedError(f"The {what} {uri} is not valid JSON: {error}") from None
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list) or not found:
        raise LoadFailedError(f"The {what} {uri} is not valid: it needs a list named {name}.")
    return found


def list_objects(uri: str, manifest: bool) -> list[tuple[str, bool]]:
    """The objects of a manifest, or all whose key begins with the address's; and whether each must be there."""
    if manifest:
        entries = [entry if isinstance(entry, dict) else {} for entry in _listed(uri, "manifest", "entries")]
        if not all(str(entry.get("url")).startswith("s3://") for entry in entries):
            raise LoadFailedError(f"The manifest {uri} is not valid: every entry needs a url that begins with s3://.")
        return [(str(entry["url"]), entry.get("mandatory") is True) for entry in entries]
    bucket, prefix = _bucket_and_key(uri)
    with _in_words(uri):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        objects = [item for page in pages for item in page.get("Contents", [])]
    # The console's folders are empty objects.
    keys = [item["Key"] for item in objects if item["Size"] or not item["Key"].endswith("/")]
    if not keys:
        raise LoadFailedError(f"The specified S3 prefix '{prefix}' does not exist")
    return [(f"s3://{bucket}/{key}", True) for key in keys]


def read_json_paths(uri: str, count: int) -> list[Path]:
    """The paths of a jsonpaths file, one for each column."""
    written = _listed(uri, "jsonpaths file", "jsonpaths")
    if len(written) != count:
        raise LoadFailedError(
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(written)}, Number of columns in table or column list: {count}"
        )
    return [_path(uri, path) for path in written]


def _path(uri: str, written: Any) -> Path:
    """The steps from the root object to a value."""
    for step in _NOTATIONS:
        if isinstance(written, str) and re.fullmatch(rf"\$(?:{step})+", written):
            steps = tuple(found["name"] or int(found["index"]) for found in re.finditer(step, written))
            if isinstance(steps[0], str):
                return steps
    raise LoadFailedError(
        f"Invalid JSONPath format in {uri}: {written!r}. Supported notations are 'dot-notation' and "
        "'bracket-notation', one or the other, and an element of the root object comes first: $.name, $['name'][0]."
    )


class Reader:
    """Reads objects in their order, the next ones being fetched meanwhile."""

    def __init__(self, listed: list[tuple[str, bool]], gzip: bool) -> None:
        self._listed = listed
        self._gzip = gzip
        self.files = 0
        self.bytes = 0

    def __iter__(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each object's address and its blocks; these are used up before the next is asked for."""
        coming = iter(self._listed)
        ahead = 2
        waiting: deque[tuple[str, bool, Future[tuple[IO[bytes], int]]]] = deque()
        with ThreadPoolExecutor(FETCHERS, thread_name_prefix="copy-get") as pool:
            while True:
                while len(waiting) < ahead and (one := next(coming, None)):
                    waiting.append((*one, pool.submit(_fetch, one[0])))
                if not waiting:
                    break
                uri, mandatory, fetched = waiting.popleft()
                try:
                    stream, size = fetched.result()
                except MissingError:
                    if mandatory:
                        raise
                    continue
                self.files += 1
                self.bytes += size
                # Many connections that wait for their turn would be as many bodies in somebody's memory.
                ahead = FETCHERS * 2 if (small := size <= SMALL_BYTES) else 2
                yield uri, self._blocks(uri, stream, None if small else pool)
        if not self.files:
            raise LoadFailedError("The manifest's files do not exist: none of them could be read.")

    def _blocks(self, uri: str, stream: IO[bytes], pool: ThreadPoolExecutor | None) -> Iterator[bytes]:
        with _in_words(uri):
            unpacked = igzip.IGzipFile(fileobj=stream) if self._gzip else stream
            pieces = iter(partial(unpacked.read, BLOCK_BYTES), b"")
            for piece in _ahead(pool, partial(unpacked.read, SMALL_BYTES)) if pool else pieces:
                for start in range(0, len(piece), BLOCK_BYTES):
                    yield piece[start : start + BLOCK_BYTES]


def _ahead(pool: ThreadPoolExecutor, read: Callable[[], bytes]) -> Iterator[bytes]:
    """What is read till the end, the next piece being read meanwhile."""
    coming = pool.submit(read)
    while piece := coming.result():
        coming = pool.submit(read)
        yield piece
