"""Finds out whether all files of a run's log dates have arrived, and how long the run waits for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sparkify.loading.exceptions import OverdueError
from sparkify.loading.load_errors import SHOWN
from sparkify.loading.shown import shown

if TYPE_CHECKING:
    from sparkify.loading.log_dates import LogDates
    from sparkify.loading.settings import Settings
    from sparkify.loading.source import Source
    from sparkify.loading.source_files import Catalogue, DatedFiles
    from sparkify.loading.waiting import Waiting

FAIL, SKIP, WAIT = MISSING_FILE = ("fail", "skip", "wait")


@dataclass(frozen=True)
class Arrival:
    """What had arrived of a run's log dates at a moment.

    :param at: the moment.
    :param missing: the dates without a file.
    :param unfinished: the dates of which more parts may come, each with the time when its youngest file changed.
    """

    at: datetime
    missing: Sequence[date]
    unfinished: Mapping[date, datetime]

    @classmethod
    def look(cls, source: Source, dated: DatedFiles, dates: LogDates, at: datetime) -> Arrival:
        """Look into the bucket."""
        waiting = source.settings.waiting
        missing, unfinished = [], {}
        for log_date, files in source.dated_files(dated, dates).items():
            if not files:
                missing.append(log_date)
            elif any(dated.is_part(file.key, log_date) for file in files):
                youngest = max(file.changed_at or at for file in files)
                if waiting.marker:
                    is_finished = source.has(waiting.marker.prefix(log_date))
                else:
                    is_finished = at - youngest >= waiting.stillness
                if not is_finished:
                    unfinished[log_date] = youngest
        return cls(at, missing, unfinished)

    def next_look(self, deadline: datetime, waiting: Waiting) -> datetime | None:
        """When to look again; None if the deadline has passed.

        What arrived by the deadline may lie unchanged for long enough only after it.
        """
        settled = None
        if self.unfinished and not self.missing and not waiting.marker:
            settled = max(self.unfinished.values()) + waiting.stillness
        if self.at < deadline:
            look_at = min(self.at + waiting.pause, deadline, *([settled] if settled else []))
        elif settled and settled - waiting.stillness <= deadline:
            look_at = settled
        else:
            return None
        return max(look_at, self.at + timedelta(seconds=1))

    def unfinished_in_words(self, settings: Settings) -> str:
        """Which parts may not be all there, and what would say that they are."""
        if settings.waiting.marker:
            marker = settings.waiting.marker.prefix(min(self.unfinished))
            return (
                f"Log date {_listed(self.unfinished)} has parts, and no marker says that they are all there: expected "
                f"s3://{settings.bucket}/{marker}."
            )
        changed_at = _moment(max(self.unfinished.values()))
        return (
            f"The parts of log date {_listed(self.unfinished)} changed at {changed_at}, and count as all there when "
            f"none has changed for {settings.waiting.still_minutes} minutes."
        )


@dataclass(frozen=True)
class Pause:
    """Why a run waits, and until when before it looks again. ``str()`` is a sentence for the task's log."""

    reason: str
    until: datetime
    deadline: datetime

    def __str__(self) -> str:
        return (
            f"{self.reason} Waiting until {_moment(self.deadline)}, without a worker; the next look is at "
            f"{_moment(self.until)}."
        )


def waits(missing_file: str, context: Mapping[str, Any]) -> bool:
    """Whether the run waits for its files: a scheduled one, which begins when its date ends, or one that is told to."""
    return missing_file == WAIT or (missing_file == FAIL and _kind(context) == "scheduled")


def pause_before(
    source: Source,
    dated: DatedFiles,
    dates: LogDates,
    context: Mapping[str, Any],
    others: Sequence[DatedFiles | Catalogue] = (),
) -> Pause | None:
    """How long to wait before another look; None if all files are there.

    :param context: Airflow's task context.
    :param others: files that other tasks load.
    :raises DataError: if they are not there and the deadline has passed.
    """
    arrival = Arrival.look(source, dated, dates, datetime.now(UTC))
    if not arrival.missing and not arrival.unfinished:
        return None
    waiting = source.settings.waiting
    deadline = deadline_of(dates, waiting, context)
    look_at = arrival.next_look(deadline, waiting)
    sentences = []
    if arrival.missing:
        # Only at the end is it worth to ask S3 where else the file may be.
        sentences.append(no_file(source, dated, arrival.missing, None if look_at else others))
    if arrival.unfinished:
        sentences.append(arrival.unfinished_in_words(source.settings))
    if look_at is not None:
        return Pause(" ".join(sentences), look_at, deadline)
    raise OverdueError(
        f"{' '.join(sentences)} It was due by {_moment(deadline)} (sparkify.arrive_by_hours is "
        f"{waiting.arrive_by_hours}). Deliver what is missing and clear this task; or trigger the DAG by hand with "
        "log_date, which loads what is there."
    )


def deadline_of(dates: LogDates, waiting: Waiting, context: Mapping[str, Any]) -> datetime:
    """Until when the run waits: so many hours after its last date's end.

    A run by hand or of a backfill, which may be of a date long ago, has at least as many hours from its beginning.
    """
    deadline = datetime.combine(dates.last + timedelta(1), time(), UTC) + waiting.patience
    began = getattr(context.get("dag_run"), "start_date", None)
    if began is not None and _kind(context) != "scheduled":
        deadline = max(deadline, began + waiting.patience)
    return deadline


def no_file(
    source: Source, dated: DatedFiles, missing: Sequence[date], others: Sequence[DatedFiles | Catalogue] | None
) -> str:
    """Which dates have no file, where it was expected, and which files may be meant.

    :param others: files that other tasks load; None to look for none.
    """
    sentence = (
        f"No file for log date {_listed(missing)}: expected {dated.expected(source.settings.bucket, missing[0])}."
    )
    misnamed = [] if others is None else source.misnamed(dated, missing[0], others)
    if misnamed:
        more = f" and {len(misnamed) - SHOWN} more" if len(misnamed) > SHOWN else ""
        named = ", ".join(map(shown, misnamed[:SHOWN])) + more
        sentence += f" There is {named}, which no load reads: rename or move it."
    return sentence


def _listed(log_dates: Collection[date]) -> str:
    more = f" and {len(log_dates) - SHOWN} more" if len(log_dates) > SHOWN else ""
    return ", ".join(map(str, sorted(log_dates)[:SHOWN])) + more


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _kind(context: Mapping[str, Any]) -> str:
    return str(getattr(context.get("dag_run"), "run_type", "")).rsplit(".", 1)[-1].lower()
