"""A door before S3 that answers one kind of request wrongly, slowly or not to the end."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, get_args
from urllib.parse import urlsplit

Kind = Literal["403", "404", "500", "slow", "cut"]
ERRORS: Mapping[str, tuple[int, str, str]] = {
    "403": (403, "AccessDenied", "Access Denied"),
    "404": (404, "NoSuchKey", "The specified key does not exist."),
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
}
KINDS: Sequence[Kind] = get_args(Kind)
# The requests of a load in their order, and the task they are of.
REQUESTS = {
    "list the date's files": ("stage_events", r"GET /\S*list-type=2\S*prefix=log_data\S*"),
    "write the field mapping": ("stage_events", r"PUT /\S*/jsonpaths\.json"),
    "write the manifest": ("stage_events", r"PUT /\S*\.manifest"),
    "COPY reads the manifest": ("stage_events", r"GET /\S*\.manifest"),
    "COPY reads the field mapping": ("stage_events", r"GET /\S*/jsonpaths\.json"),
    "COPY reads the date's file": ("stage_events", r"GET /\S*log_data\S*\.json"),
    "look at the file's fields": ("stage_events", r"GET /\S*log_data\S*\.json part"),
    "list the songs": ("stage_songs", r"GET /\S*list-type=2\S*prefix=song_data\S*"),
    "COPY reads a song": ("stage_songs", r"GET /\S*song_data\S*\.json"),
    "COPY reads the list of the songs' files": ("stage_songs", r"GET /\S*/ledger-0\.json"),
}
# Nothing comes after the half of an object until somebody lets it pass.
STALL = "stall"
STALL_SECONDS = 300.0
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}
PIECE = 64
PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Fault:
    """What befalls the requests whose ``METHOD path``, with `` part`` if a range is asked for, matches ``request``."""

    request: str
    kind: str


class S3Door:
    """Stands before the S3 of ``upstream``, an URL."""

    def __init__(self, upstream: str) -> None:
        self.fault: Fault | None = None
        #: How many requests met the fault.
        self.met = 0
        self.stalls = threading.Event()
        self.go_on = threading.Event()
        self._server = _server(self, str(urlsplit(upstream).netloc))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="s3-door", daemon=True).start()

    @contextlib.contextmanager
    def meets(self, fault: Fault) -> Iterator[None]:
        """Answer so for a while; some request must have met the fault in the end."""
        self.met, self.fault = 0, fault
        try:
            yield
            assert self.met
        finally:
            self.fault = None

    def close(self) -> None:
        """Let nobody in any more."""
        self._server.shutdown()
        self._server.server_close()


def _server(door: S3Door, upstream: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = f"{self.command} {self.path}{' part' if 'Range' in self.headers else ''}"
            fault = door.fault
            kind = fault.kind if fault and re.fullmatch(fault.request, request) else ""
            door.met += bool(kind)
            if kind in ERRORS:
                status, code, message = ERRORS[kind]
                text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
                self.send(status, {"Content-Type": "application/xml"}, text, kind)
                return
            onward = http.client.HTTPConnection(upstream)
            with contextlib.closing(onward):
                onward.request(self.command, self.path, body, dict(self.headers))
                found = onward.getresponse()
                self.send(found.status, dict(found.getheaders()), found.read(), kind)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815  # the base class's names

        def send(self, status: int, headers: dict[str, str], body: bytes, kind: str) -> None:
            if kind == "cut" and not body:
                self.hang_up()
                return
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if kind == "slow":
                for start in range(0, len(body), PIECE):
                    time.sleep(PAUSE_SECONDS)
                    self.wfile.write(body[start : start + PIECE])
            elif kind == "cut":
                self.wfile.write(body[: len(body) // 2])
                self.hang_up()
            elif kind == STALL:
                # Who asked may be dead when it goes on.
                with contextlib.suppress(OSError):
                    self.wfile.write(body[: len(body) // 2])
                    door.stalls.set()
                    door.go_on.wait(STALL_SECONDS)
                    self.wfile.write(body[len(body) // 2 :])
            elif self.command != "HEAD":
                self.wfile.write(body)

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server
