"""A mail server that keeps what it is sent: as much of SMTP as a client needs (https://www.rfc-editor.org/rfc/rfc5321)."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """``mails`` are those that came, and ``port`` is where it listens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        for line in iter(self.rfile.readline, b""):
            command = line.decode().strip().upper()
            if command == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._mail())
            elif command.startswith("RCPT TO:"):
                self.server.recipients.append(line.decode().strip()[len("RCPT TO:") :])
            elif command == "QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())

    def _mail(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
            # A line that begins with a dot comes with one more.
            lines.append(line[1:] if line.startswith(b".") else line)
        return email.message_from_bytes(b"".join(lines), EmailMessage, policy=email.policy.default)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running server."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
