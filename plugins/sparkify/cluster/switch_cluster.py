"""Pauses or resumes the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.cluster import AVAILABLE, PAUSED, TOWARDS, Cluster
from sparkify.cluster.stack import Stack
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context

# wanted status -> (the status it can be had from, the method that does it)
SWITCHES = {PAUSED: (AVAILABLE, Cluster.pause), AVAILABLE: (PAUSED, Cluster.resume)}


class SwitchClusterOperator(RetriesOutagesOnly, BaseOperator):
    """
    Begins to pause or to resume the cluster of a stack; one that is so already is a success.

    :param stack: the stack's name. (templated)
    :param status: what the cluster shall be: ``paused`` or ``available``.
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    :return: the cluster's identifier, as XCom.
    """

    template_fields: Sequence[str] = ("stack",)
    ui_color = "#b8c4d9"

    def __init__(self, *, stack: str, status: str, aws_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        if status not in SWITCHES:
            raise ValueError(f"status={status!r} is unknown. Use one of {', '.join(SWITCHES)}.")
        super().__init__(**kwargs)
        self.stack = stack
        self.status = status
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> str:
        """Pause or resume, without waiting."""
        cluster = Cluster(Stack(self.stack, self.aws_conn_id).output("ClusterIdentifier"), self.aws_conn_id)
        before, switch = SWITCHES[self.status]
        found = cluster.status()
        if found == self.status or found in TOWARDS[self.status]:
            self.log.info("The cluster %s is %s already.", cluster.identifier, found)
        elif found == before:
            switch(cluster)
            self.log.info("The cluster %s was %s and is to be %s.", cluster.identifier, found, self.status)
        else:
            raise SettingsError(
                f"The cluster {cluster.identifier} is {found}, and can be made {self.status} only while it is "
                f"{before}. When it is, clear this task."
            )
        return cluster.identifier
