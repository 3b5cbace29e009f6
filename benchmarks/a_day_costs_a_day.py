"""A day costs a day: one date loaded beside little history and beside much takes as long.

Every task of the daily DAG is run in this process, by its own operator, against the stand-in; once with one day of
history and once with many, in turns, so that whatever else the machine does slows both. Then songs come late beside
much history: what their plays' new matches cost.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.history import SONGS, Days
from benchmarks.report import as_markdown, as_table, late_songs_table
from local.stack import connections, databases
from local.stack.stack import temporary

if TYPE_CHECKING:
    from tests.pipeline import Pipeline

DAG_ID = "sparkify_daily"
LITTLE = 1
KINDS = ("A new date", "The same date again")
MOST_RATIO = 1.25
# What a task of some milliseconds takes longer or shorter from one run to the next on a machine that is not idle.
NOISE_SECONDS = 0.030

# How many songs are new in a run of the second benchmark.
NEW_SONGS = (0, 1, 100)
# The tables that loading a date again leaves as they are.
WRITTEN = ("songplays", "users", "time")

Tell = Callable[[str], None]


@dataclass
class Timing:
    """The seconds that one task took, run by run, beside little history and beside much."""

    task: str
    little: list[float] = field(default_factory=list)
    much: list[float] = field(default_factory=list)

    @property
    def medians(self) -> tuple[float, float]:
        """The median beside little history, and beside much."""
        return median(self.little), median(self.much)

    @property
    def ratio(self) -> float:
        """How many times as long it takes beside much history."""
        little, much = self.medians
        return much / little

    @property
    def holds(self) -> bool:
        """Whether a day costs a day, as far as this can be told from noise."""
        little, much = self.medians
        return self.ratio <= MOST_RATIO or much - little <= NOISE_SECONDS


@dataclass
class Case:
    """The timings of one kind of load; the last is of all tasks together."""

    kind: str
    timings: list[Timing]

    @property
    def total(self) -> Timing:
        """All tasks of a run, one after the other."""
        return Timing(
            "all tasks",
            [sum(run) for run in zip(*(timing.little for timing in self.timings), strict=True)],
            [sum(run) for run in zip(*(timing.much for timing in self.timings), strict=True)],
        )


@dataclass
class LateSongs:
    """The seconds that each task took in a run in which songs were new, whose plays had been loaded before."""

    songs: int
    plays: int
    seconds: dict[str, float]


def measure(
    stack: Any,
    set_environment: Callable[[str, str], None],
    *,
    days: int,
    events_per_day: int,
    repeats: int,
    tell: Tell = lambda _: None,
) -> tuple[list[Case], list[LateSongs]]:
    """Time the loads of ``repeats`` new dates, each once and once again, beside one day and ``days`` of history.

    Then those of the last of them beside much history, when songs are new.
    """
    # Only now, for the whole of Airflow is imported with it.
    from tests.pipeline import Pipeline, load_dag

    dates = Days(databases.admin_dsn(stack.home, databases.WAREHOUSE), events_per_day)
    tasks = [task.task_id for task in load_dag(DAG_ID).topological_sort()]
    with ExitStack() as cleaning:
        sides = []
        for history in (LITTLE, days):
            pipeline = Pipeline(stack, set_environment)
            cleaning.callback(_drop, pipeline)
            _prepare(pipeline, dates, history, tell)
            sides.append((pipeline, history))
        cases = [Case(kind, [Timing(task) for task in tasks]) for kind in KINDS]
        for repeat in range(repeats):
            tell(f"measuring, {repeat + 1} of {repeats}")
            for pipeline, history in sides:
                pipeline.put(dates.file(history + repeat))
            for case in cases:
                # Who goes first changes each time: what the machine keeps warm for the second shall favour neither.
                for side in (0, 1) if repeat % 2 == 0 else (1, 0):
                    pipeline, history = sides[side]
                    seconds = _run(pipeline, tasks, dates, history + repeat)
                    for timing, taken in zip(case.timings, seconds, strict=True):
                        (timing.little, timing.much)[side].append(taken)
        pipeline, history = sides[1]
        return cases, list(_late_songs(pipeline, tasks, dates, history + repeats - 1, tell))


def _late_songs(pipeline: Pipeline, tasks: Sequence[str], dates: Days, day: int, tell: Tell) -> Iterator[LateSongs]:
    """Deliver songs that were played long before, more each time, and load a date beside which they come."""
    first = SONGS
    # The other side may have been the last to run.
    pipeline.set_connection("aws_default", pipeline.aws)
    for songs in NEW_SONGS:
        tell(f"measuring, {songs} new song(s)")
        pipeline.put(dates.catalogue(first, songs) if songs else {})
        before = _matched(pipeline)
        seconds = _run(pipeline, tasks, dates, day)
        yield LateSongs(songs, _matched(pipeline) - before, dict(zip(tasks, seconds, strict=True)))
        first += songs


def _matched(pipeline: Pipeline) -> int:
    return int(pipeline.rows("select count(*) from songplays where song_id is not null")[0][0])


def _prepare(pipeline: Pipeline, dates: Days, history: int, tell: Tell) -> None:
    """Make the schema, and its history as if loaded; then load the history's last date again, unmeasured."""
    pipeline.run(dag_id="sparkify_schema")
    pipeline.put(dates.catalogue())
    pipeline.run(dates.log_date(0), only=("stage_songs", "songs", "artists"))
    dates.fill(pipeline.schema, history, lambda step: tell(f"{history:,} day(s) of history: {step}"))
    tell(f"{history:,} day(s) of history: loading one of them again")
    pipeline.put(dates.file(history - 1))
    log_date = dates.log_date(history - 1)
    counts = pipeline.run(log_date)
    written = sum(counts[task][f"rows_{what}"] for task in WRITTEN for what in ("inserted", "updated", "deleted"))
    ((plays,),) = pipeline.rows(f"select count(*) from songplays where log_date = '{log_date}'")
    if written or plays != dates.events_per_day:
        raise RuntimeError(
            f"Loading a date of the made-up history again wrote {written} rows of the star, and should write none; the "
            f"date has {plays} plays, and should have {dates.events_per_day}. The history is not what loads would have "
            "left, and a measurement beside it says nothing. Correct benchmarks/history.py."
        )


