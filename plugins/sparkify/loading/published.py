"""What a task publishes of its work as XCom; the page and the run's note read it there, not in the warehouse.

Who may write XComs of a run may write these too, and another version of this package wrote its own. Who reads one gets
a record of this version, or None.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sparkify.loading.exceptions import Sentence, SettingsError
from sparkify.loading.history import utc_now
from sparkify.loading.log_dates import LogDates

if TYPE_CHECKING:
    from sparkify.loading.checks import CheckResult
    from sparkify.loading.history import Load

logger = logging.getLogger(__name__)

#: The XCom keys. A task that is run again replaces what it published before.
LOAD = "sparkify_load"
CHECKS = "sparkify_checks"
FAILURE = "sparkify_failure"
#: Of the records below; another one means another shape.
VERSION: Literal[1] = 1
# Airflow's metadata database is no place for long texts; all of them stand in data_quality_results.
LONGEST_SAMPLE, LONGEST_TEXT = 4_000, 2_000
# No table has more rows: a larger number is no count.
MOST = 10**15

Version = Literal[1]
Count = Annotated[int, Field(strict=True, ge=-MOST, le=MOST)]
Text = Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)]
Names = Annotated[str, Field(strict=True, max_length=100_000)]
Severity = Literal["error", "warn"]  # as sparkify.loading.checks.SEVERITIES
RECORD = ConfigDict(extra="forbid")

Record = TypeVar("Record", "PublishedLoad", "PublishedChecks", "PublishedFailure")


@dataclass(frozen=True, slots=True, config=RECORD)
class DateCounts:
    """What a load counted of one log date: files, lines and refused lines of what was staged, rows of a fact table."""

    files: Count = 0
    lines: Count = 0
    refused: Count = 0
    rows: Count = 0


@dataclass(frozen=True, slots=True, config=RECORD)
class PublishedLoad:
    """A load: its row of ``load_history``, and its counts of the run's log dates.

    ``first`` and ``last`` are None for a table that knows no log date. A date of theirs that is not in ``dates`` had no
    file, or has no row. ``elsewhere`` are the rows of other dates, of which the load has written some.
    """

    version: Version
    table: Text
    first: date | None
    last: date | None
    started_at: AwareDatetime
    ended_at: AwareDatetime
    files: Count = 0
    bytes: Count = 0
    rows_staged: Count = 0
    rows_refused: Count = 0
    rows_deleted: Count = 0
    rows_inserted: Count = 0
    rows_updated: Count = 0
    dates: Mapping[date, DateCounts] = Field(default_factory=dict)
    elsewhere: Mapping[date, Count] = Field(default_factory=dict)

    @property
    def log_dates(self) -> LogDates | None:
        """The dates that it is of."""
        return LogDates(self.first, self.last) if self.first and self.last else None

    def rows_of(self, log_date: date) -> int | None:
        """How many rows its table has of a date since this load; None if the date is none of the run's."""
        if not (self.first and self.last and self.first <= log_date <= self.last):
            return None
        return self.dates[log_date].rows if log_date in self.dates else 0


@dataclass(frozen=True, slots=True, config=RECORD)
class BrokenCheck:
    """A check that did not pass, and some of the offending rows, each a value a column; ``offending`` is None if it
    could not run, and ``error`` then says why.
    """

    check: Text
    severity: Severity
    proves: Text
    offending: Count | None
    fails: Annotated[bool, Field(strict=True)]
    error: Text
    columns: Sequence[Text]
    sample: Sequence[Sequence[Text | None]]


@dataclass(frozen=True, slots=True, config=RECORD)
class PublishedChecks:
    """What the checks of a task found: the names of those that passed, and all about those that did not.

    The page reads the names of thousands of runs at once, and a text is one object where a list is one for each.
    """

    version: Version
    first: date | None
    last: date | None
    checked_at: AwareDatetime
    passed: Mapping[Severity, Names]
    broken: Sequence[BrokenCheck]

    @property
    def log_dates(self) -> LogDates | None:
        """The dates that they looked at."""
        return LogDates(self.first, self.last) if self.first and self.last else None

    @property
    def number_passed(self) -> int:
        return sum(len(names.split()) for names in self.passed.values())


