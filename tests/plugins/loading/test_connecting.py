"""A connection is made in time or not at all."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest
import redshift_connector

from sparkify.loading.connecting import connect


class Connection:
    """What a driver returns, as far as :func:`connect` is concerned."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_connection_that_is_made_in_time_is_returned() -> None:
    connection = Connection()
    assert connect(lambda: connection, 60) is connection
    assert not connection.closed.is_set()


def test_the_drivers_own_error_comes_through() -> None:
    def refuse() -> Connection:
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(ConnectionRefusedError, match="nobody listens"):
        connect(refuse, 60)


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TimeoutError, match=r"no answer within 0\.3 s\. Check"):
            connect(
                lambda: redshift_connector.connect(
                    host="127.0.0.1", port=port, database="d", user="u", password="p", ssl=False
                ),
                0.3,
            )


def test_a_connection_that_comes_too_late_is_closed() -> None:
    go_on, connection = threading.Event(), Connection()

    def late() -> Connection:
        go_on.wait()
        return connection

    with pytest.raises(TimeoutError):
        connect(late, 0.01)
    go_on.set()
    assert connection.closed.wait(60)
