"""A door before STS that notes the credentials it gives out."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

GIVEN = re.compile(
    r"<AccessKeyId>(.+?)</AccessKeyId>.*<SecretAccessKey>(.+?)</SecretAccessKey>"
    r".*<SessionToken>(.+?)</SessionToken>",
    re.DOTALL,
)


@dataclass
class StsDoor:
    """Where it is asked, and what it has given: access key id, secret access key and session token."""

    url: str
    given: list[tuple[str, str, str]] = field(default_factory=list)


@contextlib.contextmanager
def sts_door(upstream: str) -> Iterator[StsDoor]:
    """A door before the STS of ``upstream``, an URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with contextlib.closing(http.client.HTTPConnection(str(urlsplit(upstream).netloc))) as onward:
                onward.request("POST", self.path, body, dict(self.headers))
                answer = onward.getresponse()
                text = answer.read()
            door.given += [(key, secret, token) for key, secret, token in GIVEN.findall(text.decode())]
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        door = StsDoor(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, name="sts-door", daemon=True).start()
        yield door
        server.shutdown()
