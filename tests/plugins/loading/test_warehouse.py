"""A session: its settings, its transactions, and its errors in words."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import Any

import pytest
import redshift_connector
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

from sparkify.loading import connecting, warehouse_operator
from sparkify.loading import warehouse as module
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.warehouse import KILL_SECONDS, Warehouse, quoted
from tests.examples import NOV_1
from tests.pipeline import Pipeline

GIVE_UP_SECONDS = 60.0


def test_the_session_says_who_it_is_and_in_which_schema(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse:
        assert warehouse.rows("show query_group")[0][0] == "test"
        assert warehouse.rows("select current_schema()") == [(pipeline.schema,)]


def test_the_first_thirty_characters_of_a_tasks_query_group_tell_log_date_and_task(pipeline: Pipeline) -> None:
    groups = {}
    for task, context in pipeline.tasks("2018-11-01"):
        with task.session(context) as warehouse:
            groups[task.task_id] = warehouse.rows("show query_group")[0][0]
    assert groups["stage_events"] == "2018-11-01.stage_events.sparkify_daily.test__1"
    assert groups["songs"] == "songs.sparkify_daily.test__1"
    assert all(task_id in group[:30] for task_id, group in groups.items())


def test_a_failed_transaction_leaves_nothing(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse:
        with pytest.raises(DataError), warehouse.transaction("users"):
            warehouse.execute("insert into users (user_id) values (1)")
            warehouse.execute("insert into users (user_id) values (1 / 0)")
        assert warehouse.rows("select user_id from users") == []
        with warehouse.transaction("users"):
            warehouse.execute("insert into users (user_id) values (2)")
        assert warehouse.rows("select user_id from users") == [(2,)]


def test_readers_do_not_wait_for_a_writer(pipeline: Pipeline) -> None:
    with pipeline.session() as writer, pipeline.session() as reader:
        reader.execute("set statement_timeout to 5000")
        with writer.transaction("users"):
            writer.execute("insert into users (user_id) values (1)")
            assert reader.rows("select count(*) from users") == [(0,)]


def test_writers_of_one_table_queue_and_see_each_others_work(pipeline: Pipeline) -> None:
    def add_one() -> None:
        with pipeline.session() as warehouse, warehouse.transaction("users"):
            warehouse.execute("insert into users (user_id) select count(*) from users")

    threads = [threading.Thread(target=add_one, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        wait_for_the_end(thread)
    assert pipeline.rows("select user_id from users order by user_id") == [(number,) for number in range(8)]


def test_a_lock_waited_for_too_long_fails_naming_the_holder(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 300)
    with pipeline.session() as holder, pipeline.session() as waiter, holder.transaction("users"):
        pid = holder.rows("select pg_backend_pid()")[0][0]
        with (
            pytest.raises(Unavailable, match=rf"mutex_users, held by user .*pid {pid}, since"),
            waiter.transaction("users"),
        ):
            pass
        assert waiter.rows("select count(*) from users") == [(0,)]


@pytest.mark.parametrize("refusal", [DataError("no such column"), SettingsError("lacks a permission")])
def test_a_lock_waited_for_too_long_is_told_also_to_a_user_who_may_not_ask_who_holds_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    rows = Warehouse.rows

    def refuse(self: Warehouse, sql: str, *rest: Any) -> list[tuple[Any, ...]]:
        if "svv_transactions" in sql:
            raise refusal
        return rows(self, sql, *rest)

    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 300)
    with pipeline.session() as holder, pipeline.session() as waiter, holder.transaction("users"):
        monkeypatch.setattr(Warehouse, "rows", refuse)
        with (
            pytest.raises(Unavailable, match="for mutex_users, held by a session that this user may not see"),
            waiter.transaction("users"),
        ):
            pass


def wait_for_the_end(thread: threading.Thread) -> None:
    thread.join(GIVE_UP_SECONDS)
    assert not thread.is_alive()


def session_that_waits_for_a_lock(pipeline: Pipeline) -> int:
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not (found := pipeline.rows("select pid from svv_transactions where not granted")):
        assert time.monotonic() < give_up
    return int(found[0][0])


def test_a_killed_session_lets_go_of_all_it_held_although_its_statement_was_still_running(pipeline: Pipeline) -> None:
    failures: list[Exception] = []

    def wait_holding(warehouse: Warehouse) -> None:
        try:
            with warehouse.transaction("songplays"), warehouse.transaction("users"):
                pass
        except Exception as error:
            failures.append(error)

    with pipeline.session() as holder, pipeline.session() as killed, holder.transaction("users"):
        pid = killed.rows("select pg_backend_pid()")[0][0]
        thread = threading.Thread(target=wait_holding, args=[killed], daemon=True)
        thread.start()
        assert session_that_waits_for_a_lock(pipeline) == pid
        killed.kill()
        wait_for_the_end(thread)
        assert not pipeline.rows(f"select pid from svv_transactions where pid = {pid}")
        with pipeline.session() as other, other.transaction("songplays"):
            pass
    assert isinstance(failures[0], Unavailable)


def test_a_task_that_airflow_stops_ends_its_statement_itself(pipeline: Pipeline) -> None:
    ((task, context),) = pipeline.tasks(NOV_1, only={"users"})
    failures: list[Exception] = []

    def execute() -> None:
        try:
            task.execute(context)
        except Exception as error:
            failures.append(error)

    with pipeline.session() as holder, holder.transaction("users"):
        thread = threading.Thread(target=execute, daemon=True)
        thread.start()
        pid = session_that_waits_for_a_lock(pipeline)
        # Its client stays connected: nobody else ends the session.
        task.on_kill()
        wait_for_the_end(thread)
        assert not pipeline.rows(f"select pid from svv_transactions where pid = {pid}")
    assert isinstance(failures[0], Unavailable)


def test_a_task_that_airflow_stops_does_not_wait_for_a_warehouse_that_does_not_answer(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(warehouse_operator, "STOPPED_SECONDS", 0.1)
    ((task, context),) = pipeline.tasks(NOV_1, only={"users"})
    answers = threading.Event()
    with task.session(context) as session:
        monkeypatch.setattr(session, "_open", answers.wait)
        begun = time.monotonic()
        task.on_kill()
        assert time.monotonic() - begun < KILL_SECONDS / 2
        answers.set()
    assert "Could not end the warehouse session" in capsys.readouterr().out


def test_a_time_limit_ends_the_statement_it_struck_in(pipeline: Pipeline) -> None:
    with pipeline.session() as holder, holder.transaction("users"):
        pid = 0
        with pytest.raises(AirflowTaskTimeout), pipeline.session() as late:
            pid = late.rows("select pg_backend_pid()")[0][0]
            with timeout(1), late.transaction("users"):
                pass
        assert pid
        assert not pipeline.rows(f"select pid from svv_transactions where pid = {pid}")


def test_a_session_that_cannot_be_set_up_is_left_to_nobody(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    session = pipeline.session()
    with monkeypatch.context() as changed:
        changed.setattr(module, "STATEMENT_TIMEOUT_MS", "'soon'")
        with pytest.raises(DataError), session:
            pass
    with pytest.raises(Unavailable, match="closed"):
        session.rows("select 1")


@pytest.mark.parametrize(
    "fields",
    [
        {"C": "XX000", "M": "1023", "D": "Serializable isolation violation on table - 119371, transactions forming …"},
        {"C": "XX000", "M": "could not complete because of conflict with concurrent transaction"},
        {"C": "XX000", "M": "could not open relation with OID 123456"},
        {"C": "40001", "M": "could not serialize access"},
        {"C": "40P01", "M": "deadlock detected"},
        {"C": "57P01", "M": "terminating connection due to administrator command"},
    ],
    ids=lambda fields: str(fields["M"]),
)
def test_what_the_warehouse_rolls_back_is_tried_again(pipeline: Pipeline, fields: dict[str, str]) -> None:
    with pytest.raises(Unavailable, match=fields["M"]), pipeline.session() as session, session._translated("do it"):
        raise redshift_connector.ProgrammingError(fields)


def test_a_failed_copy_has_the_same_sqlstate_and_is_not_tried_again(pipeline: Pipeline) -> None:
    failed = {"C": "XX000", "M": "Load into table 'incoming' failed. Check 'sys_load_error_detail' system table"}
    with pytest.raises(DataError, match="Load into table"), pipeline.session() as session, session._translated("do it"):
        raise redshift_connector.ProgrammingError(failed)


def test_a_column_may_have_any_name(pipeline: Pipeline) -> None:
    with pipeline.session() as session:
        session.execute('create temp table odd (plain integer, "order by; ""it""" integer)')
        columns = ", ".join(map(quoted, session.columns("odd")))
        assert columns == '"plain", "order by; ""it"""'
        session.execute(f"insert into odd ({columns}) values (1, 2)")
        session.execute(f"insert into odd ({columns}) select {columns} from odd")
        assert session.rows(f"select {columns} from odd") == [(1, 2), (1, 2)]