def _run(pipeline: Pipeline, tasks: Sequence[str], dates: Days, day: int) -> list[float]:
    """Load a date task by task; returns the seconds of each."""
    pipeline.set_connection("aws_default", pipeline.aws)
    seconds = []
    for task in tasks:
        with _no_garbage_collection():
            started = time.perf_counter()
            pipeline.run(dates.log_date(day), only=(task,))
            seconds.append(time.perf_counter() - started)
    return seconds


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Going over all of Airflow's objects takes a quarter of a second, in whichever task it happens to fall due."""
    gc.collect()
    # What lives on need not be gone over again before the next task.
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _drop(pipeline: Pipeline) -> None:
    pipeline.set_connection("aws_default", pipeline.aws)
    pipeline.drop()


@contextlib.contextmanager
def _stack(folder: Path) -> Iterator[Any]:
    os.environ["AIRFLOW_HOME"] = str(folder / "airflow")
    # Each task logs some lines a run, which would bury the result; what fails raises.
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    with temporary(folder / "home", ("postgres", "s3", "redshift")) as running:
        yield SimpleNamespace(
            home=running.home,
            env=connections.environment(running.home),
            s3=connections.s3_client(running.home),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and show; returns 1 if a day costs more than a day."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.a_day_costs_a_day", description=__doc__)
    parser.add_argument("--days", type=int, default=1000, help="days of history (default: %(default)s)")
    parser.add_argument("--events-per-day", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="new dates to load (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the result as a page of Markdown")
    options = parser.parse_args(arguments)
    progress = Console(stderr=True, highlight=False)
    started = time.monotonic()

    def tell(message: str) -> None:
        progress.print(f"{time.monotonic() - started:6.0f} s  {message}", markup=False)

    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as folder, _stack(Path(folder)) as stack:
        sizes = {"days": options.days, "events_per_day": options.events_per_day, "repeats": options.repeats}
        cases, late = measure(stack, os.environ.__setitem__, **sizes, tell=tell)
    console = Console(highlight=False)
    for case in cases:
        console.print(as_table(case, options.days))
    console.print(late_songs_table(late, options.days * options.events_per_day))
    if options.write:
        options.write.write_text(as_markdown(cases, late, **sizes))
    return 0 if all(timing.holds for case in cases for timing in (*case.timings, case.total)) else 1


if __name__ == "__main__":
    sys.exit(main())
