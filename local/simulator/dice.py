"""Chance that falls the same way everywhere.

Python promises one sequence for a seed only for `Random.random()`; `choice`, `shuffle` and the like may change with
a version, and logarithms and powers with the machine's library. So there is nothing here but `random()` and exact
arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_Item = TypeVar("_Item")


def dice(*subject: object) -> Random:
    """Return the chance that belongs to a subject: to a song, a person or a whole run."""
    return Random("/".join(map(str, subject)))


def one_of(items: Sequence[_Item], chance: Random) -> _Item:
    """Return one of the items, each as likely."""
    return items[int(chance.random() * len(items))]


def between(low: int, high: int, chance: Random) -> int:
    """Return a whole number from `low` to `high`, both included."""
    return low + int(chance.random() * (high - low + 1))


def favourite(count: int, chance: Random) -> int:
    """Return an index below `count`, small ones far more often: the n-th as often as 1 to the root of n."""
    drawn = chance.random()
    return int(drawn * drawn * count)
