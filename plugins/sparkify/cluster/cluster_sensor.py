"""Waits for the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from sparkify.cluster.cluster import AVAILABLE, STUCK, Cluster
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context


class ClusterSensor(RetriesOutagesOnly, BaseSensorOperator):
    """
    Waits until a cluster has a status, and an available one can use its roles.

    The provider's sensor waits for its whole time on a cluster that is deleted or broken, and knows nothing of roles,
    which take a while to be attached. Use ``mode="reschedule"``: the worker is then free in between.

    :param cluster: the cluster's identifier. (templated)
    :param status: the status to wait for, ``available`` or ``paused``.
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    """

    template_fields: Sequence[str] = ("cluster",)
    ui_color = "#dde3ee"

    def __init__(self, *, cluster: str, status: str, aws_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.status = status
        self.aws_conn_id = aws_conn_id

    def poke(self, context: Context) -> bool:
        """Look once."""
        cluster = Cluster(self.cluster, self.aws_conn_id)
        found = cluster.status()
        self.log.info("The cluster %s is %s.", self.cluster, found)
        if found in STUCK:
            raise SettingsError(
                f"The cluster {self.cluster} is {found} and will not be {self.status}. Look at it in its console."
            )
        return found == self.status and (found != AVAILABLE or cluster.roles_are_in_sync())
