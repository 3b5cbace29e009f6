"""The daily DAG: its picture, its timetable, its params, and what is tried again."""

from __future__ import annotations

import pytest
from airflow.sdk import CronDataIntervalTimetable
from airflow.sdk.exceptions import ParamValidationError

from sparkify.tables import STAR
from tests.pipeline import PROJECT, load_dag

SQL = PROJECT / "include" / "sql"
DAG = load_dag("sparkify_daily")
DIMENSIONS = {table.name for table in STAR} - {"songplays"}


def test_the_tasks_run_in_the_order_of_the_contract() -> None:
    picture = {
        "tables": {"stage_events", "stage_songs"},
        "stage_events": {"check_staging"},
        "stage_songs": {"check_staging"},
        "check_staging": {"songplays"},
        "songplays": DIMENSIONS,
        **{dimension: {"check_warehouse"} for dimension in DIMENSIONS},
        "check_warehouse": set(),
    }
    assert {task.task_id: set(task.downstream_task_ids) for task in DAG.tasks} == picture


def test_what_belongs_together_is_a_group_in_the_ui() -> None:
    groups = {name: set(group.children) for name, group in DAG.task_group_dict.items()}
    assert groups == {"staging": {"stage_events", "stage_songs"}, "dimensions": DIMENSIONS}


def test_a_run_is_of_the_day_that_has_ended_and_nothing_is_caught_up() -> None:
    assert isinstance(DAG.timetable, CronDataIntervalTimetable)
    assert DAG.catchup is False


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("log_date", "2018-13-01"),
        ("log_date", 20181101),
        ("through", "tomorrow"),
        ("max_bad_lines", -1),
        ("max_bad_lines", "many"),
        ("max_bad_lines", 100_000),
        ("missing_file", "ignore"),
    ],
)
def test_the_form_refuses_what_cannot_be_meant(name: str, wrong: object) -> None:
    with pytest.raises(ParamValidationError):
        DAG.params.get_param(name).resolve(wrong)


def test_every_check_file_is_run_by_one_task() -> None:
    run = [file for task in DAG.tasks for file in getattr(task, "files", ())]
    assert sorted(run) == sorted(str(file.relative_to(SQL)) for file in (SQL / "quality").rglob("*.sql"))
