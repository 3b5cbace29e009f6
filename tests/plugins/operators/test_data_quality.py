"""Checks: all run, all are recorded, and then the task is judged."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from sparkify.exceptions import DataError
from sparkify.operators.data_quality import DataQualityOperator
from tests.pipeline import Pipeline

PASSES = "-- severity: error\n-- proves: nothing is wrong\nselect user_id from users where user_id < 0"
BREAKS = "-- severity: error\n-- proves: nobody is 7\nselect user_id, level from users where user_id >= 7"
WARNS = BREAKS.replace("error", "warn")
CANNOT = "-- severity: warn\n-- proves: it runs\nselect 1 / (user_id - user_id) as x from users"


def check(pipeline: Pipeline, *texts: str) -> Any:
    operator = DataQualityOperator(task_id="check", checks=[f"quality/users/c{n}.sql" for n in range(len(texts))])
    operator.checks = list(texts)
    context: Any = {
        "ti": SimpleNamespace(dag_id="d", run_id="r", task_id="check", try_number=1),
        "params": {"log_date": "2018-11-01", "through": "2018-11-02"},
        "dag_run": SimpleNamespace(run_type="manual"),
    }
    return operator.execute(context)


@pytest.fixture
def with_users(pipeline: Pipeline) -> Pipeline:
    pipeline.execute("insert into users (user_id, level) values (1, 'free'), (7, 'paid'), (8, null)")
    return pipeline


def test_what_passes_returns_its_counts(with_users: Pipeline) -> None:
    assert check(with_users, PASSES) == {"users.c0": 0}


def test_all_checks_run_and_are_recorded_before_the_task_fails(with_users: Pipeline) -> None:
    with pytest.raises(DataError, match=r"2 of 4 checks failed") as failure:
        check(with_users, BREAKS, PASSES, WARNS, CANNOT)
    message = str(failure.value)
    assert "users.c0 (error): 2 row(s) against: nobody is 7" in message
    assert "user_id=7, level=paid" in message
    assert "users.c3 could not run" in message
    assert "users.c2" not in message
    recorded = with_users.rows(
        "select check_name, severity, offending, passed from data_quality_results order by check_name"
    )
    assert recorded == [
        ("users.c0", "error", 2, False),
        ("users.c1", "error", 0, True),
        ("users.c2", "warn", 2, False),
        ("users.c3", "warn", None, False),
    ]
    sample = with_users.rows("select sample from data_quality_results where check_name = 'users.c0'")[0][0]
    assert sorted(json.loads(sample), key=lambda row: row["user_id"]) == [
        {"user_id": 7, "level": "paid"},
        {"user_id": 8, "level": None},
    ]


def test_a_warning_is_logged_and_does_not_fail(with_users: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(with_users, WARNS) == {"users.c0": 2}
    assert "nobody is 7" in capsys.readouterr().out


def test_an_operator_without_checks_is_refused() -> None:
    with pytest.raises(ValueError, match="checks is empty"):
        DataQualityOperator(task_id="check", checks=[])
