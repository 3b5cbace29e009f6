"""The Sparkify page beside a long history: how long each of its parts takes to be answered.

Airflow's metadata are made up in PostgreSQL as thousands of runs would have left them: every log date is loaded again
and again. Each page is asked for many times over, by the application itself, without Airflow's check of who asks and
without a network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from local.stack.databases import metadata_url
from local.stack.stack import temporary

FIRST = date(2023, 1, 1)
MOST_MS = 300
RUNS_AT_ONCE = 500
PAGES = {
    "calendar": "/",
    "checks": "/checks",
    "all checks": "/checks?outcome=any",
    "checks, searched": "/checks?outcome=any&text=zzz",
    "loads": "/loads",
    "a log date": "/dates/2023-03-15",
}


@dataclass(frozen=True)
class PageTiming:
    """How long a page took, in milliseconds, each time it was asked for; and its size in bytes."""

    name: str
    times: Sequence[float]
    size: int

    @property
    def p50(self) -> float:
        return quantiles(self.times, n=20, method="inclusive")[9]

    @property
    def p95(self) -> float:
        return quantiles(self.times, n=20, method="inclusive")[18]

    @property
    def holds(self) -> bool:
        """Whether it is answered as fast as it should be."""
        return self.p95 <= MOST_MS


def measure(url: str, *, dates: int, runs: int, repeats: int) -> list[PageTiming]:
    """Fill the database with runs of the log dates and time every page; the first answer of each does not count."""
    # Only now, for the whole of Airflow is imported with it.
    from tests.plugins.ui.conftest import client_of
    from tests.plugins.ui.metadata import BROKEN, Made, Metadata

    metadata = Metadata(url)
    for start in range(0, runs, RUNS_AT_ONCE):
        numbers = range(start, min(start + RUNS_AT_ONCE, runs))
        metadata.add(
            *(Made(FIRST + timedelta(number % dates), broken=[BROKEN] if number % 5 == 0 else ()) for number in numbers)
        )
    client = client_of(metadata.engine)
    timings = []
    for name, address in PAGES.items():
        size = len(_answer(client, address))
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            _answer(client, address)
            times.append((time.perf_counter() - started) * 1000)
        timings.append(PageTiming(name, times, size))
    metadata.engine.dispose()
    return timings


def _answer(client: Any, address: str) -> bytes:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} was answered by {answer.status_code}: {answer.text[:500]}")
    content: bytes = answer.content
    return content


def as_table(timings: Sequence[PageTiming], dates: int, runs: int) -> Table:
    """The figures for the terminal."""
    table = Table(title=f"The Sparkify page, {dates:,} log dates, {runs:,} runs", title_justify="left")
    table.add_column("page")
    for heading in ("median, ms", "95th percentile, ms", "size, KB"):
        table.add_column(heading, justify="right")
    for timing in timings:
        table.add_row(timing.name, f"{timing.p50:.0f}", f"{timing.p95:.0f}", f"{timing.size / 1000:,.0f}")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and show; returns 1 if a page takes longer than it should."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_speed", description=__doc__)
    parser.add_argument("--dates", type=int, default=1000, help="log dates (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=10_000, help="runs of them (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=40, help="times each page is asked for (default: %(default)s)")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-bench-") as folder,
        temporary(Path(folder) / "home", ("postgres",)) as stack,
    ):
        timings = measure(metadata_url(stack.home), dates=options.dates, runs=options.runs, repeats=options.repeats)
    Console(highlight=False).print(as_table(timings, options.dates, options.runs))
    return 0 if all(timing.holds for timing in timings) else 1


if __name__ == "__main__":
    sys.exit(main())
