"""Which checks of a whole table are settled, by the results and the loads that are recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sparkify.loading.checks import Check
from sparkify.loading.due_checks import settled
from sparkify.loading.history import utc_now
from tests.pipeline import Pipeline

OF_SONGS = Check("songs.x", "error", "a song is one row", "select 1", "songs")
OF_DATES = Check("songplays.x", "error", "a play is one row", "select 1")
NOW = utc_now()


def loaded(pipeline: Pipeline, run_id: str, hours_ago: float, table: str = "songs") -> None:
    at = NOW - timedelta(hours=hours_ago)
    pipeline.execute(
        "insert into load_history (table_name, dag_id, run_id, started_at, ended_at)"
        f" values ('{table}', 'd', '{run_id}', '{at}', '{at}')"
    )


def checked(pipeline: Pipeline, run_id: str, hours_ago: float, *, passed: bool = True) -> None:
    pipeline.execute(
        "insert into data_quality_results (dag_id, run_id, check_name, severity, passed, checked_at)"
        f" values ('d', '{run_id}', 'songs.x', 'error', {passed}, '{NOW - timedelta(hours=hours_ago)}')"
    )


def is_settled(pipeline: Pipeline) -> bool:
    with pipeline.session() as warehouse:
        names = settled(warehouse, [OF_SONGS, OF_DATES])
    assert OF_DATES.name not in names
    return OF_SONGS.name in names


def test_a_check_that_never_ran_is_due(pipeline: Pipeline) -> None:
    assert not is_settled(pipeline)


def test_a_check_that_passed_after_the_load_of_its_own_run_is_settled(pipeline: Pipeline) -> None:
    loaded(pipeline, "a", 2)
    checked(pipeline, "a", 1.99)
    assert is_settled(pipeline)
    loaded(pipeline, "b", 1, table="artists")
    assert is_settled(pipeline)


def test_a_load_of_another_run_makes_it_due_unless_it_was_long_before(pipeline: Pipeline) -> None:
    loaded(pipeline, "a", 4)
    checked(pipeline, "b", 2)
    assert is_settled(pipeline)
    loaded(pipeline, "c", 2.5)
    assert not is_settled(pipeline), "clocks may differ, and a load is committed after it ended"
    checked(pipeline, "c", 2.4)
    assert is_settled(pipeline)
    loaded(pipeline, "c", 0.5)
    assert not is_settled(pipeline), "the run was cleared, and has loaded again"


@pytest.mark.parametrize(("passed", "settles"), [((False, True), True), ((True, False), False)])
def test_what_it_found_the_last_time_counts(pipeline: Pipeline, passed: tuple[bool, bool], settles: bool) -> None:
    for number, has_passed in enumerate(passed):
        checked(pipeline, str(number), 5 - number, passed=has_passed)
    assert is_settled(pipeline) == settles


def test_it_is_due_once_in_seven_days(pipeline: Pipeline) -> None:
    checked(pipeline, "a", 7 * 24 - 1)
    assert is_settled(pipeline)
    pipeline.execute("update data_quality_results set checked_at = dateadd(hour, -2, checked_at)")
    assert not is_settled(pipeline)
