"""An Airflow connection kept in AWS Secrets Manager, where Airflow's backend looks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from airflow.sdk.log import mask_secret
from botocore.exceptions import ClientError

from sparkify.loading.aws import client
from sparkify.loading.aws_errors import error_code, translated
from sparkify.loading.exceptions import SettingsError

# Says whose connection the secret holds, so that one stack neither overwrites nor removes another's.
OWNER_TAG = "sparkify-stack"
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")


class ConnectionSecret:
    """The secret of this name, for the connection to this stack's cluster."""

    def __init__(self, name: str, stack: str, aws_conn_id: str) -> None:
        if not NAME.fullmatch(name):
            raise SettingsError(
                f"secret={name!r} is not a name that Secrets Manager takes: up to 512 letters, digits and / _ + = . @ "
                "-. Trigger the DAG again with another."
            )
        self.name = name
        self.stack = stack
        self.client: Any = client("secretsmanager", aws_conn_id)

    def publish(self, connection: Mapping[str, Any]) -> bool:
        """Write the connection, as JSON, into a secret that is new, then True, or was made for this stack."""
        if connection.get("password"):
            mask_secret(connection["password"])
        found = self._description()
        with translated(f"write the secret {self.name}"):
            if not found:
                tags = [{"Key": OWNER_TAG, "Value": self.stack}]
                self.client.create_secret(Name=self.name, SecretString=json.dumps(connection), Tags=tags)
                return True
            self._refuse_anothers(found)
            if found.get("DeletedDate"):
                self.client.restore_secret(SecretId=self.name)
            self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(connection))
        return False

    def held(self) -> dict[str, Any]:
        """Return the connection that the secret holds; nothing if there is no secret. Another's secret is refused."""
        found = self._description()
        if not found or found.get("DeletedDate"):
            return {}
        self._refuse_anothers(found)
        with translated(f"read the secret {self.name}"):
            text = self.client.get_secret_value(SecretId=self.name)["SecretString"]
        try:
            connection = json.loads(text)
        except ValueError:
            return {}
        if not isinstance(connection, dict):
            return {}
        if connection.get("password"):
            mask_secret(connection["password"])
        return connection

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

    def _refuse_anothers(self, found: Mapping[str, Any]) -> None:
        owner = _owner(found)
        if owner is None:
            raise SettingsError(
                f"The secret {self.name} was not made by this DAG; nothing was written over it. Give the param secret "
                f"another name, or, if this stack's connection may replace what it holds, tag it {OWNER_TAG} = "
                f"{self.stack} and clear this task."
            )
        if owner != self.stack:
            raise SettingsError(
                f"The secret {self.name} holds the connection of the stack {owner}; nothing was written over it. Give "
                "the param secret another name for this stack, or tear the other one down."
            )


def _owner(found: Mapping[str, Any]) -> str | None:
    return next((str(tag["Value"]) for tag in found.get("Tags", []) if tag["Key"] == OWNER_TAG), None)
