"""Which log dates a run loads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import runs
from sparkify.loading.exceptions import SettingsError
from sparkify.loading.log_dates import LONGEST_RANGE_DAYS, LogDates, parse_date


def context(run_type: str = "manual", ds: str | None = None, **params: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"params": params, "dag_run": SimpleNamespace(run_type=run_type)}
    return given if ds is None else {**given, "ds": ds}


def test_the_param_goes_before_the_logical_date() -> None:
    dates = LogDates.of_run(context(ds="2026-11-22", log_date="2018-11-01"))
    assert dates == LogDates(date(2018, 11, 1), date(2018, 11, 1))


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "manual"])
def test_without_the_param_the_logical_date_counts(run_type: str) -> None:
    assert list(LogDates.of_run(context(run_type, ds="2018-11-02"))) == [date(2018, 11, 2)]


def test_a_run_without_any_date_says_what_to_give() -> None:
    with pytest.raises(SettingsError, match="param log_date, for example log_date=2018-11-01"):
        LogDates.of_run(context())


@pytest.mark.parametrize("param", ["log_date", "through"])
@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "DagRunType.SCHEDULED"])
def test_a_run_of_the_timetable_refuses_another_date(run_type: str, param: str) -> None:
    with pytest.raises(SettingsError, match=r"must stay empty"):
        LogDates.of_run(context(run_type, ds="2018-11-02", **{param: "2018-11-03"}))


def test_through_makes_a_range_of_both_ends() -> None:
    dates = LogDates.of_run(context(log_date="2018-10-30", through="2018-11-02"))
    assert [str(day) for day in dates] == ["2018-10-30", "2018-10-31", "2018-11-01", "2018-11-02"]
    assert len(dates) == 4
    assert str(dates) == "2018-10-30 to 2018-11-02"


def test_through_counts_from_the_logical_date_too() -> None:
    assert len(LogDates.of_run(context(ds="2018-11-01", through="2018-11-30"))) == 30


def test_through_before_log_date_is_refused() -> None:
    with pytest.raises(SettingsError, match="through=2018-11-01 lies before log_date=2018-11-02"):
        LogDates.of_run(context(log_date="2018-11-02", through="2018-11-01"))


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2019-03-05", "2091-03-05", "26,298"),
        ("1024-11-01", "2024-11-30", "365,272"),
        ("0001-01-01", "9999-12-31", "3,652,058"),
        ("2016-01-01", "2026-01-09", "3,661"),
    ],
)
def test_a_range_of_more_than_ten_years_is_refused(first: str, last: str, days: str) -> None:
    words = f"log_date={first} and through={last} lie {days} days apart, and one run loads at most 3,660 days"
    with pytest.raises(SettingsError, match=words):
        LogDates.of_run(context(log_date=first, through=last))


def test_a_range_of_ten_years_is_loaded() -> None:
    assert len(LogDates.of_run(context(log_date="2016-01-01", through="2026-01-08"))) == 3661


@pytest.mark.parametrize("days", [2, 30, 3000])
def test_a_range_that_ends_after_tomorrow_is_refused(days: int) -> None:
    today = datetime.now(UTC).date()
    # Midnight may pass between the two looks at the clock.
    last = today + timedelta(days + 1)
    with pytest.raises(SettingsError, match=rf"through={last} lies after tomorrow \(\d{{4}}-\d\d-\d\d UTC\)"):
        LogDates.of_run(context(log_date=str(today), through=str(last)))


@pytest.mark.parametrize("days", [0, 1])
def test_a_range_may_end_tomorrow_which_has_begun_east_of_greenwich(days: int) -> None:
    last = datetime.now(UTC).date() + timedelta(days)
    assert LogDates.of_run(context(log_date=str(last - timedelta(7)), through=str(last))).last == last


def test_the_command_line_has_the_same_limit() -> None:
    assert LONGEST_RANGE_DAYS == runs.LONGEST_RANGE_DAYS


@pytest.mark.parametrize(
    "text",
    ["2018-13-01", "2018-02-30", "20181101", "2018-W44-4", "2018-11-01 ", "1.11.2018", "٢٠١٨-١١-٠١", 20181101, True],
)
def test_what_is_no_date_is_refused_by_name(text: object) -> None:
    with pytest.raises(SettingsError, match=r"log_date=.* is not a date\. Give it as YYYY-MM-DD"):
        parse_date("log_date", text)


@given(st.text())
def test_no_text_but_a_date_gets_through(text: str) -> None:
    try:
        parsed = parse_date("log_date", text)
    except SettingsError:
        return
    assert str(parsed) == text
