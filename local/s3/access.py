"""Who may use this S3: the programs of its own stack.

moto checks no credentials, and a port of the loopback interface is open to every web page in a browser of this machine
and to every other user of it. So each request must come from a program and not from a page, name this machine as its
host, and carry the access key id of the stack or one that its own IAM or STS issued.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Beside the addresses of the loopback interface: the service in docker-compose.yaml.
HOST_NAMES = ("localhost", "s3")
HEALTH = "/moto-api/"
_PARTITION = "aws"
# Signature version 4 and 2 (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html).
_SIGNED = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/|AWS ([^:\s]+):")
_KEYS_IN_QUERIES = ("X-Amz-Credential", "AWSAccessKeyId")


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: AWS's code, and a sentence."""

    code: str
    sentence: str


class OwnStackOnly:
    """Passes on the requests of the stack whose access key id is `key`, and refuses all others."""

    def __init__(self, application: WSGIApplication, key: str) -> None:
        self._application = application
        self._key = key

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refusal = self._refusal(environ)
        if refusal is None:
            return self._application(environ, start_response)
        body = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.sentence)}</Message></Error>".encode()
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _refusal(self, environ: WSGIEnvironment) -> Refusal | None:
        # Browsers send it with every request of a page that could read the answer or change something.
        if "HTTP_ORIGIN" in environ:
            return Refusal("AccessDenied", "This S3 answers the programs of its stack, and no web page.")
        # A page whose name was made to lead to this machine sends no Origin to itself, but its own name.
        if not _is_this_machine(environ.get("HTTP_HOST", "")):
            return Refusal(
                "AccessDenied", f"This S3 is asked for by a loopback address or as {' or '.join(HOST_NAMES)} only."
            )
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path.startswith("/moto-api"):
            if path == HEALTH and method in ("GET", "HEAD"):
                return None
            return Refusal("AccessDenied", f"Of moto's own API there is GET {HEALTH} alone, which says that it works.")
        return self._refused_key(environ)

    def _refused_key(self, environ: WSGIEnvironment) -> Refusal | None:
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        in_query = [value.partition("/")[0] for name in _KEYS_IN_QUERIES for value in query.get(name, ())]
        in_header = _signer(environ.get("HTTP_AUTHORIZATION"))
        if not in_query and in_header is None:
            return Refusal("AccessDenied", f"The request carries no access key id. {_HOW}")
        if all(_same(key, self._key) for key in in_query) and (
            in_header is None or _same(in_header, self._key) or _was_issued(in_header)
        ):
            return None
        return Refusal("InvalidAccessKeyId", f"The access key id is not that of this stack. {_HOW}")


_HOW = "`python -m local env` prints what a program needs to reach S3."


def hold_others_to_policies(key: str) -> None:
    """Let moto authenticate every key but `key`, and allow it what its policies say, as IAM does.

    A key that moto's IAM or STS issued is somebody's; `key` is the account's root.
    """
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authorize_others(response: Any, iam_request_cls: type, resource: str = "*") -> None:
        # Without the header the address itself is signed, which only `key` may do.
        signer = _signer(response.headers.get("Authorization"))
        if signer is not None and not _same(signer, key):
            authorize(response, iam_request_cls, resource)

    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize_others


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in HOST_NAMES or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _signer(authorization: str | None) -> str | None:
    found = _SIGNED.match(authorization or "")
    return None if found is None else found[1] or found[2]


def _same(key: str, other: str) -> bool:
    return hmac.compare_digest(key.encode(), other.encode())


def _was_issued(key: str) -> bool:
    users = iam_backends[DEFAULT_ACCOUNT_ID][_PARTITION].users.values()
    roles = sts_backends[DEFAULT_ACCOUNT_ID][_PARTITION].assumed_roles
    return any(_same(key, known.access_key_id) for user in users for known in user.access_keys) or any(
        _same(key, role.access_key_id) for role in roles
    )
