"""What every task of the package does the same way: know its log dates, open its session, tell of its load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparkify.history import RunId
from sparkify.log_dates import LogDates
from sparkify.published import publish_load
from sparkify.settings import Settings
from sparkify.warehouse import Warehouse

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context

    from sparkify.history import Load


class WarehouseTask:
    """Mixin for operators: ``log_dates`` in their templates, and a session as their connections say.

    Needs ``redshift_conn_id``, ``aws_conn_id`` and ``uses_log_dates`` on the operator.
    """

    redshift_conn_id: str
    aws_conn_id: Any
    uses_log_dates: bool = True
    _session: Warehouse | None = None
    #: The run's log dates, once the templates are rendered; what Airflow asks after the task has ended goes by them.
    rendered_dates: LogDates | None = None

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render with ``log_dates`` (:class:`LogDates`) beside Airflow's own variables."""
        with_dates: Any = dict(context)
        if self.uses_log_dates:
            with_dates["log_dates"] = self.rendered_dates = LogDates.of_run(with_dates)
        super().render_template_fields(with_dates, jinja_env)  # type: ignore[misc]

    def log_dates(self, context: Mapping[str, Any]) -> LogDates | None:
        """The run's log dates; None for a task whose table has none."""
        return LogDates.of_run(context) if self.uses_log_dates else None

    def session(self, context: Mapping[str, Any], settings: Settings | None = None) -> Warehouse:
        """A session labelled with the task; to be used as a context manager."""
        settings = settings or Settings.of_connection(self.aws_conn_id)
        self._session = Warehouse(self.redshift_conn_id, settings, str(RunId.of(context)), self.log)  # type: ignore[attr-defined]
        return self._session

    def on_kill(self) -> None:
        """End the session of a task that Airflow stops, so that its statement does not run on and hold locks."""
        if self._session is not None:
            self._session.kill()

    def report(self, context: Mapping[str, Any], load: Load) -> dict[str, int]:
        """Say in the log what was loaded, and publish it; returns the counts for XCom."""
        self.log.info("Loaded %s.", load)  # type: ignore[attr-defined]
        publish_load(context, load)
        return load.counts()
