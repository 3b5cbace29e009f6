"""What a deployment decides, read from the AWS connection's extra ``service_config``."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from sparkify.loading.exceptions import SettingsError

if TYPE_CHECKING:
    from airflow.sdk import Connection

EXAMPLE = json.dumps({"s3": {"bucket_name": "my-bucket"}, "sparkify": {"schema": "public", "copy_role": "default"}})

# name -> (default, what it may look like, in words). Each goes into SQL or an S3 key, so each is checked here.
SPARKIFY_KEYS: dict[str, tuple[str | None, str, str]] = {
    "schema": ("public", r"[a-z_][a-z0-9_$]{0,126}", "a lower-case identifier"),
    "copy_role": (
        "default",
        r"default|arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+",
        "'default' or the ARN of an IAM role",
    ),
    "control_bucket": (None, r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket"),
    "control_prefix": ("sparkify", r"[\w!.*()/-]{1,200}", "a key prefix of letters, digits and / . _ -"),
}
BUCKET = SPARKIFY_KEYS["control_bucket"][1]
# COPY's older form takes keys where this takes a role: what was refused here may hold one.
NOT_SHOWN = ("copy_role",)
REGION = r"[a-z]{2}(-[a-z]+)+-\d"
# boto3's own: at DEBUG it shows session tokens, and what STS and Redshift answer when asked for credentials.
TELLS_SECRETS = logging.getLogger("botocore")


@dataclass(frozen=True)
class Settings:
    """Where the files are, where the tables are, and who may copy.

    :param bucket: the bucket of ``log_data/`` and ``song_data/``; only read.
    :param schema: the warehouse schema of all tables.
    :param copy_role: ``default`` (the cluster's default IAM role) or the ARN that COPY assumes.
    :param control_bucket: where manifests and jsonpaths are written; ``bucket`` unless given.
    :param control_prefix: the key prefix there, without slashes at its ends.
    :param region: the buckets' region, or None to let COPY take the cluster's.
    """

    bucket: str
    schema: str
    copy_role: str
    control_bucket: str
    control_prefix: str
    region: str | None

    @classmethod
    def of_connection(cls, aws_conn_id: str) -> Settings:
        """Read from the Airflow connection ``aws_conn_id``; :class:`SettingsError` says what is missing."""
        connection = get_connection(aws_conn_id)
        try:
            extra: dict[str, Any] = connection.extra_dejson
        except Exception as error:
            raise SettingsError(f"The extra of connection {aws_conn_id} is not JSON: {error}") from error
        where = f"Connection {aws_conn_id}, extra service_config"
        services = _mapping(where, extra.get("service_config"))
        bucket = _mapping(f"{where}: s3", services.get("s3")).get("bucket_name")
        if not bucket:
            raise SettingsError(f"{where}: s3.bucket_name is missing. Set it, for example {EXAMPLE}.")
        given = _mapping(f"{where}: sparkify", services.get("sparkify"))
        unknown = sorted(set(given) - set(SPARKIFY_KEYS))
        if unknown:
            raise SettingsError(f"{where}: sparkify.{unknown[0]} is unknown. Known are {', '.join(SPARKIFY_KEYS)}.")
        values = {name: given.get(name) or default for name, (default, _, _) in SPARKIFY_KEYS.items()}
        values["control_bucket"] = values["control_bucket"] or bucket
        _check(where, "s3.bucket_name", bucket, BUCKET, SPARKIFY_KEYS["control_bucket"][2])
        for name, (_, pattern, meaning) in SPARKIFY_KEYS.items():
            _check(where, f"sparkify.{name}", values[name], pattern, meaning, is_shown=name not in NOT_SHOWN)
        region = extra.get("region_name")
        if region is not None:
            _check(f"Connection {aws_conn_id}, extra", "region_name", region, REGION, "a region such as us-west-2")
        return cls(
            bucket=bucket,
            schema=str(values["schema"]),
            copy_role=str(values["copy_role"]),
            control_bucket=str(values["control_bucket"]),
            control_prefix=str(values["control_prefix"]).strip("/"),
            region=region,
        )


def get_connection(conn_id: str) -> Connection:
    """The Airflow connection, or a :class:`SettingsError` that says how to make it.

    From here on boto3 logs nothing below INFO in this process, whatever Airflow's level is.
    """
    TELLS_SECRETS.setLevel(max(logging.INFO, TELLS_SECRETS.level))
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise SettingsError(
            f"The connection {conn_id} is not defined. Add it under Admin, Connections, "
            f"or as the environment variable AIRFLOW_CONN_{conn_id.upper()}."
        ) from error


def json_object(what: str, value: object, example: str) -> dict[str, Any]:
    """A param that is a JSON object, given as such or as its text; anything else is a :class:`SettingsError`.

    What was refused is not shown: one misplaced quote, and a password in it would stand in the log.
    """
    found, why = value, ""
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError) as error:
            why = f" ({error})"
    if isinstance(found, Mapping):
        return dict(found)
    raise SettingsError(
        f"{what} is a {type(found).__name__} and no JSON object{why}; it is not shown, as it may hold a secret. "
        f"Give it as one, for example {example}."
    )


def _mapping(where: str, value: object) -> dict[str, Any]:
    if value is None or isinstance(value, dict):
        return value or {}
    raise SettingsError(
        f"{where} is a {type(value).__name__}, not shown as it may hold a secret; expected a JSON object, for example "
        f"{EXAMPLE}."
    )


def _check(where: str, name: str, value: object, pattern: str, meaning: str, *, is_shown: bool = True) -> None:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        found = repr(value) if is_shown else "something else, not shown as it may hold a key"
        raise SettingsError(f"{where}: {name} is {found}; expected {meaning}.")
