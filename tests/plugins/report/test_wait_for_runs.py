"""Waiting for other DAGs: as long as anything is under way, but not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sparkify.report.wait_for_runs import WaitForRunsSensor


class TaskInstance:
    """What the sensor asks of Airflow, answered; the scheduler's own answers are met in tests/e2e."""

    def __init__(self, under_way: dict[str, int], waited: timedelta | None, deferred: dict[str, int]) -> None:
        self.under_way, self.waited, self.deferred = under_way, waited, deferred

    def get_dr_count(self, dag_id: str, states: list[str]) -> int:
        assert set(states) == {"queued", "running"}
        return self.under_way.get(dag_id, 0)

    def get_ti_count(self, dag_id: str, states: list[str]) -> int:
        assert states == ["deferred"]
        return self.deferred.get(dag_id, 0)

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return None if self.waited is None else datetime.now(UTC) - self.waited


def poke(under_way: dict[str, int], waited: timedelta | None = None, deferred: dict[str, int] | None = None) -> bool:
    sensor = WaitForRunsSensor(task_id="wait", dag_ids=["a", "b"], at_most=timedelta(hours=6))
    context: Any = {"ti": TaskInstance(under_way, waited, deferred or {})}
    return sensor.poke(context)


def test_it_goes_on_as_soon_as_nothing_is_under_way() -> None:
    assert poke({})
    assert poke({"another": 3})


@pytest.mark.parametrize("under_way", [{"a": 1}, {"b": 30}, {"a": 1, "b": 1}])
@pytest.mark.parametrize("waited", [None, timedelta(hours=5)])
def test_it_waits_for_each_of_the_dags(
    under_way: dict[str, int], waited: timedelta | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not poke(under_way, waited)
    assert all(f"{count} of {dag_id}" in capsys.readouterr().out for dag_id, count in list(under_way.items())[:1])


def test_after_the_time_given_it_says_so_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert poke({"a": 1}, timedelta(hours=7))
    assert "still under way after 6:00:00 (1 of a)" in capsys.readouterr().out


def test_a_run_that_waits_for_its_file_is_not_waited_for() -> None:
    assert poke({"a": 1}, deferred={"a": 1})
    assert not poke({"a": 2}, deferred={"a": 1})
    assert not poke({"a": 1}, deferred={"b": 1})
