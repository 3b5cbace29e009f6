"""How much came for each of the latest log dates, beside what is usual, and how long it took to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from sparkify.ui.log_date_states import LogDate

#: As many days are drawn, up to the latest that is loaded.
MOST_DAYS = 90
#: A day is usual that has half to twice what its weekday had: as the check staging_events.volume_is_usual has it.
WEEKS, FEWEST_WEEKS, TIMES = 8, 3, 2
# Of a drawing, whose width is that of the page.
STEP, HEIGHT = 10, 100


@dataclass(frozen=True)
class Day:
    """A log date's bar; ``low`` and ``high`` bound what is usual, and are None where too little is known.

    ``seconds`` are those of the run that loaded it, a range's divided by its dates; None where it has not said so.
    """

    log_date: date
    number: int
    plays: int | None = None
    lines: int = 0
    refused: int = 0
    seconds: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_unusual(self) -> bool:
        if self.plays is None or self.low is None or self.high is None:
            return False
        return not self.low <= self.plays <= self.high

    @property
    def x(self) -> int:
        return self.number * STEP


@dataclass(frozen=True)
class Volumes:
    """The days in order, without a gap."""

    days: list[Day]

    @property
    def width(self) -> int:
        return len(self.days) * STEP

    @property
    def loaded(self) -> list[Day]:
        """Those of which plays are known."""
        return [day for day in self.days if day.plays is not None]

    @property
    def lines(self) -> int:
        return sum(day.lines for day in self.days)

    @property
    def refused(self) -> int:
        return sum(day.refused for day in self.days)

    @property
    def refused_share(self) -> str:
        """Of the lines, in percent; no share that is above 0 is shown as 0."""
        share = 100 * self.refused / self.lines if self.lines else 0
        return "under 0.01%" if 0 < share < 0.01 else f"{share:.2f}%" if share else "0%"

    @property
    def seconds(self) -> float | None:
        """How long a date's load takes, half of them less."""
        known = [day.seconds for day in self.days if day.seconds is not None]
        return median(known) if known else None

    @property
    def slowest(self) -> Day | None:
        return max(
            (day for day in self.days if day.seconds is not None), key=lambda day: day.seconds or 0, default=None
        )

    @property
    def has_usual(self) -> bool:
        """Whether enough is known of any day to say what is usual."""
        return any(day.low is not None for day in self.days)

    @property
    def unusual(self) -> list[Day]:
        return [day for day in self.days if day.is_unusual]

    def plays_height(self, plays: float) -> float:
        """Of a bar or a bound, in the drawing's units."""
        most = max((day.plays or 0 for day in self.days), default=0)
        return round(min(HEIGHT, HEIGHT * plays / (1.1 * most)), 1) if most else 0

    def seconds_height(self, seconds: float) -> float:
        """Of a bar, in the drawing's units."""
        slowest = self.slowest
        return round(HEIGHT * seconds / slowest.seconds, 1) if slowest and slowest.seconds else 0


def volumes_of(dates: Mapping[date, LogDate]) -> Volumes:
    """The latest of the dates; none where nothing is loaded."""
    known = {log_date: found for log_date, found in dates.items() if found.plays is not None}
    if not known:
        return Volumes([])
    last = max(known)
    first = max(min(known), last - timedelta(MOST_DAYS - 1))
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return Volumes([_day(number, log_date, known) for number, log_date in enumerate(days)])


def _day(number: int, log_date: date, known: Mapping[date, LogDate]) -> Day:
    found = known.get(log_date)
    before = [known.get(log_date - timedelta(7 * weeks)) for weeks in range(1, WEEKS + 1)]
    plays = [other.plays for other in before if other is not None and other.plays is not None]
    usual = median(plays) if len(plays) >= FEWEST_WEEKS else None
    low, high = (None, None) if usual is None else (usual / TIMES, usual * TIMES)
    if found is None:
        return Day(log_date, number, low=low, high=high)
    run, counts = found.plays_run, found.counts
    return Day(
        log_date,
        number,
        plays=found.plays,
        lines=counts.lines if counts else 0,
        refused=counts.refused if counts else 0,
        seconds=run.duration / len(run.dates) if run and run.dates and run.duration is not None else None,
        low=low,
        high=high,
    )
