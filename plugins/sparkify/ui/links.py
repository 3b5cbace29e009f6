"""Links on a task's page: to its files, its log date and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

from sparkify.addresses import DAG_ID, console_url, date_path, framed
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import Settings

if TYPE_CHECKING:
    from sparkify.loading.log_dates import LogDates


class FilesInS3(BaseOperatorLink):
    """The folder of the run's files in the AWS console."""

    name = "Files in S3"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Called in the task's process when it has ended; '' shows no button."""
        try:
            settings = Settings.of_connection(str(operator.aws_conn_id))
        except SettingsError:
            return ""
        return console_url(settings.bucket, operator.source_folder, settings.region)


class LogDateOnThePage(BaseOperatorLink):
    """What became of the run's log date, on the Sparkify page; of a range, the first."""

    name = "Log date"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Called in the task's process when it has ended; '' shows no button."""
        dates: LogDates | None = operator.rendered_dates
        return framed(date_path(dates.first)) if dates and ti_key.dag_id == DAG_ID else ""


class LatestReport(BaseOperatorLink):
    """The latest report, on the Sparkify page."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Called in the task's process when it has ended."""
        return framed("report")


LINKS = [FilesInS3(), LogDateOnThePage(), LatestReport()]
"""All links, for Airflow to know their classes again when it reads a task from its database."""
