"""How to reach the parts of a home: the two Airflow connections, and the same facts for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.s3 import REGION
from local.stack.databases import WAREHOUSE, WAREHOUSE_USER
from local.stack.home import Home
from local.stack.ports import LOOPBACK

SOURCE_BUCKET = "sparkify"
CONTROL_BUCKET = "sparkify-control"
CONTROL_PREFIX = "sparkify"
AIRFLOW_USER = "admin"


def s3_endpoint(home: Home) -> str:
    """Return the address of S3 and the other AWS services."""
    return f"http://{LOOPBACK}:{home.port('s3')}"


def airflow_url(home: Home) -> str:
    """Return the address of Airflow's UI and REST API."""
    return f"http://{LOOPBACK}:{home.port('api-server')}"


def aws_environment(home: Home) -> dict[str, str]:
    """Return what boto3 needs to reach the home's S3."""
    return {
        "AWS_ENDPOINT_URL": s3_endpoint(home),
        "AWS_ACCESS_KEY_ID": home.secret("aws_access_key_id"),
        "AWS_SECRET_ACCESS_KEY": home.secret("aws_secret_access_key"),
        "AWS_DEFAULT_REGION": REGION,
    }


def s3_client(home: Home, connections: int = 10) -> Any:
    """Return a boto3 client of the home's S3."""
    # Imported here because boto3 takes half a second, which commands that do not speak S3 need not pay.
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=s3_endpoint(home),
        aws_access_key_id=home.secret("aws_access_key_id"),
        aws_secret_access_key=home.secret("aws_secret_access_key"),
        region_name=REGION,
        config=Config(max_pool_connections=connections, retries={"mode": "standard", "max_attempts": 3}),
    )


def s3_client_of_environment(connections: int = 10) -> Any:
    """Return a boto3 client of the S3 that the environment names, by boto3's own rules."""
    import boto3
    from botocore.config import Config

    # A session of its own: boto3's default one may have been made apart from the shell.
    return boto3.session.Session().client("s3", config=Config(max_pool_connections=connections))


def redshift_arguments(home: Home) -> dict[str, Any]:
    """Return what `redshift_connector.connect` takes to reach the home's warehouse."""
    return {
        "host": LOOPBACK,
        "port": home.port("redshift"),
        "database": WAREHOUSE,
        "user": WAREHOUSE_USER,
        "password": home.secret(WAREHOUSE_USER),
        "ssl": False,
        # Without one the driver searches all loaded modules for its caller's name, at every connect.
        "application_name": "sparkify",
    }


def airflow_connections(home: Home) -> dict[str, str]:
    """Return the environment variables of the two connections: all that differs from production."""
    redshift = redshift_arguments(home)
    return {
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(
            {
                "conn_type": "redshift",
                "host": redshift["host"],
                "port": redshift["port"],
                "login": redshift["user"],
                "password": redshift["password"],
                "schema": redshift["database"],
                "extra": {key: redshift[key] for key in ("ssl", "application_name")},
            }
        ),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
            {
                "conn_type": "aws",
                "login": home.secret("aws_access_key_id"),
                "password": home.secret("aws_secret_access_key"),
                "extra": {
                    "region_name": REGION,
                    "endpoint_url": s3_endpoint(home),
                    "service_config": {
                        "s3": {"bucket_name": SOURCE_BUCKET},
                        "sparkify": {
                            "schema": "public",
                            "copy_role": "default",
                            "control_bucket": CONTROL_BUCKET,
                            "control_prefix": CONTROL_PREFIX,
                            # Here a look costs no pod, and somebody waits.
                            "look_minutes": 1,
                        },
                    },
                },
            }
        ),
    }


def environment(home: Home) -> Mapping[str, str]:
    """Return the variables by which other programs find the home's parts."""
    redshift = redshift_arguments(home)
    variables = {
        "SPARKIFY_HOME": str(home.folder),
        "SPARKIFY_BUCKET": SOURCE_BUCKET,
        "REDSHIFT_HOST": str(redshift["host"]),
        "REDSHIFT_PORT": str(redshift["port"]),
        "REDSHIFT_DATABASE": str(redshift["database"]),
        "REDSHIFT_USER": str(redshift["user"]),
        "REDSHIFT_PASSWORD": str(redshift["password"]),
        **aws_environment(home),
        **airflow_connections(home),
    }
    if home.chosen_port("api-server") is not None:
        variables |= {
            "AIRFLOW_URL": airflow_url(home),
            "AIRFLOW_USER": AIRFLOW_USER,
            "AIRFLOW_PASSWORD": home.secret("airflow_password"),
        }
    return variables
