"""Deletes the published connection of a cluster that is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.connection_secret import ConnectionSecret
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context


class WithdrawConnectionOperator(RetriesOutagesOnly, BaseOperator):
    """
    Deletes the secret that :class:`~sparkify.cluster.publish_connection.PublishConnectionOperator` made for a stack.

    A secret that was made by somebody else, or for another stack, stays, and the log says so.

    :param stack: the stack's name. (templated)
    :param secret: the secret's name. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    """

    template_fields: Sequence[str] = ("stack", "secret")
    ui_color = "#e3d9ea"

    def __init__(self, *, stack: str, secret: str, aws_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.secret = secret
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> None:
        """Delete it, unless it is another's."""
        stays = ConnectionSecret(self.secret, self.stack, self.aws_conn_id).withdraw()
        if stays:
            self.log.warning("The secret %s stays: %s.", self.secret, stays)
        else:
            self.log.info("The secret %s is gone.", self.secret)
