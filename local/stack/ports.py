"""Chooses the TCP ports of the loopback interface that the programs of a home listen on."""

from __future__ import annotations

import contextlib
import socket
from types import TracebackType
from typing import Self

import psutil

from local.errors import LocalStackError

LOOPBACK = "127.0.0.1"
_TRIES = 200


def is_free(port: int) -> bool:
    """Say whether a program could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections a stopped program left in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listens(pid: int, port: int) -> bool:
    """Say whether a process or one of its descendants listens on `port`."""
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            for connection in one.net_connections("tcp4"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return False


class PortReservations:
    """Ports chosen for programs that are about to listen.

    Between choosing a port and listening on it another home, of whatever user, may look for one too. Until the
    context ends, each chosen port is held by a UDP socket of the same number, which only one process can have.
    """

    def __init__(self) -> None:
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def choose(self, preferred: int) -> int:
        """Return `preferred`, or the next port above it that is free, and keep it for this context."""
        last = min(preferred + _TRIES, 65536) - 1
        for port in range(preferred, last + 1):
            if self._hold(port):
                return port
        raise LocalStackError(
            f"No port between {preferred} and {last} of {LOOPBACK} is free. Stop a program that listens there, "
            "or another home with `python -m local down`."
        )

    def _hold(self, port: int) -> bool:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind((LOOPBACK, port))
        except OSError:
            holder.close()
            return False
        if not is_free(port):
            holder.close()
            return False
        self._held.enter_context(holder)
        return True
