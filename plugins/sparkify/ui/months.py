"""Log dates laid out as calendar months."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sparkify.ui.log_date_states import LogDate

WEEKDAYS = tuple(calendar.day_abbr)


@dataclass(frozen=True)
class Month:
    """A month; ``weeks`` are rows of seven, Monday first, None where another month's day or no known date would be."""

    name: str
    weeks: list[list[date | LogDate | None]]


def of_dates(dates: Mapping[date, LogDate]) -> list[Month]:
    """The months that hold any of the dates, the latest first.

    A cell is a :class:`LogDate`, or the bare date where nothing is known of it, or None outside the month.
    """
    months = sorted({(log_date.year, log_date.month) for log_date in dates}, reverse=True)
    return [_month(year, month, dates) for year, month in months]


def _month(year: int, month: int, dates: Mapping[date, LogDate]) -> Month:
    weeks = calendar.monthcalendar(year, month)
    return Month(
        f"{calendar.month_name[month]} {year}",
        [
            [dates.get(date(year, month, day), date(year, month, day)) if day else None for day in week]
            for week in weeks
        ],
    )
