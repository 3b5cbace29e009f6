"""Looks up the login of the cluster's administrator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.log import mask_secret

from sparkify.cluster.connection import connection_extra, connection_to
from sparkify.cluster.stack import Stack
from sparkify.loading.aws import client
from sparkify.loading.aws_errors import translated


@dataclass(frozen=True)
class AdministratorLogin:
    """
    Lets an operator's session log in as the administrator of the run's stack; give it as the operator's ``login``.

    The password is read from the secret in which Redshift keeps it, for the one session. It gets into no connection
    of Airflow's, no log and no XCom.

    :param stack_param: the DAG's param that holds the stack's name.
    :param extra_param: the DAG's param that holds the connection's extra.
    :param aws_conn_id: connection of AWS; default ``aws_admin``.
    """

    stack_param: str = "stack"
    extra_param: str = "connection_extra"
    aws_conn_id: str = "aws_admin"

    def __call__(self, context: Mapping[str, Any]) -> Connection:
        """Return the connection for one session."""
        params = context["params"]
        stack, extra = Stack(str(params[self.stack_param]), self.aws_conn_id), params[self.extra_param]
        user, password = self._user_and_password(stack.output("AdminSecretArn"))
        connection = connection_to(stack, user, password, connection_extra(extra), self.aws_conn_id)
        connection["extra"] = json.dumps(connection["extra"])
        return Connection(conn_id=f"{stack.name}'s administrator", **connection)

    def _user_and_password(self, secret_arn: str) -> tuple[str, str]:
        with translated(f"read the secret {secret_arn}"):
            text = client("secretsmanager", self.aws_conn_id).get_secret_value(SecretId=secret_arn)["SecretString"]
        login = json.loads(text)
        mask_secret(login["password"])
        return str(login["username"]), str(login["password"])
