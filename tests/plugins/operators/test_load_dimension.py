"""Dimensions: which rows a load writes, and which it leaves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sparkify.loading.declarations import DerivedTable
from sparkify.loading.exceptions import DataError
from sparkify.operators.load_dimension import LoadDimensionOperator
from tests.pipeline import Pipeline

LEVELS = DerivedTable("levels", key="user_id", queue={"user_id": "integer"}, bounds=("seen",), newest="seen")
KEYS = """
select user_id, seen from arrived
union all
select user_id, cast(null as integer) as seen from levels_queue where user_id is not null
"""


@pytest.fixture
def levels(pipeline: Pipeline) -> Pipeline:
    """A dimension of three users, 1 and 2 seen at 10, 3 at 30."""
    for statement in LEVELS.ddl():
        pipeline.execute(statement)
    pipeline.execute("create table levels (user_id integer, level varchar(16), seen integer)")
    pipeline.execute("create table arrived (user_id integer, level varchar(16), seen integer)")
    pipeline.execute("insert into levels values (1, 'free', 10), (2, null, 10), (3, 'paid', 30)")
    return pipeline


def load(
    pipeline: Pipeline,
    values: str,
    queued: str = "",
    keys: str | None = KEYS,
    sql: str = "select user_id, level, seen from arrived",
) -> dict[str, int]:
    pipeline.execute("delete from arrived")
    if values:
        pipeline.execute(f"insert into arrived values {values}")
    if queued:
        pipeline.execute(f"insert into levels_queue (user_id) values {queued}")
    operator = LoadDimensionOperator(task_id="levels", table=LEVELS, sql=sql, keys=keys)
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="levels", try_number=1, xcom_push=lambda key, value: None)
    context: Any = {"ti": ti, "params": {"log_date": "2018-11-01"}}
    counts = operator.execute(context)
    return {name.removeprefix("rows_"): counts[name] for name in ("rows_inserted", "rows_updated", "rows_deleted")}


def held(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select user_id, level, seen from levels order by user_id")


def test_new_keys_are_inserted_changed_rows_rewritten_and_the_rest_left(levels: Pipeline) -> None:
    counts = load(levels, "(1, 'free', 10), (2, 'paid', 10), (4, 'free', 5)")
    assert counts == {"inserted": 1, "updated": 1, "deleted": 0}
    assert held(levels) == [(1, "free", 10), (2, "paid", 10), (3, "paid", 30), (4, "free", 5)]


def test_an_older_row_does_not_displace_a_newer_one(levels: Pipeline) -> None:
    counts = load(levels, "(3, 'free', 29), (1, 'paid', 10), (2, 'paid', null)")
    assert counts == {"inserted": 0, "updated": 1, "deleted": 0}
    assert held(levels) == [(1, "paid", 10), (2, None, 10), (3, "paid", 30)]


def test_a_queued_key_is_written_even_if_older_and_deleted_if_it_is_gone(levels: Pipeline) -> None:
    counts = load(levels, "(3, 'free', 29)", queued="(2), (3)")
    assert counts == {"inserted": 0, "updated": 1, "deleted": 1}
    assert held(levels) == [(1, "free", 10), (3, "free", 29)]
    assert levels.rows("select count(*) from levels_queue") == [(0,)]


def test_a_blank_at_the_end_is_a_difference(levels: Pipeline) -> None:
    assert load(levels, "(1, 'free ', 10)") == {"inserted": 0, "updated": 1, "deleted": 0}
    assert levels.rows("select level || '|' from levels where user_id = 1") == [("free |",)]


def test_a_key_that_the_table_has_twice_is_written_once(levels: Pipeline) -> None:
    levels.execute("insert into levels values (1, 'free', 10)")
    assert load(levels, "(1, 'free', 10)") == {"inserted": 0, "updated": 1, "deleted": 1}
    assert held(levels) == [(1, "free", 10), (2, None, 10), (3, "paid", 30)]


def test_a_select_of_no_rows_changes_nothing(levels: Pipeline) -> None:
    before = held(levels)
    assert load(levels, "") == {"inserted": 0, "updated": 0, "deleted": 0}
    assert held(levels) == before


def test_the_dates_of_other_runs_stay_queued(levels: Pipeline) -> None:
    levels.execute("insert into levels_queue (log_date) values ('2018-11-01'), ('2018-11-02')")
    load(levels, "(1, 'free', 10)", queued="(2)")
    assert [str(row[0]) for row in levels.rows("select log_date from levels_queue")] == ["2018-11-02"]


def test_without_log_dates_only_what_is_queued_is_worked_out(levels: Pipeline) -> None:
    rows = "select user_id, level, seen from arrived where user_id in (select user_id from keys)"
    arrived = "(1, 'paid', 99), (3, 'free', 29)"
    assert load(levels, arrived, queued="(3)", keys=None, sql=rows) == {"inserted": 0, "updated": 1, "deleted": 0}
    assert held(levels) == [(1, "free", 10), (2, None, 10), (3, "free", 29)]


def test_without_log_dates_a_load_with_nothing_queued_only_asks(levels: Pipeline) -> None:
    assert load(levels, "(9, 'free', 1)", keys=None) == {"inserted": 0, "updated": 0, "deleted": 0}
    assert len(held(levels)) == 3
    assert levels.rows("select count(*) from load_history") == [(0,)]


def test_a_key_given_twice_is_refused_and_nothing_written(levels: Pipeline) -> None:
    before = held(levels)
    with pytest.raises(DataError, match=r"gives a user_id more than once: 7 \(2 times\)"):
        load(levels, "(7, 'free', 1), (7, 'paid', 1), (8, 'free', 1)", queued="(1)")
    assert held(levels) == before
    assert levels.rows("select user_id from levels_queue") == [(1,)]
