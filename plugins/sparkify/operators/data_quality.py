"""Runs data-quality checks and records their results."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading import lineage
from sparkify.loading.bounds import filled, read_spans
from sparkify.loading.checks import SAMPLE_ROWS, Check, CheckResult
from sparkify.loading.driver_errors import sqlstate
from sparkify.loading.due_checks import settled
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.history import RunId, insert_rows, utc_now
from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import publish_checks
from sparkify.loading.warehouse import QUERY_CANCELED
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.lineage import Place
    from sparkify.loading.warehouse import Warehouse
WHICH = ("due", "all")


class DataQualityOperator(WarehouseOperator):
    """
    Runs all its checks, records and publishes every result, then fails if one of severity error broke.

    A file that is no check is refused when the DAG is parsed. All checks run, whatever the others find; a check of
    severity warn never fails the task, unless it could not run.

    :param checks: check files: a header (``-- name: …`` as the file, ``-- severity: error`` or ``warn``,
        ``-- proves: …``) and one SELECT of the offending rows, which may use ``log_dates.first`` and ``.last``. None
        offending is a pass; a check that cannot run is a failure. (templated)
        One of a whole table says so, ``-- if_written: songs``: it is due if a load has written the table since the
        check passed, and once in seven days (:mod:`~sparkify.loading.due_checks`).
    :param which: ``due`` (default) or ``all``: run the checks of whole tables that are not due too. (templated)
    :param bounds: SELECT of one row with columns ``first_x`` and ``last_x``, as text: the checks may use ``bounds.x``,
        the condition that ``x`` lies between them. Default: none. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the offending rows by the name of each check that ran, as XCom.
    """

    template_fields: Sequence[str] = ("checks", "bounds", "which")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"checks": "sql", "bounds": "sql"}
    ui_color = "#ffe699"

    def __init__(
        self,
        *,
        checks: list[str],
        which: str = "due",
        bounds: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not checks:
            raise ValueError("checks is empty. Give at least one check file: a task that checks nothing would pass.")
        super().__init__(**kwargs)
        self.files = tuple(checks)
        self.checks = list(checks)
        self.which = which
        self.bounds = bounds
        self.results: list[CheckResult] = []

    def prepare_template(self) -> None:
        """Airflow calls this when it parses the DAG, once the files are read: refuse what is no check."""
        self._parsed()

    def execute(self, context: Context) -> dict[str, int | None]:
        """Run, record, judge."""
        if self.which not in WHICH:
            raise SettingsError(f"checks={self.which!r} is unknown. Use one of {', '.join(WHICH)}.")
        dates = LogDates.of_run(context)
        with self.session(context) as warehouse:
            self.results = self._run_all(warehouse)
            self._record(warehouse, RunId.of(context), dates)
        publish_checks(context, dates, self.results)
        self._judge(dates)
        return {result.check.name: result.offending for result in self.results}

    def lineage(self, place: Place) -> Any:
        """The tables that were looked at, with what was found."""
        return lineage.of_checks(place, self.results)

    def _parsed(self) -> list[Check]:
        for file, text in zip(self.files, self.checks, strict=True):
            if text == file:
                raise SettingsError(f"Check {file}: there is no such file in the DAG's template_searchpath.")
        return [Check.parse(file, text) for file, text in zip(self.files, self.checks, strict=True)]

    def _judge(self, dates: LogDates) -> None:
        for result in self.results:
            if not result.passed and not result.fails_the_task:
                self.log.warning("%s", result)
        passed = sum(result.passed for result in self.results)
        self.log.info("Checked %s: %d of %d checks passed.", dates, passed, len(self.results))
        broken = [result for result in self.results if result.fails_the_task]
        if broken:
            began = (
                f"{len(broken)} of {len(self.results)} checks failed for {dates}; all results are in "
                "data_quality_results:\n  "
            )
            cure = "\nFix what they name, then load the log dates again."
            raise DataError(
                began + "\n  ".join(str(result) for result in broken) + cure,
                told=began + "\n  ".join(result.without_rows() for result in broken) + cure,
            )

    def _run_all(self, warehouse: Warehouse) -> list[CheckResult]:
        """Ask for the checks of a table together, and alone for each that is broken or cannot run."""
        bounds = read_spans(warehouse, self.bounds) if self.bounds else {}
        checks = [replace(check, sql=filled(check.sql, bounds)) for check in self._parsed()]
        if self.which == "due" and (names := settled(warehouse, checks)):
            self.log.info(
                "Left out, since the table was not written after they passed: %s. With the param checks=all they run.",
                ", ".join(sorted(names)),
            )
            checks = [check for check in checks if check.name not in names]
        passed: set[str] = set()
        for _, of_table in itertools.groupby(checks, key=lambda check: check.name.partition(".")[0]):
            passed |= self._passed(warehouse, list(of_table))
        return [CheckResult(check, 0) if check.name in passed else self._run(warehouse, check) for check in checks]

    def _passed(self, warehouse: Warehouse, checks: list[Check]) -> set[str]:
        """The names of those that passed; none if they cannot run together."""
        counts = "\nunion all\n".join(
            f"select cast('{check.name}' as varchar(256)) as check_name, count(*) as offending_rows"
            f" from ({check.sql}\n) as offending"
            for check in checks
        )
        try:
            return {str(name) for name, offending in warehouse.rows(counts) if not offending}
        except (DataError, SettingsError):
            return set()
        except Unavailable as error:
            if not is_canceled(error):
                raise
            return set()

    def _run(self, warehouse: Warehouse, check: Check) -> CheckResult:
        # A subquery, so that the count is of all offending rows while no more than a few of them travel.
        offending = f"({check.sql}\n) as offending"
        try:
            count = int(warehouse.rows(f"select count(*) from {offending}")[0][0])
            if not count:
                return CheckResult(check, 0)
            columns = warehouse.columns(offending)
            sample = warehouse.rows(f"select * from {offending} limit {SAMPLE_ROWS}")
            return CheckResult(check, count, columns, sample)
        except (DataError, SettingsError) as error:
            return CheckResult(check, None, error=str(error))
        except Unavailable as error:
            # It took too long, as it would again; the others need not.
            if not is_canceled(error):
                raise
            return CheckResult(check, None, error=str(error))

    def _record(self, warehouse: Warehouse, run: RunId, dates: LogDates) -> None:
        rows: list[list[object]] = [
            [
                *asdict(run).values(),
                dates.first,
                dates.last,
                result.check.name,
                result.check.severity,
                result.offending,
                result.passed,
                result.sample_json(),
                utc_now(),
            ]
            for result in self.results
        ]
        columns = [
            *asdict(run),
            "first_log_date",
            "last_log_date",
            "check_name",
            "severity",
            "offending",
            "passed",
            "sample",
            "checked_at",
        ]
        insert_rows(warehouse, "data_quality_results", columns, rows)


def is_canceled(error: Unavailable) -> bool:
    """Whether the warehouse stopped a statement that took too long, as it would again."""
    return error.__cause__ is not None and sqlstate(error.__cause__) == QUERY_CANCELED
