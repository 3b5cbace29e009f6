"""The benchmark's figures for a reader: in the terminal, and as a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
from rich.table import Table

if TYPE_CHECKING:
    from benchmarks.a_day_costs_a_day import Case, LateSongs, Timing

PAGE = """\
# A day costs a day

Loading one log date takes as long beside {days:,} days of history as beside one. `make bench` measures it; this
page is its output (`make bench WRITE=1`). What a COPY costs: [benchmarks-copy.md](benchmarks-copy.md).

| | |
|---|---|
| Measured | {today} |
| Machine | {machine} |
| Loaded | one log date of {events_per_day:,} events, all of them plays, by every task of `sparkify_daily` |
| History | {plays:,} plays of {days:,} days, against {events_per_day:,} plays of one day |
| Figures | medians of {repeats} different dates, in milliseconds |

The two histories are schemas of one stand-in, and the loads beside them take turns. Tasks run one after the other
in one process: the figures hold the operators' own time, S3's and the warehouse's, and none of Airflow's scheduling.
The dates are those that follow the history, which therefore grows by one with each.
{tables}

A task holds if it takes at most {most_ratio:g} times as long, or at most {noise:.0f} ms longer, which is what tasks of
some ten milliseconds differ by anyway. All tasks together have to hold too.

What makes it so: `staging_events`, `songplays` and `time` are sorted by time, and a load reads of them what lies
between the first and the last moment of what it loads. Only a re-delivery that takes rows away, or a song that is new,
looks further. PostgreSQL, which stands in for Redshift here, skips blocks by BRIN indexes where Redshift does by zone
maps: the ratio says something of a cluster too, the milliseconds do not.

## Songs that come late

A song that arrives after its plays is matched to them in the run in which it arrives. What that costs beside
{plays:,} plays, measured once for each number of songs, in seconds:

{late}

A run without a new song pays nothing for it. One with new songs looks for the plays of their lengths, then for their
titles and artists among these, and leaves the plays' identities in `songplays_queue`. `songplays` works those plays out
again: where they lie days apart it names their moments one by one, so that little between is read; where they are
many it reads from the first to the last. `time` has nothing to do. What a billion plays would need:
[scaling.md](scaling.md#a-new-song-and-a-billion-plays).
"""


def as_table(case: Case, days: int) -> Table:
    """One kind of load as a table for the terminal."""
    table = Table(title=case.kind, title_justify="left")
    headings = _headings(days)
    table.add_column(headings[0])
    for heading in headings[1:]:
        table.add_column(heading, justify="right")
    for timing in case.timings:
        table.add_row(*_cells(timing))
    table.add_section()
    table.add_row(*_cells(case.total))
    return table


def late_songs_table(late: Sequence[LateSongs], plays: int) -> Table:
    """What new songs cost, as a table for the terminal."""
    table = Table(title=f"Songs that come late, beside {plays:,} plays", title_justify="left")
    headings, *rows = _late_songs(late)
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _late_songs(late: Sequence[LateSongs]) -> Iterator[tuple[str, ...]]:
    yield ("new songs", "plays matched", "stage_songs, s", "songplays, s", "all other tasks, s")
    for run in late:
        dear = [run.seconds[task] for task in ("stage_songs", "songplays")]
        others = sum(run.seconds.values()) - sum(dear)
        yield (f"{run.songs:,}", f"{run.plays:,}", *(f"{seconds:.1f}" for seconds in (*dear, others)))


def as_markdown(
    cases: Sequence[Case], late: Sequence[LateSongs], *, days: int, events_per_day: int, repeats: int
) -> str:
    """All of it as a page, with what it was measured on."""
    from benchmarks.a_day_costs_a_day import MOST_RATIO, NOISE_SECONDS

    return PAGE.format(
        days=days,
        events_per_day=events_per_day,
        late="\n".join(_late_songs_markdown(late)),
        machine=machine(),
        most_ratio=MOST_RATIO,
        noise=NOISE_SECONDS * 1000,
        plays=days * events_per_day,
        repeats=repeats,
        tables="\n".join("\n".join(_markdown_table(case, days)) for case in cases),
        today=datetime.now(UTC).date(),
    )


def _markdown_table(case: Case, days: int) -> Iterator[str]:
    headings = _headings(days)
    yield f"\n## {case.kind}\n"
    yield f"| {' | '.join(headings)} |"
    yield "|---" + "|---:" * (len(headings) - 1) + "|"
    for timing in case.timings:
        yield f"| {' | '.join(_cells(timing))} |"
    yield "| " + " | ".join(f"**{cell}**" if cell else "" for cell in _cells(case.total)) + " |"


def _late_songs_markdown(late: Sequence[LateSongs]) -> Iterator[str]:
    headings, *rows = _late_songs(late)
    yield f"| {' | '.join(headings)} |"
    yield "|" + "---:|" * len(headings)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _headings(days: int) -> tuple[str, ...]:
    return ("task", "1 day, ms", f"{days:,} days, ms", "difference, ms", "ratio", "holds")


def _cells(timing: Timing) -> tuple[str, ...]:
    little, much = (seconds * 1000 for seconds in timing.medians)
    return (
        timing.task,
        f"{little:,.0f}",
        f"{much:,.0f}",
        f"{much - little:+,.0f}",
        f"{timing.ratio:.2f}",
        "yes" if timing.holds else "no",
    )


def machine() -> str:
    """What this was measured on."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} processors ({platform.machine()}), {memory:.0f} GB of memory, {platform.system()}"
