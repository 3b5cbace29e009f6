"""The benchmark runs, and judges rightly. How long anything took is no business of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.a_day_costs_a_day import KINDS, NEW_SONGS, Case, LateSongs, Timing, measure
from benchmarks.report import as_markdown
from tests.pipeline import load_dag

pytestmark = pytest.mark.cost


def timing(little: float, much: float) -> Timing:
    return Timing("songplays", [little], [much])


@pytest.fixture(scope="module")
def measured(stack: Any) -> Iterator[tuple[list[Case], list[LateSongs]]]:
    """What a small run of it measures."""
    with pytest.MonkeyPatch.context() as changed:
        yield measure(stack, changed.setenv, days=12, events_per_day=100, repeats=2)


def test_every_task_is_timed_beside_both_histories_for_every_date(
    measured: tuple[list[Case], list[LateSongs]],
) -> None:
    cases, _ = measured
    assert [case.kind for case in cases] == list(KINDS)
    for case in cases:
        assert {timing.task for timing in case.timings} == set(load_dag("sparkify_daily").task_ids)
        assert {len(side) for timing in case.timings for side in (timing.little, timing.much)} == {2}


def test_late_songs_are_matched_to_plays_of_the_history(measured: tuple[list[Case], list[LateSongs]]) -> None:
    _, late = measured
    assert [run.songs for run in late] == list(NEW_SONGS)
    assert late[0].plays == 0 < late[2].plays


def test_a_task_that_takes_much_longer_does_not_hold() -> None:
    assert not timing(1.0, 1.3).holds


def test_a_quarter_more_holds() -> None:
    assert timing(1.0, 1.25).holds


def test_a_few_milliseconds_are_noise_whatever_their_ratio() -> None:
    assert timing(0.010, 0.030).holds


def test_one_slow_run_among_five_decides_nothing() -> None:
    assert Timing("songplays", [1.0] * 5, [1.0, 1.0, 9.0, 1.0, 1.0]).holds


def test_all_tasks_of_a_run_are_added_before_the_median_is_taken() -> None:
    case = Case("A new date", [Timing("users", [1.0, 5.0, 3.0], [2.0] * 3), Timing("time", [5.0, 1.0, 3.0], [2.0] * 3)])
    assert case.total.medians == (6.0, 4.0)


def test_the_page_shows_the_figures_and_what_fails() -> None:
    late = LateSongs(1, 1000, {"stage_songs": 4.6, "songplays": 8.0, "users": 0.1, "time": 0.2})
    page = as_markdown([Case("A new date", [timing(1.0, 2.0)])], [late], days=1000, events_per_day=10_000, repeats=5)
    assert "| songplays | 1,000 | 2,000 | +1,000 | 2.00 | no |" in page
    assert "10,000,000 plays of 1,000 days" in page
    assert "| 1 | 1,000 | 4.6 | 8.0 | 0.3 |" in page
