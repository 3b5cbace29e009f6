"""Behaviour shared by all operators that use the warehouse: connections, log dates, session, reporting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.loading.bounds import Names
from sparkify.loading.history import RunId
from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import publish_load
from sparkify.loading.retries import RetriesOutagesOnly, failures_published
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse import STOPPED_SECONDS, Warehouse

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import BaseOperatorLink, Connection, Context

    from sparkify.loading.history import Load
    from sparkify.loading.lineage import Place


class WarehouseOperator(RetriesOutagesOnly, BaseOperator):
    """
    Base class of the operators that open a session with the warehouse.

    Templates see ``log_dates``, the run's :class:`~sparkify.loading.log_dates.LogDates`, unless the operator sets
    ``uses_log_dates`` to False; and ``bounds``, names of conditions that the task puts in
    (:mod:`~sparkify.loading.bounds`).

    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection of S3, with the settings in its extra; default ``aws_default``.
    :param login: who logs in instead of that connection's user: a function of the run's context that returns the
        connection of one session; default none.
    :param links: buttons on the task's page in Airflow's UI; default none.
    """

    uses_log_dates: bool = True
    #: The run's log dates, once the templates are rendered.
    rendered_dates: LogDates | None = None
    _session: Warehouse | None = None
    #: The task's load, once it is recorded.
    loaded: Load | None = None

    def __init__(
        self,
        *,
        redshift_conn_id: str = "redshift_default",
        aws_conn_id: str = "aws_default",
        login: Callable[[Mapping[str, Any]], Connection] | None = None,
        links: Sequence[BaseOperatorLink] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id
        self.login = login
        self.operator_extra_links = tuple(links)

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render with ``log_dates`` beside Airflow's own variables."""
        with_dates: Any = {**context, "bounds": Names()}
        if self.uses_log_dates:
            with failures_published(context):
                with_dates["log_dates"] = self.rendered_dates = LogDates.of_run(with_dates)
        super().render_template_fields(with_dates, jinja_env)

    def log_dates(self, context: Mapping[str, Any]) -> LogDates | None:
        """The run's log dates; None for a task whose table has none."""
        return LogDates.of_run(context) if self.uses_log_dates else None

    def session(self, context: Mapping[str, Any], settings: Settings | None = None) -> Warehouse:
        """A session labelled with the task; to be used as a context manager."""
        settings = settings or Settings.of_connection(self.aws_conn_id)
        connection = self.login(context) if self.login else None
        self._session = Warehouse(self.redshift_conn_id, settings, self._label(context), self.log, connection)
        return self._session

    def _label(self, context: Mapping[str, Any]) -> str:
        """Log date and task first: the system tables keep 30 characters of a query group
        (https://docs.aws.amazon.com/redshift/latest/dg/r_query_group.html)."""
        dates, run = self.log_dates(context), RunId.of(context)
        return ".".join([*([str(dates.first)] if dates else []), run.task_id, run.dag_id, run.run_id])

    def on_kill(self) -> None:
        """End the session of a task that Airflow stops, so that its statement does not run on and hold locks."""
        if self._session is not None:
            self._session.kill(STOPPED_SECONDS)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What was read and written, for a listener of the OpenLineage provider; None if it is not known."""
        place = self._session.place if self._session else None
        return self.lineage(place) if place else None

    def lineage(self, place: Place) -> Any:
        """What :mod:`~sparkify.loading.lineage` makes of the task's work; None unless the operator says more."""
        return None

    def tell_outlets(self, context: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        """Give the events of the task's assets this extra: an asset has no address that the DAG file could know."""
        for asset in self.outlets if "outlet_events" in context else ():
            context["outlet_events"][asset].extra |= extra

    def report(self, context: Mapping[str, Any], load: Load) -> dict[str, int]:
        """Log what was loaded and publish it; returns the counts for XCom."""
        self.loaded = load
        place = self._session.place if self._session else None
        self.tell_outlets(context, load.counts() | ({"uri": place.uri(load.table)} if place else {}))
        self.log.info("Loaded %s.", load)
        publish_load(context, load)
        return load.counts()
