"""The life of a stack of real programs, those of Airflow left out: `tests/e2e` has the whole."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from local import query
from local.errors import LocalStackError
from local.stack import connections, databases
from local.stack import stack as stack_module
from local.stack.home import Home
from local.stack.ports import LOOPBACK, PortReservations
from local.stack.postgres import Postgres
from local.stack.stack import Stack
from local.stack.supervision import Supervisor

pytestmark = pytest.mark.stack

PROGRAMS = ("postgres", "s3", "redshift")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(Home(tmp_path / "home"))
    yield stack
    stack.down(purge=True)


def _processes(home: Home) -> list[psutil.Process]:
    """Return every process that works in the home."""
    folders = [home.run, databases.own_server(home).data]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(Path(process.cwd()).is_relative_to(folder) for folder in folders):
                found.append(process)
    return found


def _pids(stack: Stack) -> dict[str, int | None]:
    return {status.name: status.pid for status in stack.status()}


def _problems(stack: Stack) -> set[str]:
    return {status.name for status in stack.status() if status.problem is not None}


def test_a_second_up_changes_nothing(own: Stack) -> None:
    own.up(PROGRAMS)
    before = _pids(own)
    own.up(PROGRAMS)
    assert _pids(own) == before
    assert set(before) == set(PROGRAMS)


def test_a_second_up_beside_the_first_waits_says_so_and_then_changes_nothing(own: Stack) -> None:
    told: list[str] = []
    waiting = threading.Event()

    def tell(name: str, message: str) -> None:
        told.append(f"{name}: {message}")
        waiting.set()

    second = Stack(Home(own.home.folder), tell)
    with ThreadPoolExecutor(1) as threads:
        with own.home.locked(lambda _message: None):
            upping = threads.submit(second.up, ("postgres", "s3"))
            assert waiting.wait(60)
            assert told == [f"home: Another command is starting or stopping {own.home.folder}; waiting for it."]
            assert not own.home.exists
        upping.result()
    before = _pids(own)
    own.up(("postgres", "s3"))
    assert _pids(own) == before
    assert _problems(own) == set()


def test_a_program_that_dies_is_named_by_status_and_brought_back_by_up(own: Stack) -> None:
    own.up(PROGRAMS)
    before = _pids(own)
    killed = psutil.Process(before["s3"])
    killed.kill()
    psutil.wait_procs([killed], timeout=30)
    assert _problems(own) == {"s3"}
    own.up(PROGRAMS)
    after = _pids(own)
    assert _problems(own) == set()
    assert (after["postgres"], after["redshift"]) == (before["postgres"], before["redshift"])


def test_up_changes_how_the_warehouse_isolates_transactions_and_nothing_else(own: Stack) -> None:
    own.up(PROGRAMS)
    before = _pids(own)
    assert psutil.Process(before["redshift"]).cmdline()[-2:] == ["--isolation", "snapshot"]
    own.up(PROGRAMS, isolation="serializable")
    after = _pids(own)
    assert {name for name in before if after[name] != before[name]} == {"redshift"}
    assert psutil.Process(after["redshift"]).cmdline()[-2:] == ["--isolation", "serializable"]
    own.up(PROGRAMS)
    assert _pids(own) == after


def test_down_ends_everything_even_when_the_supervisor_was_killed(own: Stack) -> None:
    own.up(PROGRAMS)
    supervisor = Supervisor(own.home).pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert _processes(own.home)
    own.down()
    assert _processes(own.home) == []


def test_up_takes_over_from_a_killed_supervisor_and_loses_nothing(own: Stack) -> None:
    own.up(PROGRAMS)
    with psycopg.connect(databases.admin_dsn(own.home, "dev")) as connection:
        connection.execute("create table kept as select 1 as one")
    connections.s3_client(own.home).put_object(Bucket="sparkify", Key="kept", Body=b"text")
    for process in _processes(own.home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    own.up(PROGRAMS)
    with psycopg.connect(databases.admin_dsn(own.home, "dev")) as connection:
        assert connection.execute("select one from kept").fetchall() == [(1,)]
    found = connections.s3_client(own.home).get_object(Bucket="sparkify", Key="kept")
    assert found["Body"].read() == b"text"


def test_ports_are_kept_when_free_and_given_up_when_taken(own: Stack) -> None:
    told: list[str] = []
    own.home.create()
    # Where no other stack looks for a port, or one could take these while this one is down.
    with PortReservations() as reservations:
        for name, preferred in (("postgres", 15432), ("s3", 14566)):
            own.home.choose_port(name, reservations.choose(preferred + os.getpid() % 5000))
    own.up(("postgres", "s3"))
    own.down()
    before = own.home.port("postgres"), own.home.port("s3")
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((LOOPBACK, before[1]))
        thief.listen()
        Stack(own.home, lambda _name, message: told.append(message)).up(("postgres", "s3"))
    after = own.home.port("postgres"), own.home.port("s3")
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert f"Port {before[1]} is taken by something else; s3 gets {after[1]}." in told


def test_two_homes_run_side_by_side(own: Stack, tmp_path: Path) -> None:
    other = Stack(Home(tmp_path / "other"))
    try:
        own.up(("postgres", "s3"))
        other.up(("postgres", "s3"))
        connections.s3_client(own.home).put_object(Bucket="sparkify", Key="mine", Body=b"x")
        assert connections.s3_client(other.home).list_objects_v2(Bucket="sparkify")["KeyCount"] == 0
        assert _problems(own) | _problems(other) == set()
    finally:
        other.down(purge=True)
    assert _problems(own) == set()


def test_a_program_that_cannot_start_fails_with_the_end_of_its_log(own: Stack) -> None:
    own.home.create()
    (own.home.s3 / "broken").mkdir()
    (own.home.s3 / "broken" / "bucket.json").write_text("this is not JSON")
    with pytest.raises(LocalStackError, match=r"(?s)s3 ended at once.*JSONDecodeError"):
        own.up(("postgres", "s3"))
    assert "s3" in _problems(own)


def test_a_program_that_refuses_its_own_commands_is_told_within_seconds(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.up(("postgres",))
    own.down()
    state = own.home.folder / "state.json"
    state.write_text(state.read_text().replace(own.home.secret("postgres"), "another-password"))
    monkeypatch.setattr(stack_module, "REFUSING_SECONDS", 2.0)
    began = time.monotonic()
    with pytest.raises(
        LocalStackError, match=r"(?s)postgres does not work after \d+ seconds \(.*password authentication"
    ):
        own.up(("postgres",))
    assert time.monotonic() - began < 60


def test_what_a_program_is_waited_for_is_told(own: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(stack_module, "TELL_SECONDS", 0.0)
    Stack(own.home, lambda name, message: told.append(f"{name}: {message}")).up(("postgres",))
    assert [line for line in told if line.startswith("postgres: not yet after 0 seconds: it does not listen on port")]


def test_purge_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(Home(tmp_path / "home"))
    stack.up(("postgres",))
    data = databases.own_server(stack.home).data
    stack.down(purge=True)
    assert not data.exists()
    assert not stack.home.folder.exists()


def test_the_warehouse_user_is_no_superuser_but_may_make_schemas_and_tables(own: Stack) -> None:
    own.up(("postgres",))
    password, port = own.home.secret("sparkify"), own.home.port("postgres")
    with psycopg.connect(host=LOOPBACK, port=port, user="sparkify", password=password, dbname="dev") as connection:
        superuser = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        assert superuser == (False,)
        connection.execute("create schema other")
        connection.execute("create table public.made (n integer)")


def test_a_postgresql_of_the_users_own_is_used_and_given_back_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Postgres.throw_away(tmp_path / "given")
    stack = Stack(Home(tmp_path / "home"))
    try:
        monkeypatch.setenv(databases.DSN_VARIABLE, given.admin_dsn)
        stack.up(PROGRAMS)
        # The home knows by itself from now on.
        monkeypatch.delenv(databases.DSN_VARIABLE)
        assert set(_pids(stack)) == {"s3", "redshift"}
        assert _problems(stack) == set()
        names = "select datname from pg_database where not datistemplate order by 1"
        with psycopg.connect(given.admin_dsn) as connection:
            assert connection.execute(names).fetchall() == [("airflow",), ("dev",), ("postgres",)]
        for made in (
            "create role readers",
            "grant usage on schema public to role readers",
            "create user ann password 'Only-4-the-test'",
            "grant role readers to ann",
        ):
            query.run(stack.home, made)
        stack.down(purge=True)
        with psycopg.connect(given.admin_dsn) as connection:
            assert connection.execute(names).fetchall() == [("postgres",)]
            roles = "select rolname from pg_roles where rolname !~ '^pg_'"
            assert connection.execute(roles).fetchall() == [("admin",)]
    finally:
        stack.down(purge=True)
        given.stop()
        given.purge()


def test_a_role_that_somebody_else_made_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Postgres.throw_away(tmp_path / "given")
    stack = Stack(Home(tmp_path / "home"))
    try:
        with psycopg.connect(given.admin_dsn) as connection:
            connection.execute("create role airflow login")
        monkeypatch.setenv(databases.DSN_VARIABLE, given.admin_dsn)
        with pytest.raises(LocalStackError, match="already has a role named airflow"):
            stack.up(("s3",))
    finally:
        stack.down(purge=True)
        given.stop()
        given.purge()
