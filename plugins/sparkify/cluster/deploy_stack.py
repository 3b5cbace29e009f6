"""Creates or updates the CloudFormation stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.cluster import PAUSED, Cluster
from sparkify.cluster.stack import Change, Stack
from sparkify.loading.aws import client
from sparkify.loading.aws_errors import translated
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.retries import RetriesOutagesOnly
from sparkify.loading.settings import Settings, json_object

if TYPE_CHECKING:
    from airflow.sdk import Context

SAID = {
    Change.CREATED: "is being created",
    Change.UPDATED: "is being updated",
    Change.UNCHANGED: "is as the template and the parameters say; there is nothing to change",
    Change.UNDER_WAY: "is being changed already; that is waited for. Provision again for other parameters",
}


class DeployStackOperator(RetriesOutagesOnly, BaseOperator):
    """
    Begins to create a CloudFormation stack, or to update it if it is there; nothing to change is a success.

    The buckets and the prefix that the template asks for are those that the loads' connection names; S3's addresses are
    those that AWS names. A parameter that is not given keeps the value it has, or gets its default when the stack is
    made. The stack is protected against being deleted by anything but
    :class:`~sparkify.cluster.delete_stack.DeleteStackOperator`.

    :param stack: the stack's name. (templated)
    :param template: path of the template; read when the task runs, and not a Jinja template.
    :param parameters: parameters of the template by name; a mapping or its JSON text, in which numbers and
        truth values may stand as such. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    :param settings_conn_id: connection with the settings in its extra; default ``aws_default``.
    :return: what was done, a :class:`~sparkify.cluster.stack.Change`'s text, as XCom.
    """

    template_fields: Sequence[str] = ("stack", "parameters")
    ui_color = "#f6c667"

    def __init__(
        self,
        *,
        stack: str,
        template: str,
        parameters: Mapping[str, Any] | str,
        aws_conn_id: str = "aws_admin",
        settings_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.template = template
        self.parameters = parameters
        self.aws_conn_id = aws_conn_id
        self.settings_conn_id = settings_conn_id

    def execute(self, context: Context) -> str:
        """Create or update, without waiting."""
        stack = Stack(self.stack, self.aws_conn_id)
        parameters = self._parameters(Settings.of_connection(self.settings_conn_id))
        self._refuse_if_paused(stack)
        change = stack.deploy(Path(self.template), parameters)
        shown = ", ".join(f"{name}={value}" for name, value in sorted(parameters.items()))
        self.log.info("The stack %s %s. Asked for: %s.", self.stack, SAID[change], shown)
        return str(change)

    def _parameters(self, settings: Settings) -> dict[str, str]:
        given = json_object("The param parameters", self.parameters, '{"ClientCidr": "10.0.0.0/16"}')
        of_settings = {
            "SourceBucket": settings.bucket,
            "ControlBucket": "" if settings.control_bucket == settings.bucket else settings.control_bucket,
            "ControlPrefix": settings.control_prefix,
        }
        own = sorted(of_settings.keys() & given.keys())
        if own:
            raise SettingsError(
                f"{own[0]} is not to be given: it is {of_settings[own[0]]!r} by the connection "
                f"{self.settings_conn_id}, whose settings the loads use too. Change it there."
            )
        named = {str(name): _text(value) for name, value in given.items()}
        if "S3PrefixList" not in named:
            named["S3PrefixList"] = self._s3_prefix_list()
        return of_settings | named

    def _s3_prefix_list(self) -> str:
        """Return the id of S3's addresses in this region, by which the cluster's way out is bounded."""
        ec2 = client("ec2", self.aws_conn_id)
        name = f"com.amazonaws.{ec2.meta.region_name}.s3"
        with translated(f"look up the prefix list {name}"):
            found = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
        for prefix_list in found["PrefixLists"]:
            return str(prefix_list["PrefixListId"])
        raise SettingsError(
            f"AWS has no prefix list {name} in the region of {self.aws_conn_id}. Give its id in the param parameters, "
            'for example {"S3PrefixList": "pl-68a54001"}.'
        )

    def _refuse_if_paused(self, stack: Stack) -> None:
        found = stack.description()
        outputs = {output["OutputKey"]: output["OutputValue"] for output in (found or {}).get("Outputs", [])}
        identifier = outputs.get("ClusterIdentifier")
        if identifier and Cluster(identifier, self.aws_conn_id).status() == PAUSED:
            raise SettingsError(
                f"The cluster {identifier} is paused, and a paused cluster can be neither changed nor asked. Trigger "
                "this DAG with action resume first."
            )


def _text(value: object) -> str:
    """A parameter's value as CloudFormation takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
