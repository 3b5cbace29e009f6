"""A catalogue of very many files: their keys and contents by a rule, and moto's S3 with all of them, as a program.

``python -m tests.many_objects KEYS PORT`` fills moto by its own backend, which takes some seconds for 100,000 objects
where requests would take minutes, and serves it. ``GET /requests`` gives how often what was asked since the last time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

BUCKET, CONTROL_BUCKET = "many-source", "many-control"
PREFIX = "song_data/"
#: Folders by two letters, as the data set has them.
FOLDERS = 26 * 26


def folder(number: int) -> str:
    """The folder that a file is kept by."""
    return f"{PREFIX}{chr(65 + number % 26)}/{chr(65 + number // 26 % 26)}/"


def key(number: int) -> str:
    """The key of a file."""
    return f"{folder(number)}{chr(65 + number // FOLDERS % 26)}/TR{number:07}.json"


def song(number: int) -> dict[str, Any]:
    """What a file says."""
    return {
        "num_songs": 1, "artist_id": f"AR{number // 10:07}", "artist_latitude": None, "artist_longitude": None,
        "artist_location": "", "artist_name": f"Artist {number // 10}", "song_id": f"SO{number:07}",
        "title": f"Song {number}", "duration": 200.5, "year": 2000,
    }  # fmt: skip


def content(number: int) -> bytes:
    """A file's bytes."""
    return json.dumps(song(number)).encode()


def etag(number: int) -> str:
    """A file's ETag, as S3 says it."""
    return hashlib.md5(content(number), usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def serving(keys: int, port: int) -> Iterator[str]:
    """The address of a program that serves so many files."""
    command = [sys.executable, "-m", "tests.many_objects", str(keys), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def requests_since(url: str) -> Counter[str]:
    """What was asked since the last time: ``LIST``, ``GET song``, ``GET``, ``PUT`` and so on, and how often."""
    with urllib.request.urlopen(f"{url}/requests") as answer:  # noqa: S310
        return Counter(json.loads(answer.read()))


def _serve(keys: int, port: int) -> None:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.s3.models import S3Backend, s3_backends
    from werkzeug.serving import WSGIRequestHandler, make_server

    backend: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for bucket in (BUCKET, CONTROL_BUCKET):
        backend.create_bucket(bucket, "us-west-2")
    for number in range(keys):
        backend.put_object(BUCKET, key(number), content(number), etag=etag(number))

    # moto looks through all keys for each page. It is asked once for what all pages of a listing are of.
    whole, changed = S3Backend.list_objects, [0]
    listed: dict[Any, Any] = {}

    def list_objects(self: Any, bucket: Any, *which: Any, **named: Any) -> Any:
        asked = (bucket.name, which, tuple(named.items()), changed[0])
        if asked not in listed:
            listed[asked] = whole(self, bucket, *which, **named)
        return listed[asked]

    S3Backend.list_objects = list_objects
    counted: Counter[str] = Counter()
    moto: Any = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]
        if path == "/requests":
            start_response("200 OK", [("Content-Type", "application/json")])
            told = json.dumps(counted).encode()
            counted.clear()
            return [told]
        if method in ("PUT", "POST", "DELETE"):
            changed[0] += 1
            listed.clear()
        kind = "LIST" if "list-type" in query else f"{method} song" if f"/{PREFIX}" in path else method
        counted[kind] += 1
        return moto(environ, start_response)

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            """Say nothing."""

    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
