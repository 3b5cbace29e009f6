"""Nobody blinds the page: no long range, no odd XCom and no long history takes the dates away from its readers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from airflow.models.xcom import XComModel
from fastapi.testclient import TestClient
from sqlalchemy import delete

from sparkify.loading.published import CHECKS, LOAD
from sparkify.ui import app, records
from sparkify.ui.log_date_states import MOST_DATES
from sparkify.ui.run_notes import text_of
from tests.plugins.ui.metadata import BROKEN, Made, Metadata
from tests.plugins.ui.test_app import FIRST, PAGES, days
from tests.plugins.ui.test_app import text_of as words_of

MONTH = [FIRST + timedelta(day) for day in range(30)]
#: What users of Airflow may write into any run, and what another version of the package has.
ODD: tuple[Any, ...] = (
    {"nothing": "here"},
    {},
    [],
    "a text",
    None,
    7,
    {"version": 99, "table": "staging_events"},
    {"first": "2018-11-01", "last": "2018-11-01", "passed": {"error": "a"}, "broken": []},
    {"passed": 1, "broken": 2, "version": 1},
)


@pytest.fixture
def month(metadata: Metadata) -> Metadata:
    """A month that is loaded."""
    metadata.add(*(Made(log_date) for log_date in MONTH))
    return metadata


@pytest.mark.parametrize(
    ("first", "last", "state"),
    [
        (date(1024, 11, 1), date(2018, 11, 30), "failed"),
        (date(1, 1, 1), date(9999, 12, 31), "failed"),
        (date(2014, 1, 1), date(2018, 11, 30), "failed"),
        (date(2017, 1, 1), date(2018, 11, 30), "running"),
    ],
)
def test_a_long_range_is_one_entry_and_takes_no_date_away(
    client: TestClient, month: Metadata, first: date, last: date, state: str
) -> None:
    before = days(client)
    month.add(Made(first, last, state=state, has_told=False, failed_task="stage_events", run_id="slip"))
    assert days(client) == before
    said = words_of(client, "/")
    assert said.count(f"{first} to {last}") == 1
    assert f"{first} to {last} {'✕ Failed' if state == 'failed' else '… Running'}" in said
    assert "loaded" in words_of(client, "/dates/2018-11-03").lower()
    assert "slip" in words_of(client, "/run?run_id=slip")
    assert len(client.get("/").content) < 30_000


def test_however_many_long_ranges_have_failed_the_dates_to_look_at_are_seen(
    client: TestClient, month: Metadata
) -> None:
    month.add(Made(FIRST, state="failed", failed_task="stage_events", has_told=False))
    month.add(*(Made(date(2014, 1, 1 + n), FIRST, state="failed", has_told=False) for n in range(30)))
    said = words_of(client, "/")
    assert "2018-11-01 ✕ Failed" in said
    assert "And 28 runs more of long ranges." in said


def test_short_ranges_that_fail_take_no_place_of_dates_that_are_loaded(client: TestClient, month: Metadata) -> None:
    loaded = {day for day, state in days(client).items() if state == "loaded"}
    for year in range(1900, 1930):
        start = date(year, 1, 1)
        month.add(Made(start, start + timedelta(399), state="failed", has_told=False))
    shown = days(client)
    assert len(shown) <= MOST_DATES
    assert {day for day, state in shown.items() if state == "loaded"} == loaded


def test_a_long_range_that_is_loaded_is_shown_by_date(client: TestClient, month: Metadata) -> None:
    first, last = date(2017, 6, 1), date(2018, 11, 30)
    month.add(Made(first, last, state="failed", has_told=False, failed_task="stage_events"))
    assert "a long range" in words_of(client, "/")
    dates = {str(first + timedelta(day)): {"files": 1, "lines": 5, "refused": 0} for day in range(548)}
    plays = dict.fromkeys(dates, 3)
    month.add(Made(first, last, dates=dates, plays=plays))
    assert set(days(client).values()) == {"loaded"}
    assert len(days(client)) == 548
    said = words_of(client, "/")
    assert "a long range" not in said
    assert f"{548 * 3:,} plays" in said


def test_years_between_two_deliveries_are_not_missing(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(date(1024, 11, 1)), Made(FIRST), Made(FIRST + timedelta(2)))
    assert days(client) == {
        "1024-11-01": "loaded",
        "2018-11-01": "loaded",
        "2018-11-02": "missing",
        "2018-11-03": "loaded",
    }


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("key", [LOAD, CHECKS])
def test_what_cannot_be_read_is_left_out_and_counted(client: TestClient, month: Metadata, key: str, value: Any) -> None:
    task, other = ("stage_events", "/loads?on=2018-11-01") if key == LOAD else ("check_staging", "/checks?text=zzz")
    month.add(Made(FIRST, broken=[BROKEN], run_id="odd", told={(task, key): value}))
    for address in ("/", "/dates/2018-11-01", "/run?run_id=odd", "/loads", other):
        assert "1 run published something that this version cannot read. It is left out here." in words_of(
            client, address
        )
    assert len(days(client)) == 30
    assert "staging_songs" in words_of(client, "/run?run_id=odd")


def test_what_could_not_be_read_is_forgotten_when_it_is_deleted(client: TestClient, month: Metadata) -> None:
    month.add(Made(FIRST, told={("check_staging", CHECKS): {"nothing": "here"}}))
    assert "cannot read" in words_of(client, "/")
    with month.engine.begin() as connection:
        connection.execute(delete(XComModel).where(XComModel.dag_run_id == month.number))
    assert "cannot read" not in words_of(client, "/")


def test_without_such_a_run_nothing_is_said_of_it(client: TestClient, month: Metadata) -> None:
    for address in (*PAGES, "/run?run_id=x"):
        assert "cannot read" not in client.get(address).text


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_note_says_what_it_could_not_read(value: Any) -> None:
    assert text_of([(LOAD, value)]) == "1 task published something that this version cannot read."
    assert text_of([(CHECKS, value), (LOAD, value)]) == "2 tasks published something that this version cannot read."


def test_a_run_is_found_however_many_came_after_it(
    client: TestClient, month: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    month.add(Made(date(2017, 1, 1), run_id="old"))
    month.add(*(Made(log_date) for log_date in MONTH))
    monkeypatch.setattr(records, "MOST_RUNS", 20)
    said = words_of(client, "/run?run_id=old")
    for words in ("Sunday, 1 January 2017", "old", "staging_events", "Every check passed"):
        assert words in said


def test_a_date_of_a_run_that_is_too_long_ago_is_not_said_to_be_never_loaded(
    client: TestClient, month: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("records", "app", "log_date_states"):
        monkeypatch.setattr(f"sparkify.ui.{module}.MOST_RUNS", 20)
    assert "None of the latest 20 runs has loaded this date" in words_of(client, "/dates/2018-11-03")
    assert "None of the latest" not in words_of(client, "/dates/2018-11-29")


def test_checks_are_looked_through_some_runs_at_a_time(
    client: TestClient, month: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RUNS_LOOKED_THROUGH", 10)
    said = words_of(client, "/checks?outcome=any")
    assert "of 340 results" in said
    assert "Looked through runs 1–10 of 30, the latest first." in said
    assert "Earlier runs" in said
    assert "Later runs" not in said
    said = words_of(client, "/checks?outcome=any&older=20&page=2")
    assert "Looked through runs 21–30 of 30, the latest first." in said
    assert "Later runs" in said
    assert "Earlier runs" not in said
    # A date is looked for among all of them.
    assert "of 34 results" in words_of(client, "/checks?outcome=any&date=2018-11-02")
    assert "Every check of these runs passed." in words_of(client, "/checks")
