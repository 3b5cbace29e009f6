from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from local.errors import LocalStackError
from local.stack.postgres import Postgres

LONGEST_NAME = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.throw_away(tmp_path_factory.mktemp("postgres") / "a folder with a ' in it")
    yield server
    server.stop()
    server.purge()


def _rows(server: Postgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.admin_dsn) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_text_is_compared_byte_by_byte_and_may_be_any_unicode(server: Postgres) -> None:
    assert set(_rows(server, "select pg_encoding_to_char(encoding), datcollate from pg_database")) == {("UTF8", "C")}


def test_what_is_committed_survives_a_crash_of_the_machine(server: Postgres) -> None:
    assert _rows(server, "select current_setting('fsync'), current_setting('synchronous_commit')") == [("on", "on")]


def test_it_listens_on_this_machine_alone(server: Postgres) -> None:
    assert _rows(server, "select current_setting('listen_addresses')") == [("127.0.0.1",)]


def test_nobody_gets_in_without_the_password(server: Postgres) -> None:
    stranger = Postgres(server.folder, server.port, "wrong")
    reason = stranger.unreachable()
    assert reason is not None
    assert "password authentication failed" in reason


def test_it_never_runs_as_root(server: Postgres) -> None:
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    assert psutil.Process(pid).uids().effective != 0


def test_data_outlive_a_restart(server: Postgres) -> None:
    with psycopg.connect(server.admin_dsn) as connection:
        connection.execute("create table kept as select 42 as answer")
    server.stop()
    server.prepare()
    server.start()
    assert _rows(server, "select answer from kept") == [(42,)]


def test_a_folder_too_deep_for_a_unix_socket_still_works(tmp_path: Path) -> None:
    server = Postgres.throw_away(tmp_path / ("deep" * (LONGEST_NAME // 4)))
    try:
        assert server.unreachable() is None
    finally:
        server.stop()
        server.purge()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another account")
def test_as_root_below_a_private_folder_it_finds_room_and_changes_no_permissions(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = Postgres.throw_away(private / "postgres")
    try:
        assert server.unreachable() is None
        assert not server.location.is_relative_to(private)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert private.stat().st_uid == 0
    finally:
        server.stop()
        location = server.location
        server.purge()
    assert not location.exists()


def test_a_home_whose_data_vanished_says_so_instead_of_starting_empty(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(tmp_path / "gone")
    with pytest.raises(LocalStackError, match="that folder is gone"):
        Postgres(tmp_path, 1, "secret").prepare()


def test_a_server_that_was_killed_and_not_reaped_does_not_stand_in_the_way(tmp_path: Path) -> None:
    server = Postgres.throw_away(tmp_path / "postgres")
    process = server._process
    assert process is not None
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    again = Postgres(server.folder, server.port, server.password)
    again.prepare()
    again.start()
    try:
        assert again.unreachable() is None
    finally:
        again.stop()
        process.wait()
        again.purge()
