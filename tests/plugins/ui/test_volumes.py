"""How much came a day: what is usual for the weekday, what is not, and how long a load takes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient

from sparkify.ui.log_date_states import LogDate
from sparkify.ui.volumes import MOST_DAYS, volumes_of
from tests.plugins.ui.metadata import Made, Metadata
from tests.plugins.ui.test_app import text_of

FIRST = date(2018, 11, 1)


def loaded(*plays: int | None) -> dict[date, LogDate]:
    """Dates from the first on, with so many plays each; None is a date that is not loaded."""
    return {
        FIRST + timedelta(number): LogDate(FIRST + timedelta(number), plays=count)
        for number, count in enumerate(plays)
        if count is not None
    }


@pytest.mark.parametrize(("plays", "is_unusual"), [(49, True), (50, False), (200, False), (201, True)])
def test_a_day_is_usual_with_half_to_twice_what_its_weekday_had(plays: int, is_unusual: bool) -> None:
    dates = loaded(*[100 if number % 7 == 0 else 5_000 for number in range(21)], plays)
    day = volumes_of(dates).days[-1]
    assert (day.low, day.high, day.is_unusual) == (50, 200, is_unusual)


def test_after_two_weeks_nothing_is_known_to_be_usual() -> None:
    volumes = volumes_of(loaded(*[100] * 14, 1))
    assert not volumes.has_usual
    assert not volumes.unusual


def test_a_day_that_is_not_loaded_has_its_place_and_no_bar() -> None:
    volumes = volumes_of(loaded(5, None, 7))
    assert [day.plays for day in volumes.days] == [5, None, 7]
    assert [day.x for day in volumes.loaded] == [0, 20]


def test_the_latest_days_are_drawn_and_none_of_years_before() -> None:
    dates = loaded(*[1] * 200)
    assert len(volumes_of(dates).days) == MOST_DAYS
    assert volumes_of(dates).days[-1].log_date == max(dates)
    assert volumes_of({}).days == []


def test_plays_refused_lines_and_times_stand_in_a_table(client: TestClient, metadata: Metadata) -> None:
    metadata.add(
        Made(FIRST),
        Made(
            FIRST + timedelta(1),
            dates={"2018-11-02": {"files": 1, "lines": 500, "refused": 5}},
            plays={"2018-11-02": 450},
        ),
    )
    text = text_of(client, "/")
    assert "2018-11-02 450 500 5 (1.00%) 28.0 s" in text
    assert "A date’s load: 28.0 s , at most 28.0 s" in text
