"""Made-up events and songs to measure COPY by: as JSON objects in S3, and the same events as CSV for psql."""

from __future__ import annotations

import csv
import functools
import gzip
import itertools
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import PROJECT

PREFIX = "copy-speed/"
UPLOADERS = 16
SONGS_PLAYED = 20_000
USERS = 20_000
SESSIONS = 1_000
EVENTS_A_SESSION = 30


@dataclass(frozen=True)
class EventFiles:
    """The addresses of the event objects, plain and gzipped, and the CSV file of the same rows."""

    plain: list[str]
    gzipped: list[str]
    csv: Path
    #: How many events each object holds, by its place in the lists.
    rows: list[int]

    def rows_of(self, address: str) -> int:
        """How many events a plain object holds."""
        return self.rows[self.plain.index(address)]


@functools.cache
def field_names() -> list[str]:
    """What the events' attributes are called, in the order of the staging table's columns."""
    paths = json.loads((PROJECT / "include" / "jsonpaths" / "log_events.json").read_text())["jsonpaths"]
    return [path.removeprefix("$['").removesuffix("']") for path in paths]


def put_events(s3: Any, bucket: str, folder: Path, *, events: int, objects: int) -> EventFiles:
    """Upload ``events`` events in so many objects of one line an event, and write them as one CSV file."""
    chance, edges = random.Random(events), [events * number // objects for number in range(objects + 1)]
    files = EventFiles([], [], folder / "events.csv", [last - first for first, last in itertools.pairwise(edges)])
    with files.csv.open("w", newline="") as file:
        rows = csv.writer(file)
        for number, (first, last) in enumerate(itertools.pairwise(edges)):
            own = [_event(event, chance) for event in range(first, last)]
            rows.writerows(event.values() for event in own)
            lines = (json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in own)
            body = "".join(lines).encode()
            for addresses, kind, data in (
                (files.plain, "plain", body),
                (files.gzipped, "gzip", gzip.compress(body, 6, mtime=0)),
            ):
                key = f"{PREFIX}{kind}/{number:03}.json"
                s3.put_object(Bucket=bucket, Key=key, Body=data)
                addresses.append(f"s3://{bucket}/{key}")
    return files


def put_songs(s3: Any, bucket: str, songs: int) -> list[str]:
    """Upload one object a song; returns their keys."""
    keys = [f"{PREFIX}songs/TR{number:06}.json" for number in range(songs)]
    with ThreadPoolExecutor(UPLOADERS) as pool:
        list(pool.map(lambda item: s3.put_object(Bucket=bucket, Key=item[1], Body=_song(item[0])), enumerate(keys)))
    return keys


def manifest(addresses: list[str]) -> bytes:
    """A manifest of these objects."""
    return json.dumps({"entries": [{"url": address, "mandatory": True} for address in addresses]}).encode()


def keys(s3: Any, bucket: str) -> Iterator[str]:
    """The keys of all that was uploaded."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        yield from (item["Key"] for item in page.get("Contents", []))


def _event(number: int, chance: random.Random) -> dict[str, Any]:
    """One event of one of a thousand sessions that go on at once, each of thirty events.

    Seven events in eight are plays, and every fiftieth song's name holds letters of several bytes.
    """
    session = number // (SESSIONS * EVENTS_A_SESSION) * SESSIONS + number % SESSIONS
    user, song = session * 7919 % USERS, chance.randrange(SONGS_PLAYED) if number % 8 else None
    values = (
        None if song is None else f"Artist {song % 5_000}",
        "Logged In",
        f"First {user % 700}",
        "MF"[user % 2],
        number // SESSIONS % EVENTS_A_SESSION,
        f"Last {user % 3_000}",
        None if song is None else 100 + song * 7919 % 30_000_000 / 100_000,
        "free" if user % 4 else "paid",
        f"San Francisco-Oakland-Hayward, CA {user % 90}",
        "GET" if song is None else "PUT",
        "Home" if song is None else "NextSong",
        1_540_919_166_796.0 + user,
        session,
        None if song is None else f"Título {song}" if song % 50 == 0 else f"Song {song}",
        200,
        1_541_105_830_796 + number * 37,
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36",
        str(user),
    )
    return dict(zip(field_names(), values, strict=True))


def _song(number: int) -> bytes:
    song = {
        "num_songs": 1,
        "artist_id": f"AR{number % 5_000:06}",
        "artist_latitude": 37.5,
        "artist_longitude": -122.25,
        "artist_location": "San Francisco",
        "artist_name": f"Artist {number % 5_000}",
        "song_id": f"SO{number:06}",
        "title": f"Song {number}",
        "duration": 100 + number * 7919 % 30_000_000 / 100_000,
        "year": 1990 + number % 30,
    }
    return json.dumps(song).encode()
