"""Each client a cluster has, run against the stand-in as it is against a cluster."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import threading
from decimal import Decimal

import psycopg
import pytest
import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from airflow.providers.postgres.hooks.postgres import PostgresHook

from local.stack.binaries import binaries
from tests.local.redshift.conftest import PASSWORD, Connect, StandIn

at = dt.datetime.fromisoformat


@pytest.fixture
def postgres_hook(stand_in: StandIn, schema: str, monkeypatch: pytest.MonkeyPatch) -> PostgresHook:
    connection = {
        "conn_type": "postgres", "host": "127.0.0.1", "port": stand_in.port, "login": "loader", "password": PASSWORD,
        "schema": "dev",
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", json.dumps(connection))
    return PostgresHook()


def psql(stand_in: StandIn, *arguments: str, script: str = "") -> subprocess.CompletedProcess[str]:
    """Run psql as a person would, without that person's settings."""
    return subprocess.run(
        [binaries() / "bin" / "psql", stand_in.dsn(), "--no-psqlrc", "--no-align", "--tuples-only", *arguments],
        input=script, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


# --- RedshiftSQLHook, by redshift_connector


def test_airflows_hook_runs_a_list_as_one_transaction(hook: RedshiftSQLHook) -> None:
    hook.run(["create table x (a int, b timestamp sortkey)", "insert into x values (1, '2018-11-01')"])
    with pytest.raises(redshift_connector.ProgrammingError, match="does not exist"):
        hook.run(["insert into x values (2, '2018-11-02')", "select * from nowhere"])
    assert [tuple(row) for row in hook.get_records("select a from x where b >= %s", ("2018-11-01",))] == [(1,)]
    hook.run("insert into x values (%s, %s)", True, (3, at("2018-11-03")))
    assert hook.get_first("select count(*), max(b) from x") == [2, at("2018-11-03")]


def test_airflows_hook_reads_every_type_of_the_schema(hook: RedshiftSQLHook) -> None:
    row = hook.get_first(
        "select 1::smallint, 2::int, 3::bigint, 1.50::decimal(10, 5), 0.1::double precision, 'é'::varchar(4), "
        "'2018-11-01'::date, '2018-11-01 21:01:46.796'::timestamp, true, null"
    )
    assert row == [
        1, 2, 3, Decimal("1.50000"), 0.1, "é", dt.date(2018, 11, 1), at("2018-11-01 21:01:46.796"), True, None,
    ]  # fmt: skip


def test_airflows_hook_gives_the_sqlstate_of_an_error(hook: RedshiftSQLHook) -> None:
    with pytest.raises(redshift_connector.ProgrammingError) as raised:
        hook.get_records("select * from nowhere")
    assert raised.value.args[0]["C"] == "42P01"
    assert raised.value.args[0]["S"] == "ERROR"


def test_airflows_hook_inserts_rows(hook: RedshiftSQLHook) -> None:
    hook.run("create table x (a int, b varchar(9))")
    hook.insert_rows("x", [(1, "a'b"), (2, None)], target_fields=["a", "b"])
    assert [tuple(row) for row in hook.get_records("select a, b from x order by a")] == [(1, "a'b"), (2, None)]


@pytest.mark.filterwarnings("ignore:pandas only supports SQLAlchemy:UserWarning")
def test_airflows_hook_gives_a_data_frame(hook: RedshiftSQLHook) -> None:
    hook.run(["create table x (a int, b varchar(9) sortkey)", "insert into x values (1, 'é'), (2, null)"])
    frame = hook.get_df("select a, b from x where a < %s order by a", parameters=(3,))
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].isna().tolist() == [False, True]
    assert frame["b"][0] == "é"


# --- PostgresHook, by psycopg2


def test_the_postgres_hook_runs_statements_and_reads_records(postgres_hook: PostgresHook) -> None:
    postgres_hook.run(["create table x (a int, b varchar(9) sortkey)", "insert into x values (1, 'a'), (2, 'b')"])
    assert postgres_hook.get_records("select a from x where b = %(b)s", {"b": "b"}) == [(2,)]
    with pytest.raises(Exception, match="does not exist"):
        postgres_hook.run(["delete from x", "select * from nowhere"])
    assert postgres_hook.get_first("select count(*) from x") == (2,)


def test_the_postgres_hook_runs_a_string_of_statements_as_one_transaction(postgres_hook: PostgresHook) -> None:
    postgres_hook.run("create table x (a int sortkey); insert into x values (1); select count(*) from x", True)
    with pytest.raises(Exception, match="does not exist"):
        postgres_hook.run("create table y (a int sortkey); delete from x; select * from nowhere", True)
    assert postgres_hook.get_records("select a from x") == [(1,)]
    with pytest.raises(Exception, match='"y" does not exist'):
        postgres_hook.run("select * from y")


# --- psycopg 3


def test_psycopg_prepares_a_statement_once_and_runs_it_often(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a int, b varchar(9))")
    for number in range(7):
        warehouse.execute("insert into x values (%s, %s)", (number, str(number)), prepare=True)
    counted = "select count(*) from pg_catalog.pg_class where relname = %s"
    assert [warehouse.execute(counted, (name,), prepare=True).fetchone() for name in ("x", "y")] == [(1,), (0,)]
    assert warehouse.execute("select sum(a) from x").fetchone() == (21,)


