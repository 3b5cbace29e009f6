"""Waits for the CloudFormation stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from sparkify.cluster.stack import DEPLOYED, Change, Stack
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context

UNTIL = ("deployed", "deleted")


class StackSensor(RetriesOutagesOnly, BaseSensorOperator):
    """
    Waits until a CloudFormation stack is deployed, or gone; one that failed is explained by its events.

    The provider's sensor for creation takes the end of an update for a failure. Use ``mode="reschedule"``: the worker
    is then free in between.

    :param stack: the stack's name. (templated)
    :param until: ``deployed`` or ``deleted``.
    :param change: what the deployment did, the text of a :class:`~sparkify.cluster.stack.Change`: where it changed
        nothing, an update that was rolled back some time before is no failure. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    """

    template_fields: Sequence[str] = ("stack", "change")
    ui_color = "#f3dfae"

    def __init__(
        self, *, stack: str, until: str, change: str = "", aws_conn_id: str = "aws_admin", **kwargs: Any
    ) -> None:
        if until not in UNTIL:
            raise ValueError(f"until={until!r} is unknown. Use one of {', '.join(UNTIL)}.")
        super().__init__(**kwargs)
        self.stack = stack
        self.until = until
        self.change = change
        self.aws_conn_id = aws_conn_id

    def poke(self, context: Context) -> bool:
        """Look once."""
        stack = Stack(self.stack, self.aws_conn_id)
        status = stack.status()
        self.log.info("The stack %s is %s.", self.stack, status or "not there")
        if status and status.endswith("_IN_PROGRESS"):
            return False
        if self._is_reached(status):
            return True
        if status is None:
            stack.outputs()
        raise stack.failure(status)

    def _is_reached(self, status: str | None) -> bool:
        if self.until == "deleted":
            return status is None or status == "DELETE_COMPLETE"
        if status == "UPDATE_ROLLBACK_COMPLETE":
            return self.change == Change.UNCHANGED
        return status in DEPLOYED
