"""Writes the report to S3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException

from sparkify.layout import report_path
from sparkify.loading import lineage
from sparkify.loading.history import utc_now
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from sparkify.loading.warehouse_operator import WarehouseOperator
from sparkify.report.contents import Answer, Report, loads_told_by
from sparkify.report.questions import Question

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.lineage import Place
    from sparkify.loading.warehouse import Warehouse

BY_ASSET = "asset_triggered"


class WriteReportOperator(WarehouseOperator):
    """
    Asks its questions and writes the answers as one HTML page, and as JSON, under the control prefix.

    Both are written twice: into the folder of the day (UTC), and then as the latest. A run that an asset triggered is
    skipped if another run's latest report already covers every load.

    :param questions: SELECT files with a header (``-- question: …``, ``-- note: …``, ``-- bar: …``). (templated)
    :param loads: SELECT file of one row that changes with every load. (templated)
    :param scope: SELECT file of one row: the log dates, plays, listeners and matched plays there are. (templated)
    :param warnings: SELECT file of the checks that are broken as last run. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``. It is only read.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: the URLs of the day's page and of the latest, as XCom.
    """

    template_fields: Sequence[str] = ("questions", "loads", "scope", "warnings")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(template_fields, "sql")
    ui_color = "#c5e0b4"
    uses_log_dates = False

    def __init__(
        self,
        *,
        questions: list[str],
        loads: str,
        scope: str,
        warnings: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.files = tuple(questions)
        self.questions = list(questions)
        self.loads = loads
        self.scope = scope
        self.warnings = warnings
        self.written: list[str] = []

    def execute(self, context: Context) -> dict[str, str]:
        """Ask, draw, write."""
        settings = Settings.of_connection(self.aws_conn_id)
        target = Source(self.aws_conn_id, settings)
        with self.session(context, settings) as warehouse:
            # Before anything else is read: a load that ends from here on makes another report.
            loads = _first(warehouse, self.loads)
            self._skip_if_told_already(context, loads, target)
            report = self._ask(warehouse, str(context["run_id"]), loads)
        urls = self._write(report, target)
        self.tell_outlets(context, {"uri": urls["latest"]})
        return urls

    def lineage(self, place: Place) -> Any:
        """The pages and their data, from the tables that the questions read."""
        selects = [*self.questions, self.loads, self.scope, self.warnings]
        return lineage.of_objects(place, selects, self.written) if self.written else None

    def _skip_if_told_already(self, context: Context, loads: Mapping[str, object], target: Source) -> None:
        run_type = str(getattr(context["dag_run"], "run_type", "")).rsplit(".", 1)[-1].lower()
        latest = target.get(report_path(suffix="json"))
        if run_type != BY_ASSET or latest is None:
            return
        told, run_id = loads_told_by(latest)
        if told == Report.readable(loads) and run_id != context["run_id"]:
            raise AirflowSkipException(
                f"The latest report, by run {run_id}, covers every load there is. Trigger the DAG by hand to make it "
                "again all the same."
            )

    def _ask(self, warehouse: Warehouse, run_id: str, loads: Mapping[str, object]) -> Report:
        scope = _first(warehouse, self.scope)
        warnings = _all(warehouse, self.warnings)
        answers = [
            Answer.of(question, _all(warehouse, question.sql))
            for question in map(Question.parse, self.files, self.questions)
        ]
        return Report(utc_now(), run_id, loads, scope, answers, warnings)

    def _write(self, report: Report, target: Source) -> dict[str, str]:
        # Drawing takes Altair, which nobody should wait for who only parses the DAG.
        from sparkify.report.page import page_of

        page, data = page_of(report), report.as_json()
        made_on = report.made_at.date()
        urls: dict[str, str] = {}
        # The latest comes last, and its data after its page: a later run reads them.
        for name, day in (("report", made_on), ("latest", None)):
            urls[name] = target.put(report_path(day), page, "text/html; charset=utf-8")
            self.written += [urls[name], target.put(report_path(day, "json"), data)]
        self.log.info("Wrote %s (%d kB).", urls["latest"], len(page.encode()) // 1000)
        return urls


def _first(warehouse: Warehouse, sql: str) -> dict[str, object]:
    return _all(warehouse, sql)[0]


def _all(warehouse: Warehouse, sql: str) -> list[dict[str, object]]:
    """The rows of a SELECT by the names of its columns."""
    query = sql.strip().rstrip(";")
    columns, rows = warehouse.answer(query)
    return [dict(zip(columns, row, strict=True)) for row in rows]
