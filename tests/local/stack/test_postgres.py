from __future__ import annotations

import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from local.errors import LocalStackError
from local.stack import accounts
from local.stack.accounts import Account
from local.stack.postgres import Postgres

pytestmark = pytest.mark.stack

LONGEST_NAME = 120

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another account")


def as_other(name: str, *command: str) -> str:
    """What a program says that runs as this account of the machine."""
    other = pwd.getpwnam(name)
    tried = subprocess.run(
        command, user=other.pw_uid, group=other.pw_gid, extra_groups=[], cwd="/", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return tried.stdout


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


def _process(server: Postgres) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0]))


def test_it_never_runs_as_root(server: Postgres) -> None:
    assert _process(server).uids().effective != 0


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


@as_root
def test_as_root_it_runs_as_an_account_that_has_no_name_and_no_other_home(server: Postgres, tmp_path: Path) -> None:
    account = _process(server).uids().effective
    with pytest.raises(KeyError):
        pwd.getpwuid(account)
    assert set(_process(server).uids()) == {account}
    assert set(_process(server).gids()) == {account}
    for path in (server.data, *server.data.rglob("*")):
        assert path.lstat().st_uid in (0, account), path
    assert Postgres(tmp_path, 1, "secret").account.uid != account


@as_root
@pytest.mark.parametrize("name", ["nobody", "daemon"])
def test_as_root_no_other_program_reaches_it(server: Postgres, name: str) -> None:
    process = _process(server)
    for command in (
        ("cp", "/etc/hostname", str(server.data / "pg_hba.conf")),
        ("ls", str(server.data)),
        ("ls", str(server.location / "socket")),
        ("kill", "-HUP", str(process.pid)),
        ("cat", f"/proc/{process.pid}/environ"),
    ):
        said = as_other(name, *command)
        assert "ermission denied" in said or "not permitted" in said, (command, said)


@as_root
def test_as_root_nothing_comes_between_while_the_cluster_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    run = Account.run

    def look_and_run(account: Account, command: Sequence[str], env: Mapping[str, str]) -> Any:
        if command[0].endswith("initdb"):
            # initdb runs as an account that has a name: so may others, in its own group.
            looked.append(as_other(account.name, "ls", str(Path(command[2]).parent)))
            looked.append(as_other(account.name, "ls", command[2]))
        return run(account, command, env)

    monkeypatch.setattr(Account, "run", look_and_run)
    server = Postgres(tmp_path / "postgres", 1, "secret")
    server.prepare()
    try:
        assert len(looked) == 2
        assert all("Permission denied" in said for said in looked), looked
        assert not (server.location / "making").exists()
    finally:
        server.purge()


@as_root
def test_as_root_an_account_of_ones_own_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKIFY_POSTGRES_ACCOUNT", "daemon")
    server = Postgres.throw_away(tmp_path / "postgres")
    try:
        assert _process(server).uids().effective == pwd.getpwnam("daemon").pw_uid
        server.stop()
        # Without the name, the sentence says whose the database is.
        monkeypatch.delenv("SPARKIFY_POSTGRES_ACCOUNT")
        with pytest.raises(LocalStackError, match=r"belongs to the account daemon, .* set SPARKIFY_POSTGRES_ACCOUNT=d"):
            Postgres(server.folder, server.port, server.password).prepare()
    finally:
        server.stop()
        server.purge()


@as_root
@pytest.mark.parametrize(("name", "why"), [("root", "refuses to run as root"), ("a-stranger", "no such account")])
def test_as_root_an_account_that_cannot_be_is_refused(
    name: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKIFY_POSTGRES_ACCOUNT", name)
    with pytest.raises(LocalStackError, match=f"SPARKIFY_POSTGRES_ACCOUNT names {name}, .*{why}"):
        Postgres(tmp_path / "postgres", 1, "secret").prepare()


@pytest.mark.parametrize(
    ("maps", "number", "mapped"),
    [
        ("         0          0 4294967295\n", 1_900_000_000, True),
        ("         0     100000      65536\n", 1_900_000_000, False),
        ("         0     100000      65536\n", 60_800, True),
        ("0 1000 1\n1 100000 65536\n", 60_800, True),
    ],
)
def test_a_container_with_few_numbers_has_one_of_them(
    maps: str, number: int, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _path: maps)
    assert accounts._is_mapped(number) is mapped


@as_root
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
