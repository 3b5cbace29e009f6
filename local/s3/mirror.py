"""Buckets and objects as files: every object one file, its first line its metadata and the rest its bytes.

A file is named by the digest of its key, so a key may hold anything S3 allows. Files appear and vanish whole,
and are on the disk, not only handed to the operating system, when a method returns.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_LOCKS = 64
_BUCKET_FILE = "bucket.json"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class StoredObject:
    """What is kept of an object: its key, its bytes, and its attributes as JSON can hold them."""

    key: str
    body: bytes
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredBucket:
    """What is kept of a bucket."""

    name: str
    region: str
    created: str


class Mirror:
    """The objects of all buckets under `folder`. Threads may write at the same time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        for unfinished in self._folder.rglob(f"{_UNFINISHED}*"):
            unfinished.unlink()

    def buckets(self) -> Iterator[StoredBucket]:
        """Return every bucket kept."""
        for path in sorted(self._folder.glob(f"*/{_BUCKET_FILE}")):
            yield StoredBucket(**json.loads(path.read_bytes()))

    def objects(self, bucket: str) -> Iterator[StoredObject]:
        """Return every object kept of a bucket, in no order."""
        for path in (self._folder / bucket).glob("??/*"):
            first_line, _, body = path.read_bytes().partition(b"\n")
            yield StoredObject(body=body, **json.loads(first_line))

    def put_bucket(self, bucket: StoredBucket) -> None:
        """Keep a bucket."""
        folder = self._folder / bucket.name
        if not (folder / _BUCKET_FILE).exists():
            # What an interrupted deletion left must not come back with a bucket of the same name.
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        _write(folder / _BUCKET_FILE, json.dumps(asdict(bucket)).encode() + b"\n")
        _sync_folder(self._folder)

    def delete_bucket(self, name: str) -> None:
        """Forget a bucket and its objects."""
        # The bucket file goes first: an interrupted deletion then leaves no bucket with half its objects.
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name / _BUCKET_FILE).unlink()
            _sync_folder(self._folder / name)
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def put(self, bucket: str, key: str, current: Callable[[], StoredObject | None]) -> None:
        """Keep what `current` returns for a key, or forget the key if that is None.

        `current` is called while no other thread writes the key, so that the last writer keeps the last state.
        """
        path = self._path(bucket, key)
        with self._locks[hash((bucket, key)) % _LOCKS]:
            stored = current()
            if stored is None:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    _sync_folder(path.parent)
                return
            first_line = json.dumps({"key": stored.key, "attributes": stored.attributes}).encode()
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                _sync_folder(path.parent.parent)
            _write(path, first_line + b"\n", stored.body)

    def _path(self, bucket: str, key: str) -> Path:
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / bucket / digest[:2] / digest[2:]


def _write(path: Path, *parts: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
