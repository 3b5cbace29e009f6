"""Sets the cluster's default IAM role, which COPY uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.cluster import Cluster
from sparkify.cluster.stack import Stack
from sparkify.loading.retries import RetriesOutagesOnly

if TYPE_CHECKING:
    from airflow.sdk import Context


class SetDefaultRoleOperator(RetriesOutagesOnly, BaseOperator):
    """
    Makes a stack's COPY role the default role of its cluster, so that ``iam_role default`` means it.

    CloudFormation attaches the role but has no property for the default
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-redshift-cluster.html).

    :param stack: the stack's name. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    :return: the cluster's identifier, as XCom.
    """

    template_fields: Sequence[str] = ("stack",)
    ui_color = "#c9d7b1"

    def __init__(self, *, stack: str, aws_conn_id: str = "aws_admin", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> str:
        """Set it unless it is set."""
        stack = Stack(self.stack, self.aws_conn_id)
        cluster, role = Cluster(stack.output("ClusterIdentifier"), self.aws_conn_id), stack.output("CopyRoleArn")
        done = "is now" if cluster.set_default_role(role) else "was already"
        self.log.info("The default role of the cluster %s %s %s.", cluster.identifier, done, role)
        return cluster.identifier
