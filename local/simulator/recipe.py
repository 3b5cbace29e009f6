"""The parameters of a made-up Sparkify."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from local.errors import UsageError

_DAY_MS = 86_400_000
_EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class Recipe:
    """The first log date, how many there are, and how much happens; `events_per_day` is the mean of a week."""

    start: datetime.date
    days: int
    events_per_day: int
    songs: int
    seed: int

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("events-per-day", self.events_per_day), ("songs", self.songs)):
            if value < 1:
                raise UsageError(f"--{name} is {value}, but there must be at least 1.")
        if self.start < _EPOCH:
            raise UsageError(
                f"--start is {self.start}, but events are timed from 1970 on. Give a later date, such as 2018-11-01."
            )
        longest = (datetime.date.max - self.start).days
        if self.days > longest:
            raise UsageError(
                f"--days is {self.days}, which from {self.start} ends after the year 9999. Give at most {longest}."
            )

    @property
    def last(self) -> datetime.date:
        """The last log date."""
        return self.start + datetime.timedelta(days=self.days - 1)

    @property
    def starts_at(self) -> int:
        """The first moment, in epoch milliseconds."""
        return (self.start - _EPOCH).days * _DAY_MS

    @property
    def dates(self) -> list[datetime.date]:
        """Every log date."""
        return [self.start + datetime.timedelta(days=number) for number in range(self.days)]


MONTH = Recipe(start=datetime.date(2024, 11, 1), days=30, events_per_day=10_000, songs=500, seed=1)
"""What is made when nothing else is asked for: too late to be taken for the published month of 2018."""
