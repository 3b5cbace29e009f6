"""Summarises the warehouse: rows a table, the most played songs, plays by weekday."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from local import query
from local.stack.home import Home
from sparkify.loading.shown import shown
from sparkify.tables import STAGING, STAR

_TABLES = [table.name for table in (*STAGING, *STAR)]
_ROWS = " union all ".join(f"select '{table}', count(*) from {table}" for table in _TABLES)
_MOST_PLAYED = """
    select count(*) as plays, songs.title, artists.name
    from songplays
    inner join songs on songplays.song_id = songs.song_id
    inner join artists on songs.artist_id = artists.artist_id
    group by songs.song_id, songs.title, artists.name
    order by plays desc, songs.song_id
    limit 5
"""
_BY_WEEKDAY = """
    select time.weekday, count(*)
    from songplays
    inner join time on songplays.start_time = time.start_time
    group by time.weekday
"""
_BAR = 40


def of_warehouse(home: Home) -> list[str]:
    """Return the lines that show what the warehouse of a home holds."""
    rows = dict(_rows(home, _ROWS))
    return [
        "Rows",
        *numbers([(table, rows[table]) for table in _TABLES]),
        "",
        "Most played",
        *(shown(f"  {plays:>10,}  {title}, by {artist}") for plays, title, artist in _rows(home, _MOST_PLAYED)),
        "",
        "Plays by weekday",
        *bars(weekdays(_rows(home, _BY_WEEKDAY))),
    ]


def weekdays(plays: Sequence[Sequence[int]]) -> list[tuple[str, int]]:
    """Return the days of the week by name, Monday first, with their plays; `plays` has 0 for Monday."""
    counted = {int(weekday): int(count) for weekday, count in plays}
    return [(name, counted.get(weekday, 0)) for weekday, name in enumerate(calendar.day_name)]


def numbers(counted: Sequence[tuple[str, int]]) -> list[str]:
    """Return a line for each name with its number."""
    width = max(cell_len(name) for name, _ in counted)
    return [f"  {set_cell_size(name, width)}  {count:>12,}" for name, count in counted]


def bars(counted: Sequence[tuple[str, int]]) -> list[str]:
    """Return a line for each name with a bar as long as its number is large."""
    width = max(cell_len(name) for name, _ in counted)
    most = max(count for _, count in counted)
    return [f"  {set_cell_size(name, width)}  {bar(count, most)} {count:,}" for name, count in counted]


def bar(number: float, most: float) -> str:
    """Return a bar for a number; that of `most` is the longest."""
    return "█" * round(_BAR * number / most) if most else ""


def _rows(home: Home, statement: str) -> list[Any]:
    return query.run(home, statement).rows