def test_a_prepared_statement_of_the_stand_in_runs_as_often_as_it_is_told_to(warehouse: psycopg.Connection) -> None:
    warehouse.execute("create table x (a int)")
    for _ in range(3):
        warehouse.execute("insert into x values (1)", prepare=True)
        warehouse.execute("truncate x", prepare=True)
        assert warehouse.execute("select count(*) from x").fetchone() == (0,)


def test_psycopg_reads_binary_results(warehouse: psycopg.Connection) -> None:
    cursor = warehouse.cursor(binary=True)
    cursor.execute("select %b::int, 1.50::decimal(10, 5), '2018-11-01 21:01:46.796'::timestamp, 'é'::varchar(4)", (7,))
    assert cursor.fetchone() == (7, Decimal("1.50000"), at("2018-11-01 21:01:46.796"), "é")
    assert cursor.description is not None
    assert cursor.pgresult is not None
    assert cursor.pgresult.fformat(0) == 1


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select * from nowhere", "42P01"),
        ("select 1/0", "22012"),
        ("select 'a'::int", "22P02"),
        ("create table x (a int); create table x (a int)", "42P07"),
        ("insert into t.x (a) select 1 from nowhere", "42P01"),
        ("create index i on x (a)", "0A000"),
        ("selec 1", "0A000"),
        ("select 'a", "42601"),
    ],
)
def test_an_error_has_its_sqlstate_and_the_session_goes_on(
    warehouse: psycopg.Connection, statement: str, code: str
) -> None:
    with pytest.raises(psycopg.Error) as raised:
        warehouse.execute(statement)
    assert raised.value.sqlstate == code
    assert warehouse.execute("select 1").fetchone() == (1,)


def test_an_error_in_a_pipeline_leaves_out_what_stands_before_the_next_synchronisation(
    warehouse: psycopg.Connection,
) -> None:
    warehouse.execute("create table x (a int)")
    # By libpq itself: psycopg's own pipeline raises at whichever statement the error happens to have arrived by.
    raw = warehouse.pgconn
    raw.enter_pipeline_mode()
    batches = (["insert into x values (1)"], ["select * from nowhere", "truncate x"], ["insert into x values (2)"])
    for batch in batches:
        for statement in batch:
            raw.send_query_params(statement.encode(), None)
        raw.pipeline_sync()
    raw.flush()
    became: list[psycopg.pq.ExecStatus] = []
    while became.count(psycopg.pq.ExecStatus.PIPELINE_SYNC) < len(batches):
        if (result := raw.get_result()) is not None:
            became.append(psycopg.pq.ExecStatus(result.status))
    raw.exit_pipeline_mode()
    names = [status.name for status in became if status is not psycopg.pq.ExecStatus.PIPELINE_SYNC]
    assert names == ["COMMAND_OK", "FATAL_ERROR", "PIPELINE_ABORTED", "COMMAND_OK"]
    assert warehouse.execute("select a from x order by a").fetchall() == [(1,), (2,)]


def test_a_notice_reaches_the_client(warehouse: psycopg.Connection) -> None:
    heard: list[str | None] = []
    warehouse.add_notice_handler(lambda said: heard.append(said.message_primary))
    warehouse.execute("drop table if exists nowhere")
    assert heard == ['table "nowhere" does not exist, skipping']


def test_many_sessions_work_side_by_side(connect: Connect, schema: str) -> None:
    connect().execute("create table x (a int)")
    connections = [connect() for _ in range(12)]

    def work(number: int) -> None:
        for _ in range(5):
            connections[number].execute("insert into x values (%s)", (number,))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert connections[0].execute("select count(*), sum(a) from x").fetchone() == (60, 330)


# --- psql


def test_psql_runs_statements(stand_in: StandIn, schema: str) -> None:
    script = """
        create table x (a int, b varchar(9)) distkey (a) sortkey (b);
        insert into x values (1, 'a'), (2, null);
        begin; delete from x where a = 1; rollback;
        select a, nvl(b, '-') from x order by a;
    """
    ran = psql(stand_in, "--set", "ON_ERROR_STOP=1", "--quiet", script=script)
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, ["1|a", "2|-"], "")


def test_psql_runs_one_string_as_one_transaction(stand_in: StandIn, schema: str) -> None:
    ran = psql(stand_in, "--command", "create table x (a int sortkey); insert into x values (1); select * from nowhere")
    assert ran.returncode == 1
    assert 'ERROR:  relation "nowhere" does not exist' in ran.stderr
    assert '"x" does not exist' in psql(stand_in, "--command", "select * from x").stderr


def test_psql_shows_what_is_refused_and_goes_on(stand_in: StandIn, schema: str) -> None:
    ran = psql(stand_in, script="create index i on x (a);\nselect 1;\n")
    assert (ran.returncode, ran.stdout) == (0, "1\n")
    assert ran.stderr.startswith("ERROR:  CREATE INDEX is refused")
