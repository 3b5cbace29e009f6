"""Formats numbers, dates and texts for people."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

# What is no Char of XML 1.0, and so of SVG (https://www.w3.org/TR/xml/#charsets).
NO_CHARACTER = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text with U+FFFD in place of what no page and no drawing may hold, such as a control or half a surrogate."""
    return NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def number(value: float) -> str:
    """``1234`` is 1,234; a fraction has as many digits as tell something: 0.015, 3.4, 27."""
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def several(value: float, one: str, many: str | None = None) -> str:
    """``1 play``, ``2 plays``."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def multiple(value: float, of: float) -> str:
    """How many times ``of`` a value is, in figures; ``of`` is above 0."""
    return number(round(value / of, 1))


def percent(share: float, whole: float) -> str:
    """A share in percent; never rounded to 0 or 100 while it is neither."""
    if not whole:
        return "0%"
    value = 100 * share / whole
    if 0 < value < 0.01:
        return "under 0.01%"
    if 99.9 < value < 100:
        return "over 99.9%"
    return f"{value:.2g}%" if value < 1 else f"{value:.1f}%".replace(".0%", "%")


def day(value: date) -> str:
    """``1 November 2018``."""
    return f"{value.day} {calendar.month_name[value.month]} {value.year}"


def weekday(value: date) -> str:
    """``Thursday 1 November 2018``."""
    return f"{calendar.day_name[value.weekday()]} {day(value)}"


def moment(value: datetime) -> str:
    """``1 November 2018, 16:00 UTC``; the value is in UTC."""
    return f"{day(value)}, {value:%H:%M} UTC"


def span(first: date, last: date) -> str:
    """``1 to 30 November 2018``, as short as it can be told."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    if first.year == last.year:
        return f"{first.day} {calendar.month_name[first.month]} to {day(last)}"
    return f"{day(first)} to {day(last)}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None:
        return "unknown"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
