"""A door before the stand-in that sees every statement pass and can strike at one of them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: The n-th statement has been asked for and the server has not heard of it; the server has answered it and the client
#: has not heard of that; the same, and the client then hears a part of the answer.
MOMENTS = ("asked", "answered", "torn")
Blow = Callable[["Connection"], None]
LONG = 1 << 16
# A blow may kill a server and wait for its end.
BLOW_SECONDS = 300.0


@dataclass
class Connection:
    """One client's way through the door; its statements are numbered from 1."""

    client: socket.socket
    server: socket.socket
    names: dict[bytes, str] = field(default_factory=dict)
    portals: dict[bytes, bytes] = field(default_factory=dict)
    asked: int = 0

    def drop(self) -> None:
        """Hang up on both sides at once."""
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class _Trap:
    number: int
    moment: str
    blow: Blow
    kept: int


class Wire:
    """Passes the bytes of every connection on, and counts its statements; 0 is the log-in, which PostgreSQL answers.

    The first connection after :meth:`arm` is the one that is struck.
    """

    def __init__(self, upstream: Callable[[], int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._trap: _Trap | None = None
        self._lock = threading.Lock()
        #: What was answered since :meth:`arm`, of all connections.
        self.answered: list[str] = []
        self.struck = threading.Event()
        self._fallen = threading.Event()
        self._failure: BaseException | None = None
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    def arm(self, number: int = -1, moment: str = "answered", blow: Blow = Connection.drop, *, kept: int = 3) -> None:
        """Forget what passed, and strike at a statement of this number; at none if it is negative.

        Of a torn answer so many bytes are ``kept``; one that is no longer than that is not torn.
        """
        with self._lock:
            self._trap = _Trap(number, moment, blow, kept) if number >= 0 else None
            self.answered = []
            self._failure = None
            self._fallen.clear()
            self.struck.clear()

    def settle(self) -> bool:
        """Whether anything was struck since :meth:`arm`. Wait for the end of the blow; what failed in it is raised."""
        if not self.struck.is_set():
            return False
        assert self._fallen.wait(BLOW_SECONDS), f"A blow has not fallen in {BLOW_SECONDS:.0f} seconds."
        if self._failure is not None:
            raise self._failure
        return True

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream()))
            except OSError:
                client.close()
                continue
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(client, server)
            for pump in (self._ask, self._answer):
                threading.Thread(target=self._guarded, args=(pump, connection), daemon=True).start()

    def _guarded(self, pump: Callable[[Connection], None], connection: Connection) -> None:
        try:
            with contextlib.suppress(OSError, struct.error):
                pump(connection)
        finally:
            # One side's end is the other's, whatever ended it: a client that nobody answers waits for ever.
            for side in (connection.client, connection.server):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def _ask(self, connection: Connection) -> None:
        stream = connection.client.makefile("rb")
        (length,) = struct.unpack("!i", head := stream.read(4))
        body = stream.read(length - 4)
        self._strike(connection, 0, "asked")
        connection.server.sendall(head + body)
        for kind, whole in _messages(stream):
            rest = whole[5:]
            if kind == b"P":
                name, sql, _ = rest.split(b"\0", 2)
                connection.names[name] = sql.decode()
            elif kind == b"B":
                portal, name, _ = rest.split(b"\0", 2)
                connection.portals[portal] = name
            elif kind == b"E":
                connection.asked += 1
                self._strike(connection, connection.asked, "asked")
            connection.server.sendall(whole)

    def _answer(self, connection: Connection) -> None:
        held, answered = bytearray(), -1
        for kind, whole in _messages(connection.server.makefile("rb")):
            held += whole
            if kind != b"Z":
                # While it logs in, a client must hear each question; a long answer need not be kept as a whole.
                if answered < 0 or len(held) > LONG:
                    connection.client.sendall(held)
                    held.clear()
                continue
            if connection.asked > answered:
                answered = connection.asked
                if answered:
                    self.answered.append(connection.names[connection.portals[b""]])
                self._strike(connection, answered, "answered")
                self._strike(connection, answered, "torn", bytes(held))
            connection.client.sendall(held)
            held.clear()
        connection.client.sendall(held)

    def _strike(self, connection: Connection, number: int, moment: str, answer: bytes = b"") -> None:
        with self._lock:
            trap = self._trap
            if trap is None or (trap.number, trap.moment) != (number, moment):
                return
            self._trap = None
        if moment == "torn" and trap.kept >= len(answer):
            return
        # The client may act on what it sees before we come back here.
        self.struck.set()
        try:
            if moment == "torn":
                connection.client.sendall(answer[: trap.kept])
                # An end in order, after which the client reads what came before it.
                connection.client.shutdown(socket.SHUT_WR)
            trap.blow(connection)
        except BaseException as error:
            # The test must hear of it, and this is not its thread.
            self._failure = error
            connection.drop()
        finally:
            self._fallen.set()


def _messages(stream: object) -> Iterator[tuple[bytes, bytes]]:
    read: Callable[[int], bytes] = stream.read  # type: ignore[attr-defined]
    while len(head := read(5)) == 5:
        (length,) = struct.unpack("!i", head[1:])
        yield head[:1], head + read(length - 4)
