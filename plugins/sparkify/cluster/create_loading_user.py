"""Creates the user that loads, and publishes its connection."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret

from sparkify.cluster.connection import connection_extra, connection_to
from sparkify.cluster.connection_secret import ConnectionSecret
from sparkify.cluster.stack import Stack
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import Settings
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.warehouse import Warehouse

USER = re.compile(r"[a-z_][a-z0-9_]{0,126}", re.ASCII)


class CreateLoadingUserOperator(WarehouseOperator):
    """
    Makes a stack's loading user with the grants that loads need, and publishes its connection in Secrets Manager.

    The user keeps the password that the published secret holds; where there is none, it gets a new one. To change it,
    delete the secret and run again. The password goes to Secrets Manager alone: the statement that sets it carries a
    digest.

    :param stack: the stack's name; its output ``LoadingUser`` names the user. (templated)
    :param secret: the secret's name: the backend's ``connections_prefix``, a slash, the connection's id. (templated)
    :param extra: the connection's extra; a mapping or its JSON text, with no keys but
        :data:`~sparkify.cluster.connection.EXTRA_KEYS`. (templated)
    :param login: who makes the user; an administrator.
    :param aws_conn_id: connection with the settings in its extra; default ``aws_default``.
    :param admin_conn_id: connection of AWS that may read the stack and write the secret; default ``aws_admin``.
    :return: the secret's name, as XCom.
    """

    template_fields: Sequence[str] = ("stack", "secret", "extra")
    ui_color = "#d7c3e6"
    uses_log_dates = False

    def __init__(
        self,
        *,
        stack: str,
        secret: str,
        extra: Mapping[str, Any] | str,
        admin_conn_id: str = "aws_admin",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stack = stack
        self.secret = secret
        self.extra = extra
        self.admin_conn_id = admin_conn_id

    def execute(self, context: Context) -> str:
        """Make the user, grant, publish."""
        extra = connection_extra(self.extra)
        secret = ConnectionSecret(self.secret, self.stack, self.admin_conn_id)
        settings = Settings.of_connection(self.aws_conn_id)
        stack = Stack(self.stack, self.admin_conn_id)
        user = stack.output("LoadingUser")
        if not USER.fullmatch(user):
            raise SettingsError(
                f"The stack {self.stack} says that the loading user is {user!r}, which is not the name of a user: up "
                "to 127 small letters, digits and underscores. Provision with another LoadingUser."
            )
        held = secret.held()
        password = str(held["password"]) if held.get("login") == user else secrets.token_urlsafe(36)
        connection = connection_to(stack, user, password, extra, self.admin_conn_id)
        with self.session(context, settings) as warehouse:
            is_new_user = self._create(warehouse, user, password)
            self._grant(warehouse, user, settings.schema, str(connection["schema"]))
        is_new_secret = secret.publish(connection)
        self.log.info(
            "%s the user %s, who may read and write the rows of schema %s. %s the secret %s: %s, port %s, database %s.",
            "Made" if is_new_user else "Set the password and the grants of",
            user,
            settings.schema,
            "Made" if is_new_secret else "Wrote a new version of",
            self.secret,
            connection["host"],
            connection["port"],
            connection["schema"],
        )
        return self.secret

    def _create(self, warehouse: Warehouse, user: str, password: str) -> bool:
        """Create the user, or set its password; returns whether it is new."""
        digest = password_digest(user, password)
        mask_secret(digest)
        is_new = not warehouse.rows("select 1 from pg_catalog.pg_user where usename = %s", [user])
        warehouse.execute(f"{'create' if is_new else 'alter'} user \"{user}\" password '{digest}'")
        return is_new

    def _grant(self, warehouse: Warehouse, user: str, schema: str, database: str) -> None:
        """Grant what docs/security.md says; a table that was made since the last time is granted too."""
        warehouse.execute(f'revoke create on schema "{schema}" from public')
        warehouse.execute(f'grant usage on schema "{schema}" to "{user}"')
        warehouse.execute(f'grant select, insert, update, delete on all tables in schema "{schema}" to "{user}"')
        warehouse.execute(f'grant temp on database "{database}" to "{user}"')


def password_digest(user: str, password: str) -> str:
    """Return what CREATE USER takes in place of the password, which an audit log would keep.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    """
    return "md5" + hashlib.md5(f"{password}{user}".encode(), usedforsecurity=False).hexdigest()
