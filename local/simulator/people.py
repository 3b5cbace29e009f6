"""Generates listeners with a name, a place and a browser, each from a number alone."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from local.simulator import words
from local.simulator.dice import between, dice, one_of
from local.simulator.recipe import Recipe

_KEPT = 1 << 15
_DAY_MS = 86_400_000
_DAYS_BEFORE = 200

_SYSTEMS = (
    "Windows NT 6.1; WOW64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64",
    "iPhone; CPU iPhone OS 12_4 like Mac OS X", "iPad; CPU OS 12_4 like Mac OS X",
)  # fmt: skip
_ENGINES = (
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36",
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}.0 Safari/605.1.15",
    "Gecko/20100101 Firefox/{version}.0",
)


class Person(NamedTuple):
    """A user of Sparkify; `registration` in epoch milliseconds."""

    user_id: str
    first_name: str
    last_name: str
    gender: str
    location: str
    registration: float
    user_agent: str


class People:
    """The users of a recipe, numbered from 0; about as many as a third of a day's events."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.count = 10 + recipe.events_per_day // 3
        self.person = lru_cache(_KEPT)(self._person)

    def _person(self, number: int) -> Person:
        chance = dice(self._recipe.seed, "person", number)
        gender = one_of("FFM", chance)
        agent = f"Mozilla/5.0 ({one_of(_SYSTEMS, chance)}) {one_of(_ENGINES, chance)}"
        agent = agent.format(version=between(60, 120, chance))
        return Person(
            user_id=str(number + 2),
            first_name=words.first_name(gender, chance),
            last_name=words.last_name(chance),
            gender=gender,
            location=words.region(chance),
            registration=float(self._recipe.starts_at - between(_DAY_MS, _DAYS_BEFORE * _DAY_MS, chance)),
            # The real files have both.
            user_agent=f'"{agent}"' if chance.random() < 0.6 else agent,
        )
