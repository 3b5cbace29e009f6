"""Between moto and the mirror: which objects a request changed, and how an object of moto's is kept.

moto keeps the objects of a bucket in one dictionary, whatever the request: a put, a copy, a completed multipart
upload, a deletion of many. That dictionary is replaced by one that notes what is changed.
"""

from __future__ import annotations

import datetime
import threading
from functools import partial
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore

from local.s3.mirror import Mirror, StoredBucket, StoredObject

_PARTITION = "aws"
_ATTRIBUTES = (
    "checksum_algorithm",
    "checksum_value",
    "checksum_type",
    "checksum_parts",
    "encryption",
    "kms_key_id",
    "website_redirect_location",
)


class _Changes(threading.local):
    """The keys changed by the request that this thread is serving, as (bucket, key)."""

    def __init__(self) -> None:
        self.keys: set[tuple[str, str]] = set()


class _RecordedKeys(_VersionedKeyStore):
    """The objects of one bucket, noting every key whose object is set or removed."""

    def __init__(self, bucket: str, changes: _Changes) -> None:
        super().__init__()
        self._bucket = bucket
        self._changes = changes

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._changes.keys.add((self._bucket, key))

    def setlist(self, key: Any, list_: Any) -> None:
        for version in list_ if isinstance(list_, list | tuple) else [list_]:
            # moto works an ETag out when first asked, reading the object without a lock: two requests that ask
            # at once would remember a wrong one. Nobody else knows the object yet here.
            if isinstance(version, FakeKey):
                _ = version.etag
        super().setlist(key, list_)
        self._changes.keys.add((self._bucket, key))

    def pop(self, key: str) -> None:
        super().pop(key)
        self._changes.keys.add((self._bucket, key))


class RecordedBuckets:
    """moto's buckets, restored from a mirror and kept in it."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._changes = _Changes()
        self._known: set[str] = set()
        self._lock = threading.Lock()

    @property
    def _backend(self) -> S3Backend:
        return s3_backends[DEFAULT_ACCOUNT_ID][_PARTITION]

    def restore(self) -> None:
        """Give moto every bucket and object that the mirror keeps."""
        for stored in self._mirror.buckets():
            bucket = self._backend.create_bucket(stored.name, stored.region)
            bucket.creation_date = datetime.datetime.fromisoformat(stored.created)
            keys = self._record(bucket)
            for stored_object in self._mirror.objects(stored.name):
                keys.setlist(stored_object.key, [_restored(stored_object, bucket)])
        self._changes.keys.clear()

    def create_missing(self, name: str, region: str) -> None:
        """Make a bucket unless it is there."""
        if name not in self._backend.buckets:
            self._backend.create_bucket(name, region)
        self.keep_changes()

    def keep_changes(self) -> None:
        """Write what the request served by this thread changed to the mirror."""
        if self._backend.buckets.keys() != self._known:
            with self._lock:
                self._keep_buckets()
        while self._changes.keys:
            bucket, key = self._changes.keys.pop()
            if bucket in self._backend.buckets:
                self._mirror.put(bucket, key, partial(self._current, bucket, key))

    def _keep_buckets(self) -> None:
        buckets = dict(self._backend.buckets)
        for name in self._known - buckets.keys():
            self._mirror.delete_bucket(name)
            self._known.discard(name)
        for name in buckets.keys() - self._known:
            bucket = buckets[name]
            self._record(bucket)
            self._mirror.put_bucket(StoredBucket(name, bucket.region_name, bucket.creation_date.isoformat()))

    def _record(self, bucket: FakeBucket) -> _RecordedKeys:
        keys = _RecordedKeys(bucket.name, self._changes)
        bucket.keys = keys
        self._known.add(bucket.name)
        return keys

    def _current(self, bucket_name: str, key: str) -> StoredObject | None:
        while True:
            bucket = self._backend.buckets.get(bucket_name)
            stored = bucket.keys.get(key) if bucket else None
            if not isinstance(stored, FakeKey):
                return None
            try:
                return StoredObject(key, stored.value, _attributes(stored))
            except ValueError:
                # Another request replaced the object and moto closed this one's buffer: look again.
                continue


def _attributes(key: FakeKey) -> dict[str, Any]:
    return {name: value for name in _ATTRIBUTES if (value := getattr(key, name)) is not None} | {
        "etag": key.etag.strip('"'),
        "last_modified": key.last_modified.isoformat(),
        "storage_class": key.storage_class,
        "metadata": dict(key.metadata),
    }


def _restored(stored: StoredObject, bucket: FakeBucket) -> FakeKey:
    attributes = stored.attributes
    key = FakeKey(
        name=stored.key,
        value=stored.body,
        account_id=bucket.account_id,
        region_name=bucket.region_name,
        storage=attributes["storage_class"],
        etag=attributes["etag"],
        version_id="null",
        bucket_name=bucket.name,
    )
    for name in _ATTRIBUTES:
        setattr(key, name, attributes.get(name))
    key.last_modified = datetime.datetime.fromisoformat(attributes["last_modified"])
    key.set_metadata(attributes["metadata"])
    return key
