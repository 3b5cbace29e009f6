"""Checks of what was loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.sql.operators.sql import BaseSQLOperator

from sparkify.checks import SAMPLE_ROWS, Check, CheckResult
from sparkify.exceptions import DataError, SettingsError
from sparkify.history import RunId, insert_rows, utc_now
from sparkify.log_dates import LogDates
from sparkify.task import WarehouseTask

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.warehouse import Warehouse


class DataQualityOperator(WarehouseTask, BaseSQLOperator):
    """
    Runs all its checks, records every result in ``data_quality_results``, then fails if one of severity error broke.

    :param checks: check files: a header (``-- severity: error`` or ``warn``, ``-- proves: …``) and a SELECT of the
        offending rows, which may use ``log_dates.first`` and ``.last``. None offending is a pass; a check that cannot
        run is a failure. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the offending rows by check name, as XCom.
    """

    conn_id_field = "redshift_conn_id"
    template_fields: Sequence[str] = ("checks",)
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"checks": "sql"}
    ui_color = "#ffe699"

    def __init__(
        self,
        *,
        checks: list[str],
        redshift_conn_id: str = "redshift_default",
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        if not checks:
            raise ValueError("checks is empty. Give at least one check file: a task that checks nothing would pass.")
        super().__init__(**kwargs)
        self.check_names = [_name(file) for file in checks]
        self.checks = checks
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> dict[str, int | None]:
        """Run, record, judge."""
        checks = [Check.parse(name, text) for name, text in zip(self.check_names, self.checks, strict=True)]
        with self.session(context) as warehouse:
            results = [self._run(warehouse, check) for check in checks]
            self._record(warehouse, results, RunId.of(context), LogDates.of_run(context))
        for result in results:
            if not result.passed and not result.fails_the_task:
                self.log.warning("%s", result)
        passed = sum(result.passed for result in results)
        self.log.info("Checked %s: %d of %d checks passed.", LogDates.of_run(context), passed, len(results))
        broken = [result for result in results if result.fails_the_task]
        if broken:
            listed = "\n  ".join(str(result) for result in broken)
            raise DataError(f"{len(broken)} of {len(results)} checks failed:\n  {listed}")
        return {result.check.name: result.offending for result in results}

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

    def _record(self, warehouse: Warehouse, results: list[CheckResult], run: RunId, dates: LogDates) -> None:
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
            for result in results
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
        with warehouse.transaction("data_quality_results"):
            insert_rows(warehouse, "data_quality_results", columns, rows)


def _name(file: str) -> str:
    """``quality/songplays/unique.sql`` is the check ``songplays.unique``."""
    path = PurePosixPath(file)
    return f"{path.parent.name}.{path.stem}"
