"""How fast the stand-in's COPY is and what memory it takes, and what a statement costs that passes through it.

COPY goes from S3 through the stand-in into PostgreSQL; psql copies the same rows as CSV into the same table, in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import psutil
import psycopg
from rich.console import Console

from benchmarks import PROJECT, copy_data
from benchmarks.copy_report import as_markdown, as_svg, as_table
from local.redshift.load.source import FETCHERS
from local.stack import connections, databases
from local.stack.binaries import binaries
from local.stack.stack import temporary

SCHEMA = "copy_speed"
EVENT_COLUMNS = (
    "artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page, "
    "registration, session_id, song, status, ts, user_agent, user_id"
)
SONG_COLUMNS = (
    "num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, "
    "year"
)
SAMPLE_SECONDS = 0.05
# How many times the objects of one measurement of memory, by what they are called.
MEMORY_SIZES = {"1x": 0.25, "4x": 1.0, "16x": 4.0}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One measured value and the limit it has to keep."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether it keeps its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Memory:
    """The stand-in's resident memory in MiB while it loads, by the share of the load's time that has passed."""

    name: str
    rows: int
    samples: list[float] = field(default_factory=list)


class CopySpeed:
    """Measures one running stack; what it makes there is gone when it is left.

    :param stack: the running PostgreSQL, S3 and stand-in.
    :param folder: for the CSV file.
    """

    def __init__(self, stack: Any, folder: Path, tell: Tell = lambda _: None) -> None:
        self._stack, self._folder, self._tell = stack, folder, tell
        self._bucket = connections.SOURCE_BUCKET
        self._jsonpaths = {}
        for name in ("log_events", "songs"):
            key = f"{copy_data.PREFIX}{name}.jsonpaths"
            body = (PROJECT / "include" / "jsonpaths" / f"{name}.json").read_bytes()
            self._jsonpaths[name] = self._put(key, body)

    def __enter__(self) -> CopySpeed:
        redshift = connections.redshift_arguments(self._stack.home)
        self._dsn = psycopg.conninfo.make_conninfo(
            host=redshift["host"], port=redshift["port"], dbname=redshift["database"], user=redshift["user"],
            password=redshift["password"],
        )  # fmt: skip
        self._admin_dsn = databases.admin_dsn(self._stack.home, databases.WAREHOUSE)
        self._stand_in = psycopg.connect(self._dsn, autocommit=True)
        self._stand_in.execute(f"create schema {SCHEMA}")
        self._stand_in.execute(f"set search_path to {SCHEMA}")
        for statement in (PROJECT / "include" / "sql" / "schema" / "staging.sql").read_text().split(";"):
            if statement.strip():
                self._stand_in.execute(statement)
        return self

    def __exit__(self, *failure: object) -> None:
        self._stand_in.execute(f"drop schema {SCHEMA} cascade")
        self._stand_in.close()
        for key in copy_data.keys(self._stack.s3, self._bucket):
            self._stack.s3.delete_object(Bucket=self._bucket, Key=key)

    # --- the figures

    def speeds(self, *, events: int, objects: int, repeats: int) -> list[Figure]:
        """COPY of NDJSON, plain and gzipped, against psql's of CSV; the files are kept for `memory`."""
        self._tell(f"making {events:,} events")
        self._files = copy_data.put_events(self._stack.s3, self._bucket, self._folder, events=events, objects=objects)
        ways: dict[str, Callable[[], None]] = {
            "psql": self._psql,
            "plain": lambda: self._copy_events(self._files.plain),
            "gzip": lambda: self._copy_events(self._files.gzipped, "gzip"),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for repeat in range(repeats):
            for way, load in ways.items():
                seconds[way].append(self._timed("staging_events", events, load))
                self._tell(f"{way}, {repeat + 1} of {repeats}: {events / seconds[way][-1]:,.0f} rows/s")
        rates = {way: events / median(taken) for way, taken in seconds.items()}
        return [
            Figure(
                f"COPY of {events:,} events, {way}", rates[way] / rates["psql"], limit, "of psql", at_least=True,
                detail=f"{rates[way]:,.0f} rows/s, psql {rates['psql']:,.0f}",
            )
            for way, limit in (("plain", 0.60), ("gzip", 0.55))
        ]  # fmt: skip

    def memory(self) -> tuple[list[Figure], list[Memory]]:
        """The stand-in's most resident memory while it loads less and more; after `speeds`."""
        loads = []
        process = _listening(int(connections.redshift_arguments(self._stack.home)["port"]))
        for name, times in MEMORY_SIZES.items():
            count = max(1, round(len(self._files.plain) * times))
            addresses = (self._files.plain * (count // len(self._files.plain) + 1))[:count]
            rows = sum(self._files.rows_of(address) for address in addresses)
            load = Memory(name, rows)
            with _sampled(process, load.samples):
                self._timed("staging_events", rows, functools.partial(self._copy_events, addresses))
            loads.append(load)
            self._tell(f"memory, {name}: {max(load.samples):,.0f} MiB")
        figures = [
            Figure(f"Memory of the stand-in, {load.name} ({load.rows:,} events)", max(load.samples), 400, "MiB")
            for load in loads
        ]
        return figures, loads

    def small_objects(self, *, songs: int, repeats: int) -> Figure:
        """COPY of one-object files against fetching them by as many threads."""
        self._tell(f"uploading {songs:,} song files")
        keys = copy_data.put_songs(self._stack.s3, self._bucket, songs)
        s3 = connections.s3_client(self._stack.home, connections=FETCHERS)

        def fetch() -> None:
            with ThreadPoolExecutor(FETCHERS) as pool:
                list(pool.map(lambda key: s3.get_object(Bucket=self._bucket, Key=key)["Body"].read(), keys))

        def load() -> None:
            self._copy(f"staging_songs ({SONG_COLUMNS})", [f"s3://{self._bucket}/{key}" for key in keys], "songs")

        bare, copied = [], []
        for repeat in range(repeats):
            bare.append(_seconds(fetch))
            copied.append(self._timed("staging_songs", songs, load))
            self._tell(f"song files, {repeat + 1} of {repeats}: bare {bare[-1]:.1f} s, COPY {copied[-1]:.1f} s")
        detail = f"{median(copied):.1f} s, bare GETs {median(bare):.1f} s"
        return Figure(
            f"COPY of {songs:,} song files", median(copied) / median(bare), 1.2, "times bare GETs", detail=detail
        )

    def round_trips(self, count: int) -> Figure:
        """What a statement takes longer through the stand-in."""
        taken: dict[str, list[float]] = {}
        with psycopg.connect(self._admin_dsn, autocommit=True) as direct:
            sides = {"PostgreSQL": direct, "stand-in": self._stand_in}
            for _ in range(count):
                for side, connection in sides.items():
                    ask = functools.partial(connection.execute, "select 1")
                    taken.setdefault(side, []).append(_seconds(ask))
        through, own = (median(taken[side]) * 1000 for side in ("stand-in", "PostgreSQL"))
        return Figure(
            "A statement's overhead", through - own, 1.0, "ms", detail=f"{through:.2f} ms, PostgreSQL {own:.2f} ms"
        )

    # --- how

    def _put(self, key: str, body: bytes) -> str:
        self._stack.s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return f"s3://{self._bucket}/{key}"

    def _copy_events(self, addresses: list[str], options: str = "") -> None:
        self._copy(f"staging_events ({EVENT_COLUMNS})", addresses, "log_events", options)

    def _copy(self, table: str, addresses: list[str], jsonpaths: str, options: str = "") -> None:
        listed = self._put(f"{copy_data.PREFIX}manifest", copy_data.manifest(addresses))
        paths = self._jsonpaths[jsonpaths]
        self._stand_in.execute(f"copy {table} from '{listed}' iam_role default json '{paths}' manifest {options}")

    def _psql(self) -> None:
        command = f"\\copy {SCHEMA}.staging_events ({EVENT_COLUMNS}) from '{self._files.csv}' csv"
        psql = str(binaries() / "bin" / "psql")
        subprocess.run([psql, "-qX", "-v", "ON_ERROR_STOP=1", "-c", command, self._admin_dsn], check=True)

    def _timed(self, table: str, rows: int, load: Callable[[], None]) -> float:
        """The seconds of a load into an empty table that nothing else writes to the disk beside."""
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            admin.execute(f"truncate {SCHEMA}.{table}")
            admin.execute("checkpoint")
            seconds = _seconds(load)
            found = admin.execute(f"select count(*) from {SCHEMA}.{table}").fetchone()
        if found != (rows,):
            raise RuntimeError(
                f"{table} holds {found} rows after a load of {rows:,}: what was measured is not what was meant."
            )
        return seconds


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _listening(port: int) -> psutil.Process:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections("tcp")):
                return process
    raise RuntimeError(f"No process of this account listens on port {port}, so its memory cannot be measured.")


@contextlib.contextmanager
def _sampled(process: psutil.Process, samples: list[float]) -> Iterator[None]:
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            samples.append(process.memory_info().rss / 2**20)

    samples.append(process.memory_info().rss / 2**20)
    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and show; returns 1 if a limit does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copy_speed", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000, help="(default: %(default)s)")
    parser.add_argument("--objects", type=int, default=30, help="objects the events are in (default: %(default)s)")
    parser.add_argument("--songs", type=int, default=15_000, help="one-object files (default: %(default)s)")
    parser.add_argument("--round-trips", type=int, default=400, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="of every load (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the result as a page of Markdown")
    options = parser.parse_args(arguments)
    progress = Console(stderr=True, highlight=False)
    started = time.monotonic()

    def tell(message: str) -> None:
        progress.print(f"{time.monotonic() - started:6.0f} s  {message}", markup=False)

    with (
        tempfile.TemporaryDirectory(prefix="sparkify-bench-") as name,
        temporary(Path(name) / "home", ("postgres", "s3", "redshift")) as running,
    ):
        stack = SimpleNamespace(home=running.home, s3=connections.s3_client(running.home, copy_data.UPLOADERS))
        with CopySpeed(stack, Path(name), tell) as measured:
            figures = measured.speeds(events=options.events, objects=options.objects, repeats=options.repeats)
            memory_figures, loads = measured.memory()
            figures += memory_figures
            figures.append(measured.small_objects(songs=options.songs, repeats=options.repeats))
            figures.append(measured.round_trips(options.round_trips))
    Console(highlight=False).print(as_table(figures))
    if options.write:
        picture = options.write.parent / "images" / "copy-memory.svg"
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(as_svg(loads))
        options.write.write_text(as_markdown(figures, objects=options.objects, repeats=options.repeats))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
