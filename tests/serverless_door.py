"""What AWS has of Redshift Serverless and moto lacks: its API's usage limits and passwords, and a log-in by TLS.

Our model of AWS by its [pages](https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/): what is green on
it proves the code of the template and the driver's way to a log-in, and nothing about AWS.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@dataclass
class Serverless:
    """The API, and where CloudFormation takes answers.

    :param url: of both.
    """

    url: str = ""
    #: What GetCredentials answers.
    user: str = ""
    password: str = ""
    #: By id, as ListUsageLimits shows them.
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The calls, in order.
    asked: list[str] = field(default_factory=list)
    #: What CloudFormation was answered.
    answers: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, call: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the body of one call's answer."""
        self.asked.append(call)
        match call:
            case "GetCredentials":
                expiration = time.time() + given.get("durationSeconds", 900)
                return 200, {"dbUser": self.user, "dbPassword": self.password, "expiration": expiration}
            case "ListUsageLimits":
                named = [one for one in self.limits.values() if one["resourceArn"] == given["resourceArn"]]
                return 200, {"usageLimits": named}
            case "CreateUsageLimit":
                if given["amount"] <= 0:
                    return 400, {"__type": "ValidationException", "message": "The amount must be positive."}
                made = given | {"usageLimitId": f"limit-{len(self.asked)}"}
                self.limits[made["usageLimitId"]] = made
                return 200, {"usageLimit": made}
            case "UpdateUsageLimit" | "DeleteUsageLimit" if given["usageLimitId"] not in self.limits:
                return 400, {"__type": "ResourceNotFoundException", "message": "There is no such usage limit."}
            case "UpdateUsageLimit":
                self.limits[given["usageLimitId"]].update(given)
                return 200, {"usageLimit": self.limits[given["usageLimitId"]]}
            case "DeleteUsageLimit":
                return 200, {"usageLimit": self.limits.pop(given["usageLimitId"])}
        return 400, {"__type": "UnknownOperationException", "message": call}


@contextlib.contextmanager
def serverless_api() -> Iterator[Serverless]:
    """The API on a free port of the loopback interface."""
    api = Serverless()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, body = api.answer(call, json.loads(self._body()))
            self._send(status, json.dumps(body).encode())

        def do_PUT(self) -> None:
            api.answers.append(json.loads(self._body()))
            self._send(200, b"")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def tls_door(upstream: tuple[str, int], folder: Path) -> Iterator[tuple[int, Path]]:
    """A port that speaks TLS as a cluster does, for a warehouse that does not; and the file of its certificate.

    :param upstream: the host and port of the warehouse.
    :param folder: for the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(folder)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=connect, args=(client,), daemon=True).start()

    def connect(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if client.recv(len(SSL_REQUEST)) != SSL_REQUEST:
                return
            client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as inside, socket.create_connection(upstream) as server:
                back = threading.Thread(target=_pass_on, args=(server, inside), daemon=True)
                back.start()
                _pass_on(inside, server)
                back.join()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1]), certificate
    finally:
        listener.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """All bytes of one side, until it or the other ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _certificate(folder: Path) -> Path:
    """A file with a key and a certificate of localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return file
