"""Errors of AWS in words: what may pass is tried again, the rest says what to correct; no key and no signature."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from botocore import exceptions as boto

from sparkify.loading.exceptions import DataError, SettingsError, Unavailable

REFUSED = re.compile(
    r"AccessDenied.*|Unauthorized.*|UnrecognizedClient.*|InvalidClientTokenId|InvalidAccessKeyId"
    r"|SignatureDoesNotMatch|IncompleteSignature.*|ExpiredToken.*|InvalidToken|AuthFailure|OptInRequired"
)
BUSY = re.compile(r"5\d\d|Throttl.*|TooManyRequests.*|RequestLimitExceeded|SlowDown|Internal.*|ServiceUnavailable.*")
# What boto3 raises of a network, and of a machine's role that could not be asked. All else it raises of what it was
# told: a profile, a role, a region.
PASSING = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,
    boto.ChecksumError,
    boto.FlexibleChecksumError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    boto.WaiterError,
    OSError,
)
WHAT_TO_CORRECT: tuple[tuple[type[Exception], str], ...] = (
    (boto.NoCredentialsError, "Set login and password of the AWS connection, or give the machine a role."),
    (boto.PartialCredentialsError, "Set both login and password of the AWS connection."),
    (boto.NoRegionError, "Set region_name in the extra of the AWS connection."),
    (boto.InvalidRegionError, "Correct region_name in the extra of the AWS connection."),
    (boto.ProfileNotFound, "Correct profile_name in the extra of the AWS connection, or leave it out."),
)
# A request that AWS could not read, or could not verify, is quoted in its answer.
SECRETS = re.compile(r"(?<=Credential=)[^\s,&'\"]+|(?<=Signature=)[^\s,&'\"]+|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
NOT_SHOWN = "…"


def error_code(error: boto.ClientError) -> str:
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
    except (boto.BotoCoreError, boto.ClientError, OSError) as error:
        # The log shows an error's cause with its words.
        raise error_of_aws(what, error) from (error if is_harmless(error) else None)


def error_of_aws(what: str, error: Exception) -> Exception:
    """What to raise in place of an error of boto3.

    :param what: what was being done, to follow "Could not".
    """
    if isinstance(error, boto.ClientError):
        return _answer(what, error)
    if not is_harmless(error):
        return SettingsError(
            f"Could not {what}: a request with the fields of the AWS connection cannot be sent; it is not shown, as it "
            "holds a signature. Look for line breaks and other unusual characters in login, password and "
            "aws_session_token, and for a value of another kind in config_kwargs of the extra."
        )
    if isinstance(_cause(error), AttributeError | LookupError):
        return SettingsError(
            f"Could not {what}: {_words(error)}. Correct the extra of the AWS connection, config_kwargs above all."
        )
    if isinstance(error, PASSING):
        return Unavailable(f"Could not {what}: {_words(error)}")
    cures = [cure for kind, cure in WHAT_TO_CORRECT if isinstance(error, kind)]
    return SettingsError(f"Could not {what}: {_words(error)}. {cures[0] if cures else 'Correct the AWS connection.'}")


def is_harmless(error: Exception) -> bool:
    """Whether the error's own words hold no key and no signature."""
    # This one quotes what it could not send, a header that holds both.
    return not isinstance(_cause(error), ValueError | TypeError) and not SECRETS.search(str(error))


def _cause(error: Exception) -> object:
    """What kept a request from being sent, where that was not the network."""
    return error.kwargs.get("error") if isinstance(error, boto.HTTPClientError) else None


def _words(error: Exception) -> str:
    """What the error says, on one line."""
    return " ".join(str(error).split()).rstrip(".")


def _answer(what: str, error: boto.ClientError) -> Exception:
    said = SECRETS.sub(NOT_SHOWN, str(error.response.get("Error", {}).get("Message", error)))
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    if BUSY.fullmatch(error_code(error)) or BUSY.fullmatch(status):
        return Unavailable(f"Could not {what}: {said}")
    if REFUSED.fullmatch(error_code(error)):
        return SettingsError(
            f"Could not {what}: AWS refused permission ({said}). Grant it to the user or role of the connection."
        )
    return SettingsError(f"Could not {what}: {said}")
