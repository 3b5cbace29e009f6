"""The way to the cluster, made known to Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster import Cluster
from sparkify.connection_secret import ConnectionSecret, admin_login
from sparkify.settings import json_object
from sparkify.stack import Stack

if TYPE_CHECKING:
    from airflow.sdk import Context


class PublishConnectionOperator(BaseOperator):
    """
    Writes the Airflow connection of a stack's cluster into Secrets Manager, where ``SecretsManagerBackend`` finds it.

    Endpoint and database are asked of the cluster itself, user and password of the secret that Redshift keeps of its
    admin. The password goes from the one secret into the other, and into no log and no XCom. Redshift changes it every
    30 days (https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html): publish again.

    :param stack: the stack's name. (templated)
    :param secret: the secret's name: the backend's ``connections_prefix``, a slash, the connection's id. (templated)
    :param extra: the connection's extra; only what ``redshift_connector`` takes; a mapping or its
        JSON text. (templated)
    :param aws_conn_id: connection of AWS; default ``aws_default``.
    :return: the secret's name, as XCom.
    """

    template_fields: Sequence[str] = ("stack", "secret", "extra")
    ui_color = "#d7c3e6"

    def __init__(
        self,
        *,
        stack: str,
        secret: str,
        extra: Mapping[str, Any] | str,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.secret = secret
        self.extra = extra
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> str:
        """Write the secret, or a new version of it."""
        extra = json_object("The connection's extra", self.extra, '{"sslmode": "verify-full"}')
        stack = Stack(self.stack, self.aws_conn_id)
        cluster = Cluster(stack.output("ClusterIdentifier"), self.aws_conn_id).description()
        user, password = admin_login(stack.output("AdminSecretArn"), self.aws_conn_id)
        connection = {
            "conn_type": "redshift",
            "host": cluster["Endpoint"]["Address"],
            "port": cluster["Endpoint"]["Port"],
            "schema": cluster["DBName"],
            "login": user,
            "password": password,
            "extra": extra,
        }
        is_new = ConnectionSecret(self.secret, self.stack, self.aws_conn_id).publish(connection)
        self.log.info(
            "%s the secret %s: user %s at %s, port %s, database %s.",
            "Made" if is_new else "Wrote a new version of",
            self.secret,
            user,
            connection["host"],
            connection["port"],
            connection["schema"],
        )
        return self.secret
