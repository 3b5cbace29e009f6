"""The settings that say how long a run waits for its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sparkify.loading.connections import shown_value
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.source_files import DatedFiles

# name -> (default, the least, the most); whole numbers.
NUMBERS: dict[str, tuple[int, int, int]] = {
    "arrive_by_hours": (12, 0, 240),
    "still_minutes": (5, 0, 1_440),
    "look_minutes": (5, 1, 60),
}
MARKER = "marker"
KEYS = (*NUMBERS, MARKER)
MARKER_MEANING = "a key that names its whole date, such as raw/dt={log_date}/_SUCCESS"
_FIELD = re.compile(r"\{log_date(:[%Ymd/_.-]+)?\}")
_KEY = re.compile(r"(?=.{1,500}$)(?!\.{1,2}(/|$))[\w!.()=-]+(/(?!\.{1,2}(/|$))[\w!.()=-]+)*", re.ASCII)


@dataclass(frozen=True)
class Waiting:
    """How long a run waits for its files.

    :param arrive_by_hours: after a date's end, which is midnight UTC: until then its files are waited for.
    :param still_minutes: files that are parts of a date are all there when none of them changed for so long.
    :param look_minutes: between two looks.
    :param marker: pattern of the key of an object that says that a date's parts are all there; None to let
        ``still_minutes`` say so.
    """

    arrive_by_hours: int = NUMBERS["arrive_by_hours"][0]
    still_minutes: int = NUMBERS["still_minutes"][0]
    look_minutes: int = NUMBERS["look_minutes"][0]
    marker: DatedFiles | None = None

    @property
    def patience(self) -> timedelta:
        return timedelta(hours=self.arrive_by_hours)

    @property
    def stillness(self) -> timedelta:
        return timedelta(minutes=self.still_minutes)

    @property
    def pause(self) -> timedelta:
        return timedelta(minutes=self.look_minutes)

    @classmethod
    def from_settings(cls, where: str, given: Mapping[str, Any]) -> Waiting:
        """Read from the connection's ``sparkify``; a :class:`SettingsError` names what cannot be meant.

        :param where: which connection and extra that is, for the sentence.
        """
        values: dict[str, Any] = {name: given[name] for name in KEYS if given.get(name) is not None}
        for name, (_, least, most) in NUMBERS.items():
            value = values.get(name, least)
            if type(value) is not int or not least <= value <= most:
                raise SettingsError(
                    f"{where}: sparkify.{name} is {shown_value(value)}; expected a whole number from {least} to "
                    f"{most:,}, without quotes."
                )
        if MARKER in values:
            values[MARKER] = _marker(where, values[MARKER])
        return cls(**values)


def _marker(where: str, value: object) -> DatedFiles:
    if isinstance(value, str) and _KEY.fullmatch(_FIELD.sub("D", value)):
        try:
            return DatedFiles(value)
        except ValueError:
            pass
    raise SettingsError(f"{where}: sparkify.{MARKER} is {shown_value(value)}; expected {MARKER_MEANING}.")
