"""Deletes the CloudFormation stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.stack import Stack
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeleteStackOperator(RetriesOutagesOnly, BaseOperator):
    """
    Begins to delete a CloudFormation stack, once its name was typed.

    :param stack: the stack's name. (templated)
    :param confirm: the stack's name again, as somebody typed it; anything else is refused. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    """

    template_fields: Sequence[str] = ("stack", "confirm")
    ui_color = "#e89f8f"

    def __init__(self, *, stack: str, confirm: str, aws_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.confirm = confirm
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> None:
        """Delete, without waiting."""
        if self.confirm != self.stack:
            raise SettingsError(
                f"confirm={self.confirm!r} is not the stack's name, {self.stack!r}; nothing was deleted. Type the "
                "stack's name to delete the cluster with all that is in it but a last snapshot."
            )
        stack = Stack(self.stack, self.aws_conn_id)
        status = stack.status()
        if status is None:
            self.log.info("There is no stack %s: it was deleted before, or never made.", self.stack)
        elif status == "DELETE_IN_PROGRESS":
            self.log.info("The stack %s is being deleted already.", self.stack)
        else:
            stack.delete()
            self.log.info("The stack %s is being deleted. Redshift takes a last snapshot of the cluster.", self.stack)
