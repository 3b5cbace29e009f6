"""The way to the cluster, made known to Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sparkify.cluster.cluster import Cluster
from sparkify.cluster.connection_secret import ConnectionSecret, admin_login
from sparkify.cluster.stack import Stack
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import json_object

if TYPE_CHECKING:
    from airflow.sdk import Context

# How the driver connects. The hook lets the extra win over the connection's own fields: a host, a port or a unix_sock
# in it would have the admin's password sent there; what else redshift_connector takes asks somebody else who may log
# in, or has no meaning for this cluster.
EXTRA_KEYS = (
    *("ssl", "sslmode", "timeout", "application_name"),
    *("tcp_keepalive", "tcp_keepalive_idle", "tcp_keepalive_interval", "tcp_keepalive_count"),
    *("iam", "cluster_identifier", "region", "db_user"),
)


class PublishConnectionOperator(BaseOperator):
    """
    Writes the Airflow connection of a stack's cluster into Secrets Manager, where ``SecretsManagerBackend`` finds it.

    Endpoint and database are asked of the cluster itself, user and password of the secret that Redshift keeps of its
    admin. The password goes from the one secret into the other, and into no log and no XCom. Redshift changes it every
    30 days (https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html): publish again.

    :param stack: the stack's name. (templated)
    :param secret: the secret's name: the backend's ``connections_prefix``, a slash, the connection's id. (templated)
    :param extra: the connection's extra; a mapping or its JSON text, with no keys but :data:`EXTRA_KEYS`. (templated)
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
        extra = self._extra()
        secret = ConnectionSecret(self.secret, self.stack, self.aws_conn_id)
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
        is_new = secret.publish(connection)
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

    def _extra(self) -> dict[str, Any]:
        extra = json_object("The param connection_extra", self.extra, '{"sslmode": "verify-full"}')
        refused = sorted(str(key) for key in extra if key not in EXTRA_KEYS)
        if refused:
            raise SettingsError(
                f"The param connection_extra names {', '.join(refused)}, which could lead the admin's password "
                f"elsewhere. It may name {', '.join(EXTRA_KEYS)}; take out the rest and trigger the DAG again."
            )
        return extra
