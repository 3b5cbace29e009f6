"""Dimensions: what each method writes, and what it leaves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sparkify.loading.exceptions import DataError
from sparkify.operators.load_dimension import LoadDimensionOperator
from tests.pipeline import Pipeline


@pytest.fixture
def levels(pipeline: Pipeline) -> Pipeline:
    """A dimension of three users, 1 and 2 seen at 10, 3 at 30."""
    pipeline.execute("create table levels (user_id integer, level varchar(16), seen integer)")
    pipeline.execute("create table levels_pending (user_id integer)")
    pipeline.execute("create table mutex_levels (held boolean)")
    pipeline.execute("create table arrived (user_id integer, level varchar(16), seen integer)")
    pipeline.execute("insert into levels values (1, 'free', 10), (2, null, 10), (3, 'paid', 30)")
    return pipeline


def load(pipeline: Pipeline, values: str, **options: Any) -> dict[str, int]:
    pipeline.execute("delete from arrived")
    if values:
        pipeline.execute(f"insert into arrived values {values}")
    operator = LoadDimensionOperator(
        task_id="levels",
        table="levels",
        sql="select user_id, level, seen from arrived",
        key="user_id",
        uses_log_dates=False,
        **options,
    )
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="levels", try_number=1, xcom_push=lambda key, value: None)
    context: Any = {"ti": ti, "params": {}}
    counts = operator.execute(context)
    return {name.removeprefix("rows_"): counts[name] for name in ("rows_inserted", "rows_updated", "rows_deleted")}


def held(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select user_id, level, seen from levels order by user_id")


def test_upsert_inserts_new_keys_rewrites_changed_rows_and_leaves_the_rest(levels: Pipeline) -> None:
    counts = load(levels, "(1, 'free', 10), (2, 'paid', 10), (4, 'free', 5)")
    assert counts == {"inserted": 1, "updated": 1, "deleted": 0}
    assert held(levels) == [(1, "free", 10), (2, "paid", 10), (3, "paid", 30), (4, "free", 5)]


def test_an_older_row_does_not_displace_a_newer_one(levels: Pipeline) -> None:
    counts = load(levels, "(3, 'free', 29), (1, 'paid', 10), (2, 'paid', null)", only_if_newer="seen")
    assert counts == {"inserted": 0, "updated": 1, "deleted": 0}
    assert held(levels) == [(1, "paid", 10), (2, None, 10), (3, "paid", 30)]


def test_a_pending_key_is_written_even_if_older_and_deleted_if_it_is_gone(levels: Pipeline) -> None:
    levels.execute("insert into levels_pending values (2), (3)")
    counts = load(levels, "(3, 'free', 29)", only_if_newer="seen", pending=True)
    assert counts == {"inserted": 0, "updated": 1, "deleted": 1}
    assert held(levels) == [(1, "free", 10), (3, "free", 29)]
    assert levels.rows("select count(*) from levels_pending") == [(0,)]


def test_append_only_adds_unknown_keys(levels: Pipeline) -> None:
    counts = load(levels, "(1, 'paid', 99), (4, 'free', 5)", method="append")
    assert counts == {"inserted": 1, "updated": 0, "deleted": 0}
    assert held(levels) == [(1, "free", 10), (2, None, 10), (3, "paid", 30), (4, "free", 5)]


def test_append_deletes_a_pending_key_that_is_gone(levels: Pipeline) -> None:
    levels.execute("insert into levels_pending values (1), (2)")
    counts = load(levels, "(1, 'free', 10)", method="append", pending=True)
    assert counts == {"inserted": 0, "updated": 0, "deleted": 1}
    assert held(levels) == [(1, "free", 10), (3, "paid", 30)]


def test_replace_also_deletes_what_the_select_does_not_give(levels: Pipeline) -> None:
    counts = load(levels, "(1, 'free', 10), (2, 'paid', 10)", method="replace")
    assert counts == {"inserted": 0, "updated": 1, "deleted": 1}
    assert held(levels) == [(1, "free", 10), (2, "paid", 10)]


@pytest.mark.parametrize("method", ["upsert", "append"])
def test_a_select_of_no_rows_changes_nothing(levels: Pipeline, method: str) -> None:
    before = held(levels)
    assert load(levels, "", method=method) == {"inserted": 0, "updated": 0, "deleted": 0}
    assert held(levels) == before


def test_a_key_given_twice_is_refused_and_nothing_written(levels: Pipeline) -> None:
    before = held(levels)
    with pytest.raises(DataError, match=r"gives a user_id more than once: 7 \(2 times\)"):
        load(levels, "(7, 'free', 1), (7, 'paid', 1), (8, 'free', 1)")
    assert held(levels) == before


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="method='merge' is unknown. Use one of upsert, append, replace"):
        LoadDimensionOperator(task_id="x", table="t", sql="select 1", key="k", method="merge")


def test_only_if_newer_goes_with_upsert() -> None:
    with pytest.raises(ValueError, match="only_if_newer goes with method='upsert'"):
        LoadDimensionOperator(task_id="x", table="t", sql="select 1", key="k", method="append", only_if_newer="seen")
