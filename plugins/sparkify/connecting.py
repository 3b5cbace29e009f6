"""Opening a connection within a time limit, which not every driver has."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

CONNECT_SECONDS = 60.0


def connect(open_connection: Callable[[], Any], seconds: float = CONNECT_SECONDS) -> Any:
    """Return what ``open_connection`` returns, or raise :class:`TimeoutError` after ``seconds``.

    redshift_connector's own ``timeout`` would bound every later read of the connection too, and so each statement. A
    paused cluster, or a security group that drops packets, answers nothing at all. A connection that comes too late is
    closed.
    """
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
    thread.join(seconds)
    with lock:
        if not outcome:
            outcome["abandoned"] = True
            raise TimeoutError(f"no answer within {seconds:g} s. Check that it runs and that its network lets us in")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["connection"]
