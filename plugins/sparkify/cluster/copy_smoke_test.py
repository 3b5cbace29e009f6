"""Copies three rows, to verify that COPY works from end to end."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from sparkify.loading.exceptions import DataError, SettingsError
from sparkify.loading.history import RunId
from sparkify.loading.settings import Settings
from sparkify.loading.source import Source
from sparkify.loading.staging import copy_options, path_of
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

ROWS = 3


class CopySmokeTestOperator(WarehouseOperator):
    """
    Copies one small object from under the control prefix by the settings' role, counts its rows, and leaves nothing.

    It goes the way that every load goes: from Airflow into S3, from S3 by the role into the warehouse.

    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection of S3, with the settings in its extra; default ``aws_default``.
    :param admin_conn_id: connection of AWS that may delete the object, as loads may not; default ``aws_admin``.
    """

    ui_color = "#bfe3c0"
    uses_log_dates = False

    def __init__(self, *, admin_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.admin_conn_id = admin_conn_id

    def execute(self, context: Context) -> None:
        """Write, copy, count, remove."""
        settings = Settings.of_connection(self.aws_conn_id)
        source = Source(self.aws_conn_id, settings)
        cleaner = Source(self.admin_conn_id, settings)
        lines = "\n".join(json.dumps({"number": number}) for number in range(ROWS))
        path = f"smoke-test/{path_of(RunId.of(context))}.json"
        url = source.put(path, lines)
        try:
            with self.session(context, settings) as warehouse:
                warehouse.execute("create temp table smoke_test (number integer)")
                try:
                    warehouse.execute(f"copy smoke_test from '{url}' {copy_options(settings)} format as json 'auto'")
                except DataError as error:
                    raise SettingsError(
                        f"The warehouse could not copy {url} by the role {settings.copy_role}: {error} Attach the role "
                        "to the cluster, and let it get and list what is under the control prefix."
                    ) from error
                rows = warehouse.rows("select count(*) from smoke_test")[0][0]
        except Exception:
            # What went wrong is worth more than what is left behind.
            with contextlib.suppress(Exception):
                cleaner.remove(path)
            raise
        cleaner.remove(path)
        if rows != ROWS:
            raise DataError(f"COPY of {url} gave {rows} rows, expected {ROWS}. Do not load before it is known why.")
        self.log.info("Copied %s rows by the role %s.", rows, settings.copy_role)
