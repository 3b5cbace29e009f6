"""The HTTP server: moto's application, with changes to buckets on disk before the client hears of success."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.moto_server import werkzeug_app
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server as make_wsgi_server

from local.s3 import REGION
from local.s3.access import OwnStackOnly, hold_others_to_policies
from local.s3.mirror import Mirror
from local.s3.recording import RecordedBuckets

LOOPBACK = "127.0.0.1"

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _DurableApplication:
    """Passes a request on, and keeps what it changed before its response is sent."""

    def __init__(self, application: WSGIApplication, buckets: RecordedBuckets) -> None:
        self._application = application
        self._buckets = buckets

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self._application(environ, start_response)
        # werkzeug sends the status line with the first bytes of the response, so an error here becomes a 500.
        self._buckets.keep_changes()
        return response


class _QuietRequestHandler(MotoRequestHandler):
    """Logs only the requests that failed on our side."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code).startswith("5"):
            super().log_request(code, size)


def make_server(
    port: int, folder: Path, key: str, buckets: Iterable[str] = (), address: str = LOOPBACK
) -> BaseWSGIServer:
    """Return a server for who has the access key id `key`: the buckets kept in `folder`, and `buckets` if missing."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    recorded = RecordedBuckets(Mirror(folder))
    recorded.restore()
    for bucket in buckets:
        recorded.create_missing(bucket, REGION)
    hold_others_to_policies(key)
    # moto reads MOTO_DISABLE_GLOBAL_CORS when it is imported; otherwise every answer invites every web page.
    werkzeug_app.DISABLE_GLOBAL_CORS = True
    moto: Any = DomainDispatcherApplication(werkzeug_app.create_backend_app)
    application: Any = OwnStackOnly(_DurableApplication(moto, recorded), key)
    return make_wsgi_server(address, port, application, threaded=True, request_handler=_QuietRequestHandler)