def test_a_dropped_table_is_told_with_the_cure(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse, pytest.raises(SettingsError, match="Run the DAG sparkify_schema"):
        warehouse.rows("select * from nowhere")


def test_a_missing_column_is_told_with_another_cure(pipeline: Pipeline) -> None:
    with pipeline.session() as warehouse:
        with pytest.raises(SettingsError, match="A column is missing .*add the column by alter table") as told:
            warehouse.rows("select shoe_size from users")
        assert "creates what is missing" not in str(told.value)


def test_a_warehouse_that_accepts_and_says_nothing_is_away(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.3)
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # Who waits without a limit is let go, to fail.
        at_last = threading.Timer(10, silent.close)
        at_last.start()
        pipeline.set_connection("redshift_default", {**connection, "port": silent.getsockname()[1]})
        with (
            pytest.raises(Unavailable, match=r"by redshift_default \(127\.0\.0\.1:\d+\): no answer within 0\.3 s"),
            pipeline.session(),
        ):
            pass
        at_last.cancel()


def keepalive(warehouse: Warehouse) -> tuple[int, int, int, int]:
    """Whether the session's socket asks a silent server for a sign; after how long, how often, and how many times."""
    driver = warehouse._connection
    with socket.socket(fileno=os.dup(getattr(driver, "_usock", driver).fileno())) as same:
        tcp = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        idle, interval, count = (same.getsockopt(socket.IPPROTO_TCP, option) for option in tcp)
        return same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), idle, interval, count


