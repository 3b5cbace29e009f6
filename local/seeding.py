"""Uploads a folder of source files to the source bucket, as Sparkify's own systems would."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalStackError
from sparkify.loading.source_files import is_hidden

SOURCE_FOLDERS = ("log_data", "song_data")
_PART = 16 * 2**20
_UPLOADS = 8
_DELETIONS = 1000


@dataclass(frozen=True)
class Seeded:
    """How many objects were uploaded, were there already with the same bytes, and were removed."""

    uploaded: int
    unchanged: int
    removed: int


def seed(client: Any, bucket: str, folder: Path, replace: bool, progress: Callable[[int, int], None]) -> Seeded:
    """Upload the files of `folder`'s log_data and song_data under their relative paths.

    An object that is there with the same bytes is left alone. With `replace`, objects below those of the two
    that `folder` has, but which it does not have, are removed. `progress` gets how many of how many are done.
    """
    present = source_folders(folder)
    paths = {
        path.relative_to(folder).as_posix(): path
        for name in present
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }
    files = {key: path for key, path in paths.items() if not is_hidden(key)}
    stored = {key: tag for name in present for key, tag in _listed(client, bucket, f"{name}/")}
    uploaded = 0
    with ThreadPoolExecutor(_UPLOADS) as threads:
        futures = [threads.submit(_upload, client, bucket, key, path, stored.get(key)) for key, path in files.items()]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                uploaded += future.result()
                progress(done, len(futures))
        except BaseException:
            # Or leaving the block would first upload all the others.
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    surplus = sorted(stored.keys() - files.keys()) if replace else []
    for first in range(0, len(surplus), _DELETIONS):
        keys = [{"Key": key} for key in surplus[first : first + _DELETIONS]]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        if answer.get("Errors"):
            error = answer["Errors"][0]
            raise LocalStackError(f"S3 did not remove {error['Key']}: {error.get('Message', error.get('Code'))}")
    return Seeded(uploaded, len(files) - uploaded, len(surplus))


def source_folders(folder: Path) -> list[str]:
    """Return which of log_data and song_data a folder has; LocalStackError if it has neither."""
    present = [name for name in SOURCE_FOLDERS if (folder / name).is_dir()]
    if not present:
        what = "holds neither a folder log_data nor a folder song_data" if folder.is_dir() else "is not a folder"
        raise LocalStackError(
            f"{folder} {what}, so there is nothing to upload. Give the folder that holds log_data and song_data."
        )
    return present


def entity_tag(path: Path) -> str:
    """Return the ETag that S3 gives the file when it is uploaded in parts of 16 MiB, or whole if it is smaller."""
    digests = []
    with path.open("rb") as file:
        while part := file.read(_PART):
            digests.append(hashlib.md5(part, usedforsecurity=False))
    if path.stat().st_size < _PART:
        return digests[0].hexdigest() if digests else hashlib.md5(b"", usedforsecurity=False).hexdigest()
    joined = hashlib.md5(b"".join(digest.digest() for digest in digests), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(digests)}"


def _listed(client: Any, bucket: str, prefix: str) -> list[tuple[str, str]]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [(found["Key"], found["ETag"].strip('"')) for page in pages for found in page.get("Contents", [])]


def _upload(client: Any, bucket: str, key: str, path: Path, stored: str | None) -> bool:
    from boto3.s3.transfer import TransferConfig

    if stored is not None and stored == entity_tag(path):
        return False
    config = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
    client.upload_file(str(path), bucket, key, Config=config)
    return True
