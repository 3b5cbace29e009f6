"""Opens AWS services by an Airflow connection, after checking its fields."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.loading.aws_errors import translated
from sparkify.loading.connections import check_kind, check_text, closest, extra_of, get_connection, shown_value
from sparkify.loading.exceptions import SettingsError

EXAMPLES = {
    "s3": '{"bucket_name": "my-bucket"}',
    "sparkify": '{"schema": "public", "copy_role": "default"}',
    "service_config": '{"s3": {"bucket_name": "my-bucket"}, "sparkify": {"schema": "public"}}',
}
EXAMPLE = f'{{"region_name": "us-west-2", "service_config": {EXAMPLES["service_config"]}}}'
# The provider reads these of the extra besides those that its class has as fields.
ALSO_READ = {"config_kwargs": (dict,), "session_kwargs": (dict,)}
KINDS = {"str": str, "bool": bool, "dict": dict}
# Extra -> (what its text must look like, in words).
PATTERNS = {
    "region_name": (re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII), "a region such as us-west-2"),
    "role_arn": (
        re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII),
        "the ARN of a role such as arn:aws:iam::123456789012:role/sparkify-airflow",
    ),
}
METHODS = ("assume_role", "assume_role_with_saml", "assume_role_with_web_identity")


def aws_extra(aws_conn_id: str) -> dict[str, Any]:
    """The extra of the AWS connection; a :class:`SettingsError` names the field that cannot be meant."""
    connection = get_connection(aws_conn_id)
    where = f"Connection {aws_conn_id}"
    if connection.conn_type not in (None, "", "aws"):
        raise SettingsError(
            f"{where} is of the type {shown_value(connection.conn_type)}; expected aws (Amazon Web Services in the "
            "form)."
        )
    if bool(connection.login) != bool(connection.password):
        given, missing = ("login", "password") if connection.login else ("password", "login")
        raise SettingsError(
            f"{where} has a {given} and no {missing}. Set both, the access key's id as login and its secret as "
            "password; or neither, if the machine has a role."
        )
    extra = extra_of(connection, EXAMPLE)
    _check_extra(f"{where}, extra", extra)
    return extra


def client(service: str, aws_conn_id: str, limits: Config | None = None, region: str | None = None) -> Any:
    """A boto3 client of the service, as the connection says; a :class:`SettingsError` if that has no region.

    :param limits: what holds in place of the connection's own time limits and tries.
    :param region: in place of the connection's own.
    """
    aws_extra(aws_conn_id)
    what = f"reach {service} by {aws_conn_id}"
    hook: AwsBaseHook[Any] = AwsBaseHook(aws_conn_id=aws_conn_id, client_type=service, region_name=region)
    with translated(what):
        try:
            if limits is not None:
                config = hook.config.merge(limits)
                hook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type=service, region_name=region, config=config)
            return hook.get_conn()
        except (BotoCoreError, ClientError, OSError, SettingsError):
            raise
        except Exception as error:
            # boto3 takes some of the extra as it is, such as config_kwargs.
            raise SettingsError(
                f"Could not {what}: {type(error).__name__}: {error}. Correct the extra of connection {aws_conn_id}."
            ) from error


def _check_extra(where: str, extra: Mapping[str, Any]) -> None:
    known = _known()
    for name, value in extra.items():
        if name not in known:
            # Others may keep what is theirs in a connection that a whole deployment shares.
            meant = closest(name, known)
            if meant:
                raise SettingsError(f"{where}: {shown_value(name)} is unknown. Did you mean {meant}?")
            continue
        check_kind(f"{where}: {name}", value, known[name], EXAMPLES.get(name, ""))
        pattern, meaning = PATTERNS.get(name, (None, ""))
        if pattern and value is not None and not pattern.fullmatch(value):
            raise SettingsError(f"{where}: {name} is {shown_value(value)}; expected {meaning}.")
    method = extra.get("assume_role_method")
    if method is not None and method not in METHODS:
        raise SettingsError(
            f"{where}: assume_role_method is {shown_value(method)}; expected one of {', '.join(METHODS)}."
        )
    bundle = extra.get("verify")
    if isinstance(bundle, str) and not Path(bundle).exists():
        raise SettingsError(
            f"{where}: verify is {shown_value(bundle)}, and this worker has no such file. Expected true, false, or a "
            "file of certificates."
        )
    for service, config in (extra.get("service_config") or {}).items():
        check_kind(f"{where} service_config: {service}", config, (dict,), EXAMPLES.get(service, ""))
        for name, value in (config or {}).items():
            if isinstance(value, str):
                check_text(f"{where} service_config: {service}.{name}", value, is_secret=True)


@functools.cache
def _known() -> Mapping[str, tuple[type, ...]]:
    """What the installed provider reads of an extra: the name of each field, and the kinds of its value."""
    fields = {}
    for field in dataclasses.fields(AwsConnectionWrapper):
        kinds = [KINDS.get(part.partition("[")[0]) for part in str(field.type).split(" | ") if part != "None"]
        fields[field.name] = tuple(kind for kind in kinds if kind)
    return {name: kinds for name, kinds in (fields | ALSO_READ).items() if kinds}
