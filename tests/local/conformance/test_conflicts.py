"""No two tasks that can run at once each read a table that the other writes: Redshift would end one with error 1023."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from sparkify.tables import STAR
from tests.local.conformance.conflicts import cycles, touched, transactions

TABLES = [f"create table if not exists {name} (a integer)" for name in ("plays", "users", "songs", "history")]


def session(task: str, *statements: str) -> list[str]:
    """What a task's session sends."""
    return [
        f"select pg_backend_pid(), set_config('query_group', '2018-11-01.{task}.sparkify_x.run', false)",
        *statements,
    ]


def found(*sessions: list[str]) -> list[str]:
    return cycles(transactions([*TABLES, *(statement for one in sessions for statement in one)]))


def test_no_tasks_of_the_dags_conflict(heard: Sequence[str]) -> None:
    assert cycles(transactions(heard)) == []


def test_every_task_that_writes_was_heard(heard: Sequence[str]) -> None:
    writing = {one.task.partition(".")[0] for one in transactions(heard)}
    assert writing == {
        *("stage_events", "stage_songs", *(table.name for table in STAR)),
        *("check_staging", "check_warehouse"),
        # It records the schema's version.
        "tables",
    }


def test_without_their_mutexes_they_would(heard: Sequence[str]) -> None:
    told = cycles(transactions([statement for statement in heard if not statement.startswith("lock ")]))
    pairs = {frozenset(re.findall(r"which (\w+)\.", sentence)) for sentence in told}
    assert {
        frozenset({"stage_events"}),
        frozenset({"stage_events", "songplays"}),
        frozenset({"users"}),
        frozenset({"time"}),
    } <= pairs


@pytest.mark.parametrize("mutex", [f"mutex_{table.name}" for table in STAR])
def test_each_of_these_mutexes_is_needed(heard: Sequence[str], mutex: str) -> None:
    each_its_own = [
        re.sub(rf"\b{mutex}\b", f"mutex_{number}", one) if one.startswith("lock ") else one
        for number, one in enumerate(heard)
    ]
    assert cycles(transactions(each_its_own))


CROSSING = (
    ["begin", "delete from plays where a in (select a from users)", "commit"],
    ["begin", "update users set a = (select max(a) from plays)", "commit"],
)


def test_two_tasks_that_read_what_the_other_writes_conflict() -> None:
    assert found(session("one", *CROSSING[0]), session("two", *CROSSING[1])) == [
        "one.sparkify_x reads plays, which one.sparkify_x writes",
        "one.sparkify_x reads users, which two.sparkify_x writes; "
        "two.sparkify_x reads plays, which one.sparkify_x writes",
        "two.sparkify_x reads users, which two.sparkify_x writes",
    ]


def locked(statements: Sequence[str], *mutexes: str, first: bool = True) -> list[str]:
    lock = f"lock {', '.join(mutexes)}"
    return ["begin", lock, *statements[1:]] if first else [*statements[:2], lock, *statements[2:]]


def test_a_mutex_in_common_makes_them_wait() -> None:
    one, two = locked(CROSSING[0], "mutex_plays", "mutex_users"), locked(CROSSING[1], "mutex_users")
    assert found(session("one", *one), session("two", *two)) == []


def test_a_lock_after_the_first_read_comes_too_late() -> None:
    late = locked(CROSSING[0], "mutex_plays", first=False)
    assert found(session("one", *late)) == ["one.sparkify_x reads plays, which one.sparkify_x writes"]


def test_a_circle_of_three_is_found() -> None:
    tables = ("plays", "users", "songs")
    circle = [
        session(written, f"insert into {written} (a) select a from {read}")
        for written, read in zip(tables, (*tables[1:], tables[0]), strict=True)
    ]
    assert len(found(*circle)) == 1
    assert found(*circle[:2]) == []


def test_inserts_of_values_do_not_conflict() -> None:
    insert = session("one", "begin", "insert into history (a) values (1)", "select a from users", "commit")
    assert found(insert, session("two", "insert into history (a) values (2)")) == []


def test_what_no_task_does_is_no_conflict() -> None:
    by_hand = ["select pg_backend_pid(), set_config('query_group', 'test', false)", "delete from users"]
    assert found(by_hand) == []


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        ("insert into plays (a) values (1)", set(), {"plays"}),
        ("insert into plays (a) with x as (select a from users) select a from x", {"users", "x"}, {"plays"}),
        ("delete from plays using users where plays.a = users.a", {"plays", "users"}, {"plays"}),
        ("delete from plays", {"plays"}, {"plays"}),
        ("update plays set a = 1 where a in (select a from users)", {"plays", "users"}, {"plays"}),
        ("create temp table keys as select a from plays", {"plays"}, set()),
        ("create temp table keys (like plays)", set(), set()),
        ("select a from plays cross join users", {"plays", "users"}, set()),
    ],
)
def test_the_tables_of_a_statement(statement: str, reads: set[str], writes: set[str]) -> None:
    assert [*map(set, touched(statement))] == [reads, writes]
