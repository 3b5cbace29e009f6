"""How much happens when: by hour, by weekday, and by chance."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import accumulate, count, repeat

from local.simulator.dice import between, dice
from local.simulator.recipe import Recipe

MINUTE_MS = 60_000
_MINUTES = 60
_PERCENT = 100

# In percent of a mean hour and a mean day; UTC, busiest when America is awake.
HOURS = (
    62, 54, 50, 48, 50, 54, 60, 70, 84, 96, 106, 112, 122, 134, 148, 166, 172, 164, 152, 140, 126, 108, 76, 46,
)  # fmt: skip
WEEKDAYS = (104, 110, 124, 108, 122, 74, 58)


def minutes(recipe: Recipe) -> Iterator[tuple[int, float]]:
    """Give every minute, in epoch milliseconds, with how many events are to have been begun by its end."""
    by_minute = accumulate(_events_by_minute(recipe))
    return zip(count(recipe.starts_at, MINUTE_MS), by_minute, strict=False)


def _events_by_minute(recipe: Recipe) -> Iterator[float]:
    for date in recipe.dates:
        events = recipe.events_per_day * WEEKDAYS[date.weekday()] * _luck(recipe, date) / _PERCENT / _PERCENT
        for percent in HOURS:
            yield from repeat(events * percent / _PERCENT / len(HOURS) / _MINUTES, _MINUTES)


def _luck(recipe: Recipe, date: datetime.date) -> int:
    return between(94, 106, dice(recipe.seed, "day", date))
