"""The report DAG: asked for by loads, one run at a time, and of no consequence to them."""

from __future__ import annotations

from tests.pipeline import PROJECT, load_dag

SQL = PROJECT / "include" / "sql"
DAG = load_dag("sparkify_report")


def test_the_report_is_made_after_waiting_for_the_loads() -> None:
    assert {task.task_id: set(task.downstream_task_ids) for task in DAG.tasks} == {
        "wait_for_loads": {"report"},
        "report": set(),
    }
    assert set(DAG.get_task("wait_for_loads").dag_ids) == {"sparkify_daily", "sparkify_schema"}


def test_it_is_asked_for_by_the_asset_that_a_load_of_songplays_changes() -> None:
    outlets = {asset.name for asset in load_dag("sparkify_daily").get_task("songplays").outlets}
    assert {asset.name for asset in DAG.timetable.asset_condition.objects} == outlets == {"sparkify_songplays"}


def test_loads_that_end_while_one_is_made_ask_for_one_more_together() -> None:
    assert DAG.max_active_runs == 1


def test_waiting_holds_no_place_of_a_worker_and_looks_once_a_minute() -> None:
    wait = DAG.get_task("wait_for_loads")
    assert (wait.mode, wait.poke_interval) == ("reschedule", 60)


def test_every_question_is_asked() -> None:
    asked = DAG.get_task("report").files
    assert sorted(asked) == sorted(str(file.relative_to(SQL)) for file in (SQL / "analytics").glob("*.sql"))
