"""AWS services by the Airflow connection, and what they refuse in words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.settings import get_connection

REFUSED = re.compile(
    r"AccessDenied.*|Unauthorized.*|UnrecognizedClient.*|InvalidClientTokenId|InvalidAccessKeyId"
    r"|SignatureDoesNotMatch|ExpiredToken.*|InvalidToken|AuthFailure|OptInRequired"
)
BUSY = re.compile(r"5\d\d|Throttl.*|TooManyRequests.*|RequestLimitExceeded|SlowDown|Internal.*|ServiceUnavailable.*")


def client(service: str, aws_conn_id: str, limits: Config | None = None) -> Any:
    """A boto3 client of the service, as the connection says; a :class:`SettingsError` if that has no region.

    :param limits: what holds in place of the connection's own time limits and tries.
    """
    get_connection(aws_conn_id)
    hook: AwsBaseHook[Any] = AwsBaseHook(aws_conn_id=aws_conn_id, client_type=service)
    if limits is not None:
        hook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type=service, config=hook.config.merge(limits))
    with translated(f"reach {service} by {aws_conn_id}"):
        return hook.get_conn()


def error_code(error: ClientError) -> str:
    """AWS's name for what went wrong, such as ``ValidationError``."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Errors of boto3 become :class:`Unavailable` (try again) or :class:`SettingsError` (do not).

    :param what: what is being done, to follow "Could not".
    """
    try:
        yield
    except (DataError, SettingsError, Unavailable):
        raise
    except ClientError as error:
        said = str(error.response.get("Error", {}).get("Message", error))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        if BUSY.fullmatch(error_code(error)) or BUSY.fullmatch(status):
            raise Unavailable(f"Could not {what}: {said}") from error
        if REFUSED.fullmatch(error_code(error)):
            raise SettingsError(
                f"Could not {what}: AWS refused permission ({said}). Grant it to the user or role of the connection."
            ) from error
        raise SettingsError(f"Could not {what}: {said}") from error
    except NoCredentialsError as error:
        raise SettingsError(f"Could not {what}: the AWS connection gives no credentials.") from error
    except NoRegionError as error:
        raise SettingsError(
            f"Could not {what}: the AWS connection names no region. Set region_name in its extra."
        ) from error
    except (BotoCoreError, OSError) as error:
        raise Unavailable(f"Could not {what}: {error}") from error
