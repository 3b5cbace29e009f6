"""Reads a deployment's settings from the AWS connection's extra ``service_config``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sparkify.loading.aws import aws_extra
from sparkify.loading.connections import closest
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.recipients import ALERTS, Recipients
from sparkify.loading.waiting import KEYS as WAITING_KEYS
from sparkify.loading.waiting import Waiting

EXAMPLE = json.dumps({"s3": {"bucket_name": "my-bucket"}, "sparkify": {"schema": "public", "copy_role": "default"}})

# A part of a key between slashes. Servers and clients of HTTP leave out . and .. by themselves.
PART = r"(?!\.{1,2}(/|$))[\w!.*()-]+"
# name -> (default, what it may look like, in words). Each goes into SQL or an S3 key, so each is checked here.
SPARKIFY_KEYS: dict[str, tuple[str | None, str, str]] = {
    "schema": (
        "public",
        r"(?!pg_|information_schema$)[a-z_][a-z0-9_$]{0,126}",
        "a lower-case identifier that is no schema of the warehouse's own, as information_schema and pg_… are",
    ),
    "copy_role": (
        "default",
        r"default|arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+",
        "'default' or the ARN of an IAM role",
    ),
    "control_bucket": (None, r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket"),
    "control_prefix": (
        "sparkify",
        rf"(?=.{{1,200}}$)/?(?!(log|song)_data(/|$)){PART}(/{PART})*/?",
        "a key prefix of letters, digits and . _ - with single / between, outside of log_data and song_data",
    ),
}
BUCKET = SPARKIFY_KEYS["control_bucket"][1]
# COPY's older form takes keys where this takes a role: what was refused here may hold one.
NOT_SHOWN = ("copy_role",)
# What this package reads of service_config; all else there is of other AWS services.
OURS = ("s3", "sparkify")


@dataclass(frozen=True)
class Settings:
    """Where the files are, where the tables are, and who may copy.

    :param bucket: the bucket of ``log_data/`` and ``song_data/``; only read.
    :param schema: the warehouse schema of all tables.
    :param copy_role: ``default`` (the cluster's default IAM role) or the ARN that COPY assumes.
    :param control_bucket: where manifests and jsonpaths are written; ``bucket`` unless given.
    :param control_prefix: the key prefix there, without slashes at its ends.
    :param region: the buckets' region, or None to let COPY take the cluster's.
    :param waiting: how long a run waits for its files.
    :param recipients: who gets messages about failures and warnings.
    """

    bucket: str
    schema: str
    copy_role: str
    control_bucket: str
    control_prefix: str
    region: str | None
    waiting: Waiting = field(default_factory=Waiting)
    recipients: Recipients = field(default_factory=Recipients)

    @classmethod
    def of_connection(cls, aws_conn_id: str) -> Settings:
        """Read from the Airflow connection ``aws_conn_id``; :class:`SettingsError` says what is missing."""
        extra = aws_extra(aws_conn_id)
        where = f"Connection {aws_conn_id}, extra service_config"
        services = extra.get("service_config") or {}
        for name in services:
            if name not in OURS and closest(name, OURS):
                raise SettingsError(f"{where}: {name!r} is unknown. Did you mean {closest(name, OURS)}?")
        bucket = (services.get("s3") or {}).get("bucket_name")
        if not bucket:
            raise SettingsError(f"{where}: s3.bucket_name is missing. Set it, for example {EXAMPLE}.")
        given = services.get("sparkify") or {}
        known = (*SPARKIFY_KEYS, *WAITING_KEYS, ALERTS)
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise SettingsError(f"{where}: sparkify.{unknown[0]} is unknown. Known are {', '.join(known)}.")
        defaults = {name: default or bucket for name, (default, _, _) in SPARKIFY_KEYS.items()}
        values = defaults | {name: value for name, value in given.items() if value is not None}
        _check(where, "s3.bucket_name", bucket, BUCKET, SPARKIFY_KEYS["control_bucket"][2])
        for name, (_, pattern, meaning) in SPARKIFY_KEYS.items():
            _check(where, f"sparkify.{name}", values[name], pattern, meaning, is_shown=name not in NOT_SHOWN)
        return cls(
            bucket=bucket,
            schema=str(values["schema"]),
            copy_role=str(values["copy_role"]),
            control_bucket=str(values["control_bucket"]),
            control_prefix=str(values["control_prefix"]).strip("/"),
            region=extra.get("region_name"),
            waiting=Waiting.from_settings(where, given),
            recipients=Recipients.from_settings(where, given),
        )


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


def _check(where: str, name: str, value: object, pattern: str, meaning: str, *, is_shown: bool = True) -> None:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        found = repr(value) if is_shown else "something else, not shown as it may hold a key"
        raise SettingsError(f"{where}: {name} is {found}; expected {meaning}.")
