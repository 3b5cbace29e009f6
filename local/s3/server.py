"""The HTTP server: moto's application, with changes to buckets on disk before the client hears of success."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server as make_wsgi_server

from local.s3 import REGION
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


def make_server(port: int, folder: Path, buckets: Iterable[str] = (), address: str = LOOPBACK) -> BaseWSGIServer:
    """Return a server with the buckets kept in `folder`, `buckets` made if missing."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    recorded = RecordedBuckets(Mirror(folder))
    recorded.restore()
    for bucket in buckets:
        recorded.create_missing(bucket, REGION)
    application: Any = _DurableApplication(DomainDispatcherApplication(create_backend_app), recorded)
    return make_wsgi_server(address, port, application, threaded=True, request_handler=_QuietRequestHandler)