@dataclass(frozen=True, slots=True, config=RECORD)
class PublishedFailure:
    """Why a try of a task failed: the name of the error's class, and its sentence without a value of a file."""

    version: Version
    kind: Text
    told: Text

    @property
    def log_dates(self) -> None:
        """It is of those of its run."""
        return


_LOADS, _CHECKS = TypeAdapter(PublishedLoad), TypeAdapter(PublishedChecks)
_FAILURES = TypeAdapter(PublishedFailure)


def publish_load(context: Mapping[str, Any], load: Load) -> None:
    """Publish a load."""
    record = PublishedLoad(
        version=VERSION,
        table=load.table,
        first=load.log_dates.first if load.log_dates else None,
        last=load.log_dates.last if load.log_dates else None,
        started_at=load.started_at.replace(tzinfo=UTC),
        ended_at=_now(),
        dates={date.fromisoformat(log_date): DateCounts(**counts) for log_date, counts in load.by_date.items()},
        elsewhere={date.fromisoformat(log_date): change for log_date, change in load.elsewhere.items()},
        **load.counts(),
    )
    context["ti"].xcom_push(key=LOAD, value=_LOADS.dump_python(record, mode="json", exclude_defaults=True))


def publish_checks(context: Mapping[str, Any], dates: LogDates, results: Sequence[CheckResult]) -> None:
    """Publish what the checks of a task found."""
    record = PublishedChecks(
        version=VERSION,
        first=dates.first,
        last=dates.last,
        checked_at=_now(),
        passed={severity: _names_of_passed(results, severity) for severity in get_args(Severity)},
        broken=[_broken(result) for result in results if not result.passed],
    )
    context["ti"].xcom_push(key=CHECKS, value=_CHECKS.dump_python(record, mode="json"))


def publish_failure(context: Mapping[str, Any], error: Sentence) -> None:
    """Publish why this try of a task failed; another try begins by deleting it. Never fails itself."""
    record = PublishedFailure(version=VERSION, kind=type(error).__name__, told=_text(error.told))
    try:
        context["ti"].xcom_push(key=FAILURE, value=_FAILURES.dump_python(record, mode="json"))
    except Exception as why:
        # The error itself is what must reach the log.
        logger.info("Why the task failed could not be published (%s).", type(why).__name__)


def read_load(value: object) -> PublishedLoad | None:
    """The load in an XCom; None if it is not of this version and shape."""
    return _read(_LOADS, value)


def read_checks(value: object) -> PublishedChecks | None:
    """The findings in an XCom; None if they are not of this version and shape."""
    return _read(_CHECKS, value)


def read_failure(value: object) -> PublishedFailure | None:
    """The failure in an XCom; None if it is not of this version and shape."""
    return _read(_FAILURES, value)


def counted(number: int, what: str) -> str:
    """``1 file``, ``1,234 lines``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def unreadable(number: int, who: str) -> str:
    """``1 run published something that this version cannot read``; who is a run or a task."""
    return f"{counted(number, who)} published something that this version cannot read"


def _read(adapter: TypeAdapter[Record], value: object) -> Record | None:
    try:
        record = adapter.validate_python(value)
        dates: LogDates | None = record.log_dates
    except (ValidationError, SettingsError):
        return None
    if isinstance(record, PublishedFailure):
        return record
    if dates is None and (record.first or record.last):
        return None
    if isinstance(record, PublishedLoad) and not all(
        dates and dates.first <= log_date <= dates.last for log_date in record.dates
    ):
        return None
    return record


def _now() -> datetime:
    return utc_now().replace(tzinfo=UTC)


def _names_of_passed(results: Sequence[CheckResult], severity: Severity) -> str:
    return " ".join(result.check.name for result in results if result.passed and result.check.severity == severity)


def _broken(result: CheckResult) -> BrokenCheck:
    sample = [[None if value is None else _text(value) for value in row] for row in result.shown_sample()]
    while len(json.dumps(sample)) > LONGEST_SAMPLE:
        sample.pop()
    return BrokenCheck(
        check=result.check.name,
        severity=result.check.severity,  # type: ignore[arg-type]  # Check.parse knows no other
        proves=_text(result.check.proves),
        offending=result.offending,
        fails=result.fails_the_task,
        error=_text(result.error),
        columns=[_text(column) for column in result.columns],
        sample=sample,
    )


def _text(value: object) -> str:
    """A value as text that every database keeps: no failure to publish may fail the task."""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST_TEXT]
