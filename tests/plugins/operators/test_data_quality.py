"""Checks: all run, all are recorded, and then the task is judged."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from sparkify.loading.exceptions import DataError
from sparkify.loading.shown import shown
from sparkify.loading.warehouse import Warehouse
from sparkify.operators.data_quality import DataQualityOperator
from tests.pipeline import Pipeline

PASSES = "-- severity: error\n-- proves: nothing is wrong\nselect user_id from users where user_id < 0"
BREAKS = "-- severity: error\n-- proves: nobody is 7\nselect user_id, level from users where user_id >= 7"
SLOW = "-- severity: error\n-- proves: it ends\nwith {digits} select a.n from {crossed}".format(
    digits="d as (" + " union all ".join(f"select {n} as n" for n in range(10)) + ")",
    crossed="d as a " + " ".join(f"cross join d as d{n}" for n in range(12)),
)
WARNS = BREAKS.replace("error", "warn")
CANNOT = "-- severity: warn\n-- proves: it runs\nselect 1 / (user_id - user_id) as x from users"
DAG_FILE = """
from airflow.sdk import DAG
from sparkify.operators.data_quality import DataQualityOperator

with DAG(dag_id="checks", schedule=None, template_searchpath=[{folder!r}]):
    DataQualityOperator(task_id="check", checks={checks!r})
"""


def operator(*texts: str) -> DataQualityOperator:
    made = DataQualityOperator(task_id="check", checks=[f"quality/users/c{n}.sql" for n in range(len(texts))])
    made.checks = [f"-- name: users.c{n}\n{text}" for n, text in enumerate(texts)]
    return made


def check(*texts: str) -> dict[str, int | None]:
    return operator(*texts).execute(context())


def context() -> Any:
    return {
        "ti": SimpleNamespace(dag_id="d", run_id="r", task_id="check", try_number=1, xcom_push=lambda key, value: None),
        "params": {"log_date": "2018-11-01", "through": "2018-11-02"},
        "dag_run": SimpleNamespace(run_type="manual"),
    }


def import_errors(folder: Path, *checks: str) -> str:
    """What Airflow says of a DAG file with these checks when it parses it."""
    (folder / "dag.py").write_text(DAG_FILE.format(folder=str(folder), checks=list(checks)))
    bag = DagBag(folder / "dag.py", collect_dags=False)
    bag.process_file(str(folder / "dag.py"))
    return "\n".join(bag.import_errors.values())


@pytest.fixture
def with_users(pipeline: Pipeline) -> Pipeline:
    pipeline.execute("insert into users (user_id, level) values (1, 'free'), (7, 'paid'), (8, null)")
    return pipeline


@pytest.mark.usefixtures("with_users")
def test_what_passes_returns_its_counts() -> None:
    assert check(PASSES) == {"users.c0": 0}


def test_a_check_that_takes_too_long_could_not_run_and_the_others_are_run(
    with_users: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr("sparkify.loading.warehouse.STATEMENT_TIMEOUT_MS", 1000)
        with pytest.raises(DataError, match="2 of 2 checks failed") as failure:
            operator(SLOW, BREAKS).execute(context())
    assert "users.c0 (error) could not run" in str(failure.value)
    assert "timeout" in str(failure.value)
    assert with_users.rows("select count(*) from data_quality_results") == [(2,)]


def test_all_checks_run_and_are_recorded_before_the_task_fails(with_users: Pipeline) -> None:
    made = operator(BREAKS, PASSES, WARNS, CANNOT)
    with pytest.raises(DataError, match=r"2 of 4 checks failed for 2018-11-01 to 2018-11-02") as failure:
        made.execute(context())
    message = str(failure.value)
    assert "users.c0 (error): 2 row(s) against: nobody is 7" in message
    assert "user_id=7, level=paid" in message
    assert "users.c3 (warn) could not run" in message
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


@pytest.mark.usefixtures("with_users")
def test_a_warning_is_logged_and_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(WARNS) == {"users.c0": 2}
    assert "nobody is 7" in capsys.readouterr().out


def test_an_operator_without_checks_is_refused() -> None:
    with pytest.raises(ValueError, match="checks is empty"):
        DataQualityOperator(task_id="check", checks=[])


def test_no_more_than_five_rows_of_a_broken_check_are_told(with_users: Pipeline) -> None:
    with_users.execute("insert into users (user_id) values (9), (10), (11), (12), (13)")
    with pytest.raises(DataError, match=r"7 row\(s\) against: nobody is 7") as failure:
        check(BREAKS)
    assert str(failure.value).count("user_id=") == 5


def test_a_sample_may_hold_any_signs(with_users: Pipeline) -> None:
    signs = "%s %(x)s 100% {y} {{ z }} 'a' \"b\" \\ \n $1 é 😀"
    with with_users.session() as warehouse:
        warehouse.execute("update users set first_name = %s where user_id = 7", [signs])
    named = BREAKS.replace("level from users where user_id >= 7", "first_name from users where user_id = 7")
    with pytest.raises(DataError) as failure:
        check(named)
    assert f"user_id=7, first_name={shown(signs)}" in str(failure.value)
    ((sample,),) = with_users.rows("select sample from data_quality_results")
    assert json.loads(sample) == [{"user_id": 7, "first_name": signs}]


def test_the_results_of_a_task_are_one_statement(with_users: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    execute = Warehouse.execute

    def listen(warehouse: Warehouse, sql: str, parameters: Any = None) -> int:
        written.append(sql)
        return execute(warehouse, sql, parameters)

    monkeypatch.setattr(Warehouse, "execute", listen)
    check(PASSES, WARNS, PASSES)
    assert sum(sql.startswith("insert into data_quality_results") for sql in written) == 1
    assert with_users.rows("select count(*) from data_quality_results") == [(3,)]


def test_a_file_that_is_no_check_is_refused_when_the_dag_is_parsed(tmp_path: Path) -> None:
    folder = tmp_path / "quality" / "users"
    folder.mkdir(parents=True)
    (folder / "fine.sql").write_text(f"-- name: users.fine\n{PASSES}")
    (folder / "deletes.sql").write_text("-- name: users.deletes\n-- severity: warn\n-- proves: x\ndelete from users")
    assert import_errors(tmp_path, "quality/users/fine.sql") == ""
    assert "Check quality/users/deletes.sql: its statement begins with DELETE" in import_errors(
        tmp_path, "quality/users/fine.sql", "quality/users/deletes.sql"
    )
    assert "Check quality/users/gone.sql: there is no such file" in import_errors(tmp_path, "quality/users/gone.sql")
