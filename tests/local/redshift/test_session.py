from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import psycopg2
import pytest
from mypy_boto3_s3 import S3Client

from local.stack.postgres import Postgres
from tests.local.redshift.conftest import Connect, StandIn, free_port, start_stand_in

at = dt.datetime.fromisoformat


@pytest.fixture
def own_stand_in(stand_in: StandIn, s3: S3Client) -> Iterator[Callable[..., str]]:
    """Run a second stand-in, with options of its own, before the same PostgreSQL; gives its address."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> str:
        process, port = start_stand_in(stand_in.postgres, s3, *options)
        started.append(process)
        return psycopg.conninfo.make_conninfo(stand_in.dsn(), port=str(port))

    yield start
    for process in started:
        process.terminate()
        assert process.communicate(timeout=10)[1] == ""


def test_it_reports_itself_as_redshift(warehouse: psycopg.Connection) -> None:
    assert warehouse.info.parameter_status("server_version") == "8.0.2"
    assert "Redshift" in str(warehouse.execute("select version()").fetchone())


def test_psycopg2_runs_several_statements_in_one_string(stand_in: StandIn, schema: str) -> None:
    connection = psycopg2.connect(stand_in.dsn())
    with connection.cursor() as cursor:
        cursor.execute("create table x (a date sortkey); insert into x values ('2018-11-01'); select a from x")
        assert cursor.fetchall() == [(dt.date(2018, 11, 1),)]
    connection.close()


def test_a_string_that_fails_leaves_nothing_of_itself(warehouse: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.execute("create table x (a date sortkey); insert into x values ('2018-11-01'); select * from nowhere")
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.execute("select * from x")
    assert warehouse.execute("select 1").fetchone() == (1,)


def test_statements_of_the_stand_in_keep_their_place_in_a_pipeline(warehouse: psycopg.Connection) -> None:
    with warehouse.pipeline():
        before = warehouse.execute("select %s::int", (1,))
        warehouse.execute("create table x (a timestamp sortkey)")
        warehouse.execute("insert into x values (%s)", (at("2018-11-01"),))
        after = warehouse.execute("select count(*) from x")
        assert before.fetchone() == (1,)
        assert after.fetchone() == (1,)


def test_a_refusal_in_a_pipeline_fails_what_follows_it(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a int)")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="SAVEPOINT|savepoint"), warehouse.pipeline():
        warehouse.execute("savepoint s")
        warehouse.execute("insert into x values (1)")
    assert warehouse.execute("select count(*) from x").fetchone() == (0,)


def test_a_refusal_aborts_the_transaction(connect: Connect, schema: str) -> None:
    connection = connect(autocommit=False)
    connection.execute("create table x (a int)")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="CREATE INDEX is refused"):
        connection.execute("create index i on x (a)")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("select 1")


def test_truncate_commits(connect: Connect, schema: str) -> None:
    connection = connect(autocommit=False)
    connection.execute("create table x (a int)")
    connection.execute("insert into x values (1)")
    connection.execute("truncate x")
    connection.rollback()
    assert connection.execute("select count(*) from x").fetchone() == (0,)


def test_a_varchar_is_limited_in_bytes_in_copies_of_a_table_too(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a varchar(3))")
    warehouse.execute("create temp table y (like x)")
    for table in ("x", "y"):
        with pytest.raises(psycopg.errors.StringDataRightTruncation, match="Value too long for character type"):
            warehouse.execute(f"insert into {table} values ('éé')")
    assert warehouse.execute("select cast('éé' as varchar(3))").fetchone() == ("é",)


def test_a_lock_takes_no_snapshot(connect: Connect, schema: str) -> None:
    first, second = connect(), connect()
    first.execute("create table mutex_x (a int)")
    first.execute("create table x (a int)")
    second.execute("begin")
    second.execute("lock mutex_x")
    first.execute("insert into x values (1)")
    assert second.execute("select count(*) from x").fetchone() == (1,)


def test_a_lock_waited_for_too_long_fails_and_the_holder_is_shown(connect: Connect, schema: str) -> None:
    holder, waiter = connect(), connect()
    holder.execute("create table mutex_x (a int)")
    holder.execute("begin; lock mutex_x")
    waiter.execute("set statement_timeout to 200")
    waiter.execute("begin")
    with pytest.raises(psycopg.errors.QueryCanceled, match="cancelled on user's request"):
        waiter.execute("lock mutex_x")
    waiter.execute("rollback")
    found = waiter.execute(
        "select t.pid, t.granted from svv_transactions t join pg_catalog.pg_class c on c.oid = t.relation "
        "where c.relname = 'mutex_x'"
    ).fetchall()
    assert found == [(holder.info.backend_pid, True)]


def test_write_skew_is_error_1023_in_a_serializable_database(schema: str, own_stand_in: Callable[..., str]) -> None:
    dsn = own_stand_in("--isolation", "serializable")
    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        first.execute("create table x (a int)")
        first.commit()
        for connection in (first, second):
            connection.execute("insert into x select count(*) from x")
        first.commit()
        with pytest.raises(psycopg.errors.InternalError_, match=r"^1023\nDETAIL: +Serializable isolation violation"):
            second.commit()


def test_write_skew_passes_in_a_new_database(connect: Connect, schema: str) -> None:
    with connect(autocommit=False) as first, connect(autocommit=False) as second:
        first.execute("create table x (a int)")
        first.commit()
        for connection in (first, second):
            connection.execute("insert into x select count(*) from x")
        first.commit()
        assert second.execute("select count(*) from x").fetchone() == (1,), "a snapshot does not see later commits"
        second.commit()
        assert first.execute("select a from x").fetchall() == [(0,), (0,)]


@pytest.mark.parametrize("isolation", ["snapshot", "serializable"])
def test_two_updates_of_a_row_are_error_1023(schema: str, own_stand_in: Callable[..., str], isolation: str) -> None:
    dsn = own_stand_in("--isolation", isolation)
    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        first.execute("create table x (a int)")
        first.execute("insert into x values (1)")
        first.commit()
        assert second.execute("select a from x").fetchone() == (1,)
        first.execute("update x set a = 2")
        first.commit()
        with pytest.raises(psycopg.errors.InternalError_, match="^1023"):
            second.execute("update x set a = 3")


def test_the_statement_log_holds_what_clients_sent(
    schema: str, own_stand_in: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "statements"
    with psycopg.connect(own_stand_in("--statement-log", str(log)), autocommit=True) as connection:
        connection.execute("select\n'é'")
        connection.execute("select %s::int", (1,))
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute("create index i on x (a)")
    heard = [json.loads(line) for line in log.read_text().splitlines()]
    assert heard == ["select\n'é'", "select $1::int", "create index i on x (a)"]


WAITS = "select 1 from pg_locks where pid = %s and not granted"
WRITES_X = "select 1 from pg_locks where pid = %s and granted and relation = 't.x'::regclass"
COMPUTES = "select 1 from pg_stat_activity where pid = %s and state = 'active'"
LIVES = "select 1 from pg_stat_activity where pid = %s"


@pytest.mark.parametrize(
    ("statement", "until"),
    [
        pytest.param("select 1", LIVES, id="idle in a transaction"),
        pytest.param("lock held", WAITS, id="waiting for a lock"),
        pytest.param(f"select count(*) from {', '.join(f'pg_class {a}' for a in 'abcde')}", COMPUTES, id="computing"),
        pytest.param("truncate held", WAITS, id="waiting in a statement of the stand-in"),
        pytest.param("copy held from 's3://sparkify/v' iam_role default json 'auto'", WAITS, id="waiting in a copy"),
        pytest.param("copy x from 's3://sparkify/v' iam_role default json 'auto'", WRITES_X, id="copying"),
    ],
)
def test_a_client_that_vanishes_leaves_no_session_and_no_lock(
    connect: Connect, postgres: Postgres, schema: str, put: Callable[[str, object], str], statement: str, until: str
) -> None:
    put("v", '{"a": 1}\n' * 300_000 if "copy x" in statement else '{"a": 1}')
    holder, client = connect(), connect()
    for table in ("x", "held", "ours"):
        holder.execute(f"create table {table} (a int)")
    holder.execute("begin; lock held")
    client.execute("begin; lock ours")
    client.pgconn.send_query(statement.encode())
    pid = client.info.backend_pid
    with psycopg.connect(postgres.dsn("dev"), autocommit=True) as admin:
        while not admin.execute(until, (pid,)).fetchone():
            time.sleep(0.01)
        with socket.socket(fileno=os.dup(client.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 30
        while admin.execute(LIVES, (pid,)).fetchone() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert admin.execute("select 1 from pg_locks where relation = 't.ours'::regclass").fetchone() is None
    holder.execute("rollback")
    assert holder.execute("select count(*) from x").fetchone() == (0,)


def test_a_running_statement_is_cancelled(connect: Connect, schema: str) -> None:
    holder, waiter = connect(), connect()
    holder.execute("create table x (a int)")
    holder.execute("begin; lock x")
    failures: list[Exception] = []

    def wait() -> None:
        try:
            waiter.execute("select * from x")
        except psycopg.Error as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while waiting.is_alive():
        waiter.cancel_safe()
        waiting.join(0.05)
    assert isinstance(failures[0], psycopg.errors.QueryCanceled)


def test_settings_of_redshift_are_remembered(warehouse: psycopg.Connection) -> None:
    warehouse.execute("set query_group to 'sparkify'")
    assert warehouse.execute("show query_group").fetchone() == ("sparkify",)
    assert warehouse.execute("select current_setting('query_group')").fetchone() == ("sparkify",)


def test_set_config_sets_several_parameters_of_the_session_at_once(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create schema other")
    warehouse.execute("create table other.only_there (a integer)")
    warehouse.execute(
        "select pg_backend_pid(), set_config('query_group', 'daily', false), set_config('search_path', 'other', false),"
        " set_config('statement_timeout', '123000', false)"
    )
    assert warehouse.execute("show query_group").fetchone() == ("daily",)
    assert warehouse.execute("show statement_timeout").fetchone() == ("123s",)
    assert warehouse.execute("select count(*) from only_there").fetchone() == (0,)
    with pytest.raises(psycopg.Error, match="fsync"):
        warehouse.execute("select set_config('fsync', 'off', false)")


def test_vacuum_summarises_the_zone_map(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a timestamp sortkey)")
    warehouse.execute("insert into x values ('2018-11-01')")
    warehouse.execute("vacuum x")
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        warehouse.execute("begin; vacuum x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("timestamp 'epoch' + (1541105830796 / 1000) * interval '1 second' + (1541105830796 % 1000) * "
         "interval '1 millisecond'", at("2018-11-01 20:57:10.796000")),
        ("datediff(day, '2020-01-01 23:00'::timestamp, '2020-01-02 01:00'::timestamp)", 1),
        ("datediff(week, '2020-01-04'::date, '2020-01-05'::date)", 1),
        ("datediff(minutes, '2020-01-01 00:00:59'::timestamp, '2020-01-01 00:01'::timestamp)", 1),
        ("dateadd(qtr, 1, '2020-01-31'::date)", at("2020-04-30")),
        ("date_trunc('week', '2018-11-04'::date)", at("2018-10-29")),
        ("extract(week from '2018-11-04'::date)", 44),
        ("convert_timezone('America/New_York', '2020-07-01 12:00'::timestamp)", at("2020-07-01 08:00:00")),
        ("trunc('2020-07-01 12:00'::timestamp)", dt.date(2020, 7, 1)),
        ("regexp_replace('a1b2', '[0-9]', '')", "ab"),
        ("regexp_substr('abc', '[0-9]+')", ""),
        ("concat('a', null)", None),
        ("greatest(1, null, 3)", 3),
        ("charindex('b', 'abc')", 2),
        ("true::varchar", "true"),
        ("(select avg(a) from (select 1 as a union all select 2) as t)", 1),
        ("md5(coalesce(cast(null as varchar), '') || '|')", "b99834bc19bbad24580b3adfa04fb947"),
        ("rtrim('a ') = rtrim('a')", True),
        ("cast('1.999' as decimal)", 2),
    ],
)  # fmt: skip
def test_an_expression_gives_redshifts_value(warehouse: psycopg.Connection, expression: str, value: object) -> None:
    assert warehouse.execute(f"select {expression}").fetchone() == (value,)


def test_system_views_are_found_whatever_the_search_path(warehouse: psycopg.Connection) -> None:
    warehouse.execute("set search_path to nowhere")
    assert warehouse.execute("select count(*) from sys_load_history where query_id = -1").fetchone() == (0,)


def test_a_users_own_roles_are_in_svv_roles_and_neither_others_nor_users_are(
    stand_in: StandIn, warehouse: psycopg.Connection
) -> None:
    listed = "select role_name from svv_roles where role_name in ('loader', 'of_svv', 'of_others', 'pg_monitor')"
    with psycopg.connect(stand_in.postgres.dsn(), autocommit=True) as connection:
        connection.execute("create role of_svv")
        connection.execute("create role of_others")
        try:
            assert warehouse.execute(listed).fetchall() == []
            connection.execute("grant of_svv to loader")
            assert warehouse.execute(listed).fetchall() == [("of_svv",)]
        finally:
            connection.execute("drop role of_svv, of_others")


def test_a_late_binding_view_is_bound_all_the_same(warehouse: psycopg.Connection, schema: str) -> None:
    warehouse.execute("create table x (a int)")
    warehouse.execute(f"create view late as select a from {schema}.x with no schema binding")
    assert warehouse.execute("select a from late").fetchall() == []
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="view late depends on table x"):
        warehouse.execute("drop table x")
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.execute(f"create view later as select a from {schema}.y with no schema binding")


def test_two_sessions_work_while_one_waits(connect: Connect, schema: str) -> None:
    holder, waiter, third = connect(), connect(), connect()
    holder.execute("create table x (a int)")
    holder.execute("begin; lock x")
    waiting = threading.Thread(target=waiter.execute, args=("select * from x",))
    waiting.start()
    assert third.execute("select 1").fetchone() == (1,)
    holder.execute("rollback")
    waiting.join(10)
    assert not waiting.is_alive()


def test_copies_that_wait_for_a_lock_keep_no_other_from_running(
    connect: Connect, postgres: Postgres, schema: str, put: Callable[[str, object], str]
) -> None:
    # Each is more than a socket holds until PostgreSQL reads; together they are more than an event loop has threads.
    uri = put("long.json.gz", gzip.compress((json.dumps({"a": "x" * 60_000}) + "\n").encode() * 150))
    holder, waiters = connect(), [connect() for _ in range(min(32, (os.cpu_count() or 1) + 4) + 1)]
    for table in ("x", "held"):
        holder.execute(f"create table {table} (a varchar(max))")
    holder.execute("begin; lock held")

    def start(session: psycopg.Connection, table: str) -> threading.Thread:
        statement = f"copy {table} from '{uri}' iam_role default json 'auto' gzip"
        thread = threading.Thread(target=session.execute, args=(statement,), daemon=True)
        thread.start()
        return thread

    waiting = [start(waiter, "held") for waiter in waiters]
    with psycopg.connect(postgres.dsn("dev"), autocommit=True) as admin:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if admin.execute("select count(*) from pg_locks where not granted").fetchone() == (len(waiters),):
                break
            time.sleep(0.05)
    own = start(holder, "x")
    own.join(60)
    assert not own.is_alive()
    holder.execute("commit")
    for thread in waiting:
        thread.join(60)
    assert holder.execute("select count(*) from held").fetchone() == (150 * len(waiters),)


def test_another_database_is_refused(stand_in: StandIn) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "other" does not exist'):
        psycopg.connect(stand_in.dsn(), dbname="other")


def test_a_wrong_password_is_refused(stand_in: StandIn) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stand_in.dsn(), password="wrong")


def test_bytes_that_are_no_protocol_end_the_connection(stand_in: StandIn) -> None:
    with socket.create_connection(("127.0.0.1", stand_in.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"not the PostgreSQL protocol" in client.recv(1000)
        assert client.recv(1000) == b""


def test_a_message_that_would_go_round_the_rewriting_is_refused(connect: Connect) -> None:
    connection = connect()
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.setblocking(True)
        wire.sendall(b"F" + (4).to_bytes(4, "big"))  # a call of a function, past SQL
        assert b"the stand-in does not know it" in wire.recv(1000)
        assert wire.recv(1000) == b""


def test_a_failed_copy_in_a_transaction_is_remembered_after_it(connect: Connect, schema: str) -> None:
    connection = connect(autocommit=False)
    connection.execute("create table x (a int)")
    connection.commit()
    with pytest.raises(psycopg.Error):
        connection.execute("copy x from 's3://sparkify/no-such-object' iam_role default json 'auto'")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("select pg_last_query_id()")
    connection.rollback()
    with connection.pipeline():
        first = connection.execute("select 1")
        last = connection.execute("select pg_last_query_id()").fetchone()
    assert first.fetchone() == (1,)
    assert last is not None
    assert last[0] > 0


def test_a_session_ends_with_postgresql_and_the_next_works_after_it(
    tmp_path_factory: pytest.TempPathFactory, s3: S3Client
) -> None:
    postgres = Postgres.throw_away(tmp_path_factory.mktemp("dying"))
    try:
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            connection.execute("create database dev")
        process, port = start_stand_in(postgres, s3)
        dsn = psycopg.conninfo.make_conninfo(postgres.dsn("dev"), port=str(port))
        session = psycopg.connect(dsn, autocommit=True)
        postgres.stop()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        with pytest.raises(psycopg.OperationalError, match="cannot be reached"):
            psycopg.connect(dsn)
        postgres.start()
        with psycopg.connect(dsn) as again:
            assert again.execute("select 1").fetchone() == (1,)
        process.terminate()
        assert process.wait(10) == 0
    finally:
        postgres.stop()
        postgres.purge()


def test_the_stand_in_says_why_it_does_not_start() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local.redshift", "--dsn", f"host=127.0.0.1 port={free_port()}", "--wait", "0.1"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "PostgreSQL did not accept a connection within 0.1 seconds" in ended.stderr
