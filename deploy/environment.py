"""The file ``.env`` of docker-compose.yaml: secrets that are made once, and the user the containers run as."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

PRIVATE = 0o600
AIRFLOWS_OWN_UID = 50000

HEADER = """\
# Made by `make env`, which adds what is missing and changes nothing. Anyone who can read this file owns the deployment.
"""
CONNECTIONS = """
# The connections, unless a secrets backend has them: docs/deploy.md. Leave them out for `--profile local`. The DAG
# sparkify_warehouse alone uses aws_admin.
#AIRFLOW_CONN_AWS_DEFAULT='{"conn_type": "aws", "extra": {"region_name": "us-west-2", "service_config": {"s3": \
{"bucket_name": "my-bucket"}, "sparkify": {"schema": "public", "copy_role": "default"}}}}'
#AIRFLOW_CONN_REDSHIFT_DEFAULT='{"conn_type": "redshift", "host": "my-cluster.abc.us-west-2.redshift.amazonaws.com", \
"port": 5439, "schema": "dev", "login": "sparkify_airflow", "password": "...", "extra": {"sslmode": "verify-full"}}'
#AIRFLOW_CONN_AWS_ADMIN='{"conn_type": "aws", "extra": {"region_name": "us-west-2"}}'
"""


def fernet_key() -> str:
    """A key for Fernet: 32 bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def password() -> str:
    """A password that needs no quoting in a URL, a shell, SQL or JSON."""
    return secrets.token_hex(24)


def uid() -> str:
    """The user to run as: one who may read this checkout; Airflow's own for root, whose files anybody may read."""
    return str(os.getuid() or AIRFLOWS_OWN_UID)


# What docker-compose.yaml cannot do without, and how each is made.
VARIABLES: dict[str, Callable[[], str]] = {
    "AIRFLOW_UID": uid,
    "AIRFLOW_ADMIN_PASSWORD": password,
    "AIRFLOW_FERNET_KEY": fernet_key,
    "AIRFLOW_API_SECRET_KEY": password,
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_hex(64),
    "POSTGRES_PASSWORD": password,
    "VALKEY_PASSWORD": password,
    "LOCAL_S3_KEY": password,
    "LOCAL_WAREHOUSE_ADMIN_PASSWORD": password,
    "LOCAL_WAREHOUSE_PASSWORD": password,
}


def complete(path: Path) -> list[str]:
    """Add to the file the variables it lacks, let nobody else read it, and return the names of those added."""
    text = path.read_text() if path.exists() else ""
    known = set(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE))
    missing = [name for name in VARIABLES if name not in known]
    added = "".join(f"{name}={VARIABLES[name]()}\n" for name in missing)
    if not text:
        added = HEADER + added + CONNECTIONS
    elif missing and not text.endswith("\n"):
        added = "\n" + added
    # Private before a secret is in it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE), "w") as file:
        path.chmod(PRIVATE)
        file.write(added)
    return missing
