"""A secrets backend that holds nothing and lets it be known what it is asked for."""

from __future__ import annotations

import sys

from airflow.secrets import BaseSecretsBackend

ASKED_FOR = "sparkify.asked_for"


class NotedSecrets(BaseSecretsBackend):
    """Raises an audit event for each Connection and Variable that is looked for."""

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """Nothing, after saying that *conn_id* was asked for."""
        sys.audit(ASKED_FOR, "connection", conn_id)
        return None

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Nothing, after saying that *key* was asked for."""
        sys.audit(ASKED_FOR, "Variable", key)
        return None
