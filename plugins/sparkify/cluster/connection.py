"""Builds the Airflow connection to a stack's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkify.cluster.cluster import Cluster
from sparkify.cluster.stack import Stack
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.settings import json_object

# How the driver connects. The hook lets the extra win over the connection's own fields: a host, a port or a unix_sock
# in it would have the password sent there. What else redshift_connector takes asks somebody else who may log in.
EXTRA_KEYS = (
    *("ssl", "sslmode", "timeout", "application_name"),
    *("tcp_keepalive", "tcp_keepalive_idle", "tcp_keepalive_interval", "tcp_keepalive_count"),
)


def connection_extra(given: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return the param ``connection_extra``, a mapping or its JSON text, with no keys but :data:`EXTRA_KEYS`."""
    extra = json_object("The param connection_extra", given, '{"sslmode": "verify-full"}')
    refused = sorted(str(key) for key in extra if key not in EXTRA_KEYS)
    if refused:
        raise SettingsError(
            f"The param connection_extra names {', '.join(refused)}, which could lead the password elsewhere. It may "
            f"name {', '.join(EXTRA_KEYS)}; take out the rest and trigger the DAG again."
        )
    return extra


def connection_to(
    stack: Stack, login: str, password: str, extra: Mapping[str, Any], aws_conn_id: str
) -> dict[str, Any]:
    """Return the connection of this user to the stack's cluster, as Airflow takes it; the cluster says where it is."""
    cluster = Cluster(stack.output("ClusterIdentifier"), aws_conn_id).description()
    return {
        "conn_type": "redshift",
        "host": cluster["Endpoint"]["Address"],
        "port": cluster["Endpoint"]["Port"],
        "schema": cluster["DBName"],
        "login": login,
        "password": password,
        "extra": dict(extra),
    }
