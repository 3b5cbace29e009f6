"""The range of log dates that a run loads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sparkify.loading.exceptions import SettingsError

# Ten years. Longer ranges are slips such as 1024 for 2024: they would ask S3 for each month, and fill every page.
LONGEST_RANGE_DAYS = 3_660
HOW_TO_GIVE_ONE = "Trigger the DAG with the param log_date, for example log_date=2018-11-01."
# A run that the timetable made knows its date; a param that says otherwise would load another one under its name.
DATED_BY_THE_TIMETABLE = ("scheduled", "backfill")


@dataclass(frozen=True)
class LogDates:
    """All dates from ``first`` to ``last``, both included; one date is the usual case.

    Iterating gives each date in order; ``str()`` gives ``2018-11-01`` or ``2018-11-01 to 2018-11-30``.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SettingsError(
                f"through={self.last} lies before log_date={self.first}. "
                "Give through as the last log date to load, on or after log_date."
            )
        if self.last - self.first > timedelta(LONGEST_RANGE_DAYS):
            raise SettingsError(
                f"log_date={self.first} and through={self.last} lie {(self.last - self.first).days:,} days apart, and "
                f"one run loads at most {LONGEST_RANGE_DAYS:,} days after log_date. Check the years of both dates; "
                "load a longer range by several runs, or by a backfill."
            )

    @classmethod
    def of_run(cls, context: Mapping[str, Any]) -> LogDates:
        """The log dates of the run whose template context this is.

        :param context: Airflow's task context: ``params``, ``dag_run`` and, where the run has a logical date, ``ds``.
        :raises SettingsError: if no date is given, one is not a date, the range is too long or ends after tomorrow, or
            a run of the timetable has the param.
        """
        params = context.get("params") or {}
        log_date, through = params.get("log_date"), params.get("through")
        run_type = str(getattr(context.get("dag_run"), "run_type", ""))
        run_type = run_type.rsplit(".", 1)[-1].lower()
        if run_type in DATED_BY_THE_TIMETABLE and (log_date or through):
            raise SettingsError(
                f"This is a {run_type} run: its log date is its logical date ({context.get('ds')}), "
                "and the params log_date and through must stay empty. " + HOW_TO_GIVE_ONE
            )
        chosen = log_date or context.get("ds")
        if not chosen:
            raise SettingsError(f"This run has neither a log date nor a logical date. {HOW_TO_GIVE_ONE}")
        first = parse_date("log_date", chosen)
        if not through:
            return cls(first, first)
        dates = cls(first, parse_date("through", through))
        # Tomorrow in UTC has begun already for a user east of it.
        tomorrow = datetime.now(UTC).date() + timedelta(1)
        if dates.last > tomorrow:
            raise SettingsError(
                f"through={dates.last} lies after tomorrow ({tomorrow} UTC), and no file of that day can be there yet. "
                "Check its year; give through as the last log date to load."
            )
        return dates

    def __iter__(self) -> Iterator[date]:
        for days in range(len(self)):
            yield self.first + timedelta(days)

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def parse_date(name: str, text: object) -> date:
    """The date that a param's text ``YYYY-MM-DD`` names; anything else is a :class:`SettingsError`."""
    if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise SettingsError(f"{name}={text!r} is not a date. Give it as YYYY-MM-DD, for example 2018-11-01.")