@pytest.mark.parametrize(
    ("conn_type", "extra", "expected"),
    [
        ("redshift", {}, (1, 60, 10, 6)),
        ("redshift", {"tcp_keepalive_idle": 200}, (1, 200, 10, 6)),
        ("redshift", {"tcp_keepalive": True, "tcp_keepalive_count": 3}, (1, 60, 10, 3)),
        ("postgres", {}, (1, 60, 10, 6)),
        ("postgres", {"keepalives_interval": 20}, (1, 60, 20, 6)),
    ],
)
def test_a_session_is_not_forgotten_by_a_network_that_drops_what_is_silent(
    pipeline: Pipeline, conn_type: str, extra: dict[str, Any], expected: tuple[int, int, int, int]
) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    extra |= {"ssl": False} if conn_type == "redshift" else {"sslmode": "disable"}
    pipeline.set_connection("redshift_default", {**connection, "conn_type": conn_type, "extra": extra})
    with pipeline.session() as warehouse:
        assert keepalive(warehouse) == expected


@pytest.mark.parametrize(
    ("conn_type", "extra"), [("redshift", {"ssl": False, "tcp_keepalive": False}), ("postgres", {"keepalives": 0})]
)
def test_keepalives_that_the_connection_turns_off_stay_off(
    pipeline: Pipeline, conn_type: str, extra: dict[str, Any]
) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**connection, "conn_type": conn_type, "extra": extra})
    with pipeline.session() as warehouse:
        assert keepalive(warehouse)[0] == 0


def test_a_wrong_password_is_told_and_not_tried_again(pipeline: Pipeline) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**connection, "password": "wrong"})
    with pytest.raises(SettingsError, match="refused the log-in of connection redshift_default"), pipeline.session():
        pass


def test_the_same_code_works_over_a_connection_of_type_postgres(pipeline: Pipeline) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection(
        "redshift_default", {**connection, "conn_type": "postgres", "extra": {"sslmode": "disable"}}
    )
    with pipeline.session() as warehouse, warehouse.transaction("users"):
        assert warehouse.execute("insert into users (user_id) values (1), (2)") == 2
    assert pipeline.rows("select count(*) from users") == [(2,)]
    with pipeline.session() as warehouse, pytest.raises(SettingsError, match="Run the DAG sparkify_schema"):
        warehouse.rows("select * from nowhere")
