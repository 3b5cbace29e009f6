"""Waits until other DAGs have no active run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context

UNFINISHED = ("queued", "running")


class WaitForRunsSensor(RetriesOutagesOnly, BaseSensorOperator):
    """
    Succeeds as soon as no run of the given DAGs is queued or running, a backfill's runs included.

    A run whose task is deferred waits for its file, perhaps for hours, and does not count: it asks for a report of its
    own once it has loaded.

    :param dag_ids: the DAGs to wait for. (templated)
    :param at_most: how long; then it says so and succeeds all the same, so that a run that hangs, or waits in a paused
        DAG, does not hold back what comes after for ever. Default 6 hours.
    """

    template_fields: Sequence[str] = ("dag_ids",)
    ui_color = "#d9e2f3"

    def __init__(
        self,
        *,
        dag_ids: Sequence[str],
        at_most: timedelta = timedelta(hours=6),
        **kwargs: Any,
    ) -> None:
        super().__init__(mode=kwargs.pop("mode", "reschedule"), **kwargs)
        self.dag_ids = dag_ids
        self.at_most = at_most

    def poke(self, context: Context) -> bool:
        """Whether nothing is under way any more, or it was waited for long enough."""
        ti: Any = context["ti"]
        under_way = {dag_id: self._under_way(ti, dag_id) for dag_id in self.dag_ids}
        if not any(under_way.values()):
            return True
        listed = ", ".join(f"{count} of {dag_id}" for dag_id, count in under_way.items() if count)
        since = ti.get_first_reschedule_date(context)
        if since is not None and datetime.now(UTC) - since > self.at_most:
            self.log.warning(
                "Runs are still under way after %s (%s): going on without waiting for their end.", self.at_most, listed
            )
            return True
        self.log.info("Runs under way: %s.", listed)
        return False

    @staticmethod
    def _under_way(ti: Any, dag_id: str) -> int:
        """How many runs of the DAG do not merely wait."""
        unfinished: int = ti.get_dr_count(dag_id=dag_id, states=list(UNFINISHED))
        if not unfinished:
            return 0
        waiting: int = ti.get_ti_count(dag_id=dag_id, states=["deferred"])
        return max(unfinished - waiting, 0)
