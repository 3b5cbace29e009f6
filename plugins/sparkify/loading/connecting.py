"""Opens connections within a time limit and keeps them alive, which not every driver does."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

CONNECT_SECONDS = 60.0
# A NAT gateway or a network load balancer forgets a connection that was silent for 350 s, and tells nobody. A client
# that waits for a long statement would wait for the two hours after which the kernel asks by itself, or for ever
# (https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html).
# Option of the socket -> (its value, in seconds or probes, and what redshift_connector and libpq call it).
KEEPALIVE = {
    "TCP_KEEPIDLE": (60, ("tcp_keepalive_idle", "keepalives_idle")),
    "TCP_KEEPALIVE": (60, ("tcp_keepalive_idle", "keepalives_idle")),  # macOS's name
    "TCP_KEEPINTVL": (10, ("tcp_keepalive_interval", "keepalives_interval")),
    "TCP_KEEPCNT": (6, ("tcp_keepalive_count", "keepalives_count")),
}
ON_OR_OFF = ("tcp_keepalive", "keepalives")
OFF = ("0", "false")


def connect(
    open_connection: Callable[[], Any], seconds: float | None = None, *, extra: Mapping[str, object] | None = None
) -> Any:
    """Return what ``open_connection`` returns, or raise :class:`TimeoutError` after ``seconds``.

    redshift_connector's own ``timeout`` would bound every later read of the connection too, and so each statement. A
    paused cluster, or a security group that drops packets, answers nothing at all. A connection that comes too late is
    closed.

    :param seconds: default :data:`CONNECT_SECONDS`.
    :param extra: the Airflow connection's extra; what it says of keepalives holds, the rest is set to ours.
    """
    limit = CONNECT_SECONDS if seconds is None else seconds
    lock = threading.Lock()
    outcome: dict[str, Any] = {}

    def attempt() -> None:
        try:
            result = {"connection": open_connection()}
        except BaseException as error:
            result = {"error": error}
        with lock:
            outcome.update(result)
            abandoned = "abandoned" in outcome
        if abandoned and "connection" in result:
            with contextlib.suppress(Exception):
                result["connection"].close()

    thread = threading.Thread(target=attempt, name="connect", daemon=True)
    thread.start()
    thread.join(limit)
    with lock:
        if not outcome:
            outcome["abandoned"] = True
            raise TimeoutError(f"no answer within {limit:g} s. Check that it runs and that its network lets us in")
    if "error" in outcome:
        raise outcome["error"]
    _keep_alive(outcome["connection"], extra or {})
    return outcome["connection"]


def _keep_alive(connection: Any, extra: Mapping[str, object]) -> None:
    """Let the kernel ask a server that was silent for a minute, and end the connection if it never answers."""
    if any(str(extra.get(name)).lower() in OFF for name in ON_OR_OFF):
        return
    # psycopg and psycopg2 have fileno(), redshift_connector shows its socket alone.
    fileno = getattr(getattr(connection, "_usock", connection), "fileno", None)
    if fileno is None:
        return
    # A copy of the descriptor leads to the same socket, and can be closed. A connection is no worse for lack of this.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fileno())) as same:
        if same.family not in (socket.AF_INET, socket.AF_INET6):
            return
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, (value, names) in KEEPALIVE.items():
            if hasattr(socket, option) and not any(name in extra for name in names):
                same.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
