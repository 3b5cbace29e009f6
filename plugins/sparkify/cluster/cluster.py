"""Describes a provisioned Redshift cluster, and pauses and resumes it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from sparkify.loading.aws import client
from sparkify.loading.aws_errors import error_code, translated
from sparkify.loading.exceptions import SettingsError

AVAILABLE, PAUSED = "available", "paused"
# status -> what leads to it, and is under way of itself
TOWARDS = {AVAILABLE: ("resuming", "modifying", "resizing", "rebooting", "creating"), PAUSED: ("pausing",)}
# A cluster that is so stays so until somebody does something.
# https://docs.aws.amazon.com/redshift/latest/mgmt/rs-mgmt-cluster-status.html
STUCK = (
    "deleting",
    "final-snapshot",
    "hardware-failure",
    "incompatible-hsm",
    "incompatible-network",
    "incompatible-parameters",
    "incompatible-restore",
    "storage-full",
)


class Cluster:
    """The cluster of this identifier in the connection's account and region."""

    def __init__(self, identifier: str, aws_conn_id: str) -> None:
        self.identifier = identifier
        self.client: Any = client("redshift", aws_conn_id)

    def description(self) -> dict[str, Any]:
        """What Redshift says of it; a :class:`SettingsError` if there is none."""
        with translated(f"look at the cluster {self.identifier}"):
            try:
                found: dict[str, Any] = self.client.describe_clusters(ClusterIdentifier=self.identifier)["Clusters"][0]
            except ClientError as error:
                if error_code(error).startswith("ClusterNotFound"):
                    raise SettingsError(
                        f"There is no cluster {self.identifier} in this account and region, although its stack says "
                        "so: somebody deleted it by itself. Tear the stack down and provision again."
                    ) from error
                raise
        return found

    def status(self) -> str:
        """Its status, such as ``available``."""
        return str(self.description()["ClusterStatus"])

    def pause(self) -> None:
        """Begin to pause it: it answers nobody, and costs its storage alone."""
        with translated(f"pause the cluster {self.identifier}"):
            self.client.pause_cluster(ClusterIdentifier=self.identifier)

    def resume(self) -> None:
        """Begin to resume it."""
        with translated(f"resume the cluster {self.identifier}"):
            self.client.resume_cluster(ClusterIdentifier=self.identifier)

    def set_default_role(self, role_arn: str) -> bool:
        """Make an attached role the one that ``iam_role default`` means; False if it was."""
        if self.description().get("DefaultIamRoleArn") == role_arn:
            return False
        with translated(f"make {role_arn} the default role of the cluster {self.identifier}"):
            self.client.modify_cluster_iam_roles(ClusterIdentifier=self.identifier, DefaultIamRoleArn=role_arn)
        return True

    def roles_are_in_sync(self) -> bool:
        """Whether all of its roles can be used already."""
        return all(role["ApplyStatus"] == "in-sync" for role in self.description().get("IamRoles", []))
