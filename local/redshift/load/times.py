"""Dates and times by COPY's default formats, by TIMEFORMAT's, by 'auto' and as epochs.

Source: "DATEFORMAT and TIMEFORMAT strings" and "Using automatic recognition" in the Redshift Database Developer Guide.
"""

from __future__ import annotations

import datetime as dt
import functools
import re

DATE = "YYYY-MM-DD"
TIMESTAMP = "YYYY-MM-DD HH:MI:SS"
EPOCHS = {"epochsecs": dt.timedelta(seconds=1), "epochmillisecs": dt.timedelta(milliseconds=1)}
_BEGINNING = dt.datetime.fromtimestamp(0, dt.UTC)
_EPOCH = re.compile(r"[+-]?[0-9]{1,18}")
# What a format may hold; two-digit years, names of months and the twelve-hour clock are not certain enough.
_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "MM": r"(?P<month>[0-9]{2})",
    "DD": r"(?P<day>[0-9]{2})",
    "HH24": r"(?P<hour>[0-9]{2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "MI": r"(?P<minute>[0-9]{2})",
    "SS": r"(?P<second>[0-9]{2}(?:\.[0-9]{1,6})?)",
    **{separator: re.escape(separator) for separator in "-/:., "},
}
_PART = re.compile("|".join(map(re.escape, _PARTS)))
_OFFSET = r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_ISO = "{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
_ABSENT = {"hour": "00", "minute": "00", "second": "00", "zone": ""}


@functools.cache
def pattern(time_format: str, zoned: bool = False) -> re.Pattern[str]:
    """What matches the values of a format; ValueError if not all of it is known, or it names no date."""
    if time_format == "auto":
        clock = f"(?:[ T]{_matching('HH:MI')}(?::{_matching('SS')})?)?"
        return re.compile(_matching(DATE) + clock + (_OFFSET if zoned else "(?P<zone>Z)?"))
    try:
        compiled = re.compile(_matching(time_format) + (_OFFSET if zoned and time_format == TIMESTAMP else ""))
    except re.error as named_twice:
        raise ValueError(time_format) from named_twice
    if not {"year", "month", "day"} <= compiled.groupindex.keys():
        raise ValueError(time_format)
    return compiled


def _matching(time_format: str) -> str:
    parts = _PART.findall(time_format)
    if "".join(parts) != time_format:
        raise ValueError(time_format)
    return "".join(_PARTS[part] for part in parts)


def read(text: str, time_format: str, zoned: bool = False) -> dt.datetime:
    """The moment that a text names, in UTC if it does not say otherwise; ValueError or OverflowError if none."""
    found = _EPOCH.fullmatch(text) if time_format in EPOCHS else pattern(time_format, zoned).fullmatch(text)
    if found is None:
        raise ValueError(text)
    if time_format in EPOCHS:
        return _BEGINNING + int(text) * EPOCHS[time_format]
    written = {name: part for name, part in found.groupdict().items() if part}
    moment = dt.datetime.fromisoformat(_ISO.format_map(_ABSENT | written))
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
