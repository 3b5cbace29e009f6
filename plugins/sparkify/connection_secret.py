"""An Airflow connection kept in AWS Secrets Manager, where Airflow's backend looks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow.sdk.log import mask_secret
from botocore.exceptions import ClientError

from sparkify.aws import client, error_code, translated
from sparkify.exceptions import SettingsError

# Says whose connection the secret holds, so that one stack neither overwrites nor removes another's.
OWNER_TAG = "sparkify-stack"


class ConnectionSecret:
    """The secret of this name, for the connection to this stack's cluster."""

    def __init__(self, name: str, stack: str, aws_conn_id: str) -> None:
        self.name = name
        self.stack = stack
        self.client: Any = client("secretsmanager", aws_conn_id)

    def publish(self, connection: Mapping[str, Any]) -> bool:
        """Write the connection, as JSON, over what was there; True if the secret is new."""
        if connection.get("password"):
            mask_secret(connection["password"])
        found = self._description()
        with translated(f"write the secret {self.name}"):
            if not found:
                tags = [{"Key": OWNER_TAG, "Value": self.stack}]
                self.client.create_secret(Name=self.name, SecretString=json.dumps(connection), Tags=tags)
                return True
            self._refuse_another_stacks(found)
            if found.get("DeletedDate"):
                self.client.restore_secret(SecretId=self.name)
            self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(connection))
        return False

    def withdraw(self) -> str | None:
        """Delete the secret if it was made for this stack; returns why it stays, or None."""
        found = self._description()
        if not found or found.get("DeletedDate"):
            return None
        owner = _owner(found)
        if owner != self.stack:
            return f"it is that of the stack {owner}" if owner else "it was not made by this DAG"
        with translated(f"delete the secret {self.name}"):
            # At once: it was only a copy, of the way to a cluster that is gone, and its name is wanted again.
            self.client.delete_secret(SecretId=self.name, ForceDeleteWithoutRecovery=True)
        return None

    def _description(self) -> dict[str, Any] | None:
        with translated(f"look at the secret {self.name}"):
            try:
                found: dict[str, Any] = self.client.describe_secret(SecretId=self.name)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise
        return found

    def _refuse_another_stacks(self, found: Mapping[str, Any]) -> None:
        owner = _owner(found)
        if owner and owner != self.stack:
            raise SettingsError(
                f"The secret {self.name} holds the connection of the stack {owner}; nothing was written over it. Give "
                "the param secret another name for this stack, or tear the other one down."
            )


def admin_login(secret_arn: str, aws_conn_id: str) -> tuple[str, str]:
    """User and password of a cluster's admin, from the secret that Redshift keeps of them."""
    with translated(f"read the secret {secret_arn}"):
        text = client("secretsmanager", aws_conn_id).get_secret_value(SecretId=secret_arn)["SecretString"]
    login = json.loads(text)
    mask_secret(login["password"])
    return str(login["username"]), str(login["password"])


def _owner(found: Mapping[str, Any]) -> str | None:
    return next((str(tag["Value"]) for tag in found.get("Tags", []) if tag["Key"] == OWNER_TAG), None)
