from __future__ import annotations

import os
import socket

from local.stack.ports import LOOPBACK, PortReservations, is_free, listens


def test_a_port_that_something_listens_on_is_passed_over_for_the_next() -> None:
    with socket.socket() as taken, PortReservations() as reservations:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert reservations.choose(port) > port


def test_two_homes_that_choose_at_the_same_time_get_different_ports() -> None:
    with PortReservations() as one, PortReservations() as other:
        first = one.choose(23000)
        assert other.choose(first) != first


def test_a_reservation_ends_with_its_context() -> None:
    with PortReservations() as one:
        first = one.choose(23000)
    with PortReservations() as other:
        assert other.choose(first) == first


def test_only_the_process_that_listens_on_a_port_is_said_to() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        port = server.getsockname()[1]
        assert not listens(os.getpid(), port)
        server.listen()
        assert listens(os.getpid(), port)
        assert not listens(1, port)
