"""The page: what it shows of the runs, in words where there is nothing, and at what cost."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from sparkify.loading.log_dates import LogDates
from sparkify.loading.published import FAILURE, VERSION
from sparkify.ui import log_date_states
from sparkify.ui.records import Run
from tests.plugins.ui.conftest import Count
from tests.plugins.ui.metadata import BROKEN, Made, Metadata

FIRST = date(2018, 11, 1)
PAGES = ("/", "/checks", "/loads", "/dates/2018-11-01")


def text_of(client: TestClient, address: str, status: int = 200) -> str:
    """The words of a page, its tags left out."""
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def days(client: TestClient) -> dict[str, str]:
    """The state of each date of the calendar."""
    return {day: state for state, day in re.findall(r'class="day ([\w-]+)" data-date="([\d-]+)"', client.get("/").text)}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/", "No log date has been loaded yet"),
        ("/checks", "No run has published its checks yet"),
        ("/loads", "Nothing has been loaded yet"),
        ("/dates/2018-11-01", "No run has loaded this date"),
    ],
)
def test_where_there_is_nothing_yet_the_page_says_so(client: TestClient, address: str, words: str) -> None:
    assert words in text_of(client, address)


def test_each_date_is_as_its_run_left_it(client: TestClient, metadata: Metadata) -> None:
    metadata.add(
        Made(FIRST),
        Made(FIRST + timedelta(1), broken=[BROKEN]),
        Made(FIRST + timedelta(2), dates={"2018-11-03": {"files": 1, "lines": 9, "refused": 2}}, broken=[BROKEN]),
        Made(FIRST + timedelta(3), state="failed", failed_task="check_staging"),
        Made(FIRST + timedelta(5), state="running", has_told=False),
        Made(FIRST + timedelta(6)),
        Made(date(2017, 1, 1), state="failed", failed_task="stage_events", has_told=False),
    )
    assert days(client) == {
        "2017-01-01": "failed",
        "2018-11-01": "loaded",
        "2018-11-02": "warned",
        "2018-11-03": "bad-lines",
        "2018-11-04": "failed",
        "2018-11-05": "missing",
        "2018-11-06": "running",
        "2018-11-07": "loaded",
    }
    assert 'aria-label="Saturday, 3 November 2018: with bad lines. 1 file, 9 lines, 2 left out' in client.get("/").text
    assert "2018-11-04 ✕ Failed at check_staging" in text_of(client, "/")


def test_the_legend_leaves_the_dates_of_a_state(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST), Made(FIRST + timedelta(1), broken=[BROKEN]))
    page = client.get("/?state=warned").text
    assert re.findall(r'data-date="([\d-]+)"', page) == ["2018-11-02"]
    assert re.search(r'href="/sparkify/" title="[^"]*" aria-current="true"', page)
    assert "data-date" not in client.get("/?state=nothing").text


def test_the_list_to_look_at_has_all_the_worst_and_oldest_first_since_when(
    client: TestClient, metadata: Metadata
) -> None:
    day = [FIRST + timedelta(number) for number in range(12)]
    metadata.add(
        *(Made(log_date, broken=[BROKEN]) for log_date in day[:9]),
        Made(day[10], state="failed", failed_task="users"),
        Made(day[10], state="failed", failed_task="users"),
        Made(day[9], state="failed", failed_task="users"),
        Made(day[11]),
    )
    page = client.get("/").text
    listed = re.findall(r'<li><a href="/sparkify/dates/([\d-]+)">', page)
    assert listed == [str(log_date) for log_date in (day[9], day[10], *day[:9])]
    assert "5 more" in text_of(client, "/")
    # Since the first of two runs that failed.
    assert re.search(r"2018-11-11 ✕ Failed at users; .*?since 2026-01-01 00:10 UTC", text_of(client, "/"))


def test_a_failed_date_says_why_first_and_where_to_go_from_there(client: TestClient, metadata: Metadata) -> None:
    why = "s3://bucket/log_data/2018/11/2018-11-01-events.json, line 3, value {<b>. Fix the file and clear the task."
    told = {"version": VERSION, "kind": "DataError", "told": why}
    metadata.add(Made(FIRST, run_id="good"))
    metadata.add(
        Made(
            FIRST,
            state="failed",
            failed_task="stage_events",
            has_told=False,
            run_id="bad",
            told={("stage_events", FAILURE): told},
        )
    )
    page = client.get("/dates/2018-11-01").text
    assert "value {&lt;b&gt;. Fix the file" in page
    assert page.index("Why it failed") < page.index("<dl")
    assert re.findall(r'class="button" href="([^"]+)"', page) == [
        "/dags/sparkify_daily/runs/bad",
        "/dags/sparkify_daily/runs/bad/tasks/stage_events",
        "/dags/sparkify_daily",
    ]
    assert "Still loaded: the events of the manual run of 2026-01-01 00:01 UTC" in text_of(client, "/dates/2018-11-01")
    assert "Failed at stage_events: s3://bucket" in text_of(client, "/")
    assert "Fix the file" in text_of(client, "/run?run_id=bad")


@pytest.mark.parametrize("told", ["no record", {"version": 2}, {"version": 1, "kind": 3, "told": "x"}])
def test_a_failure_that_cannot_be_read_leaves_its_reader_to_the_log(
    client: TestClient, metadata: Metadata, told: object
) -> None:
    metadata.add(Made(FIRST, state="failed", failed_task="users", told={("users", FAILURE): told}))
    assert "users The end of its log says why." in text_of(client, "/dates/2018-11-01")


def test_a_date_leads_to_its_page_and_from_there_to_its_run(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, run_id="manual__2018-11-01T00:00:00+00:00"))
    address = "/dags/sparkify_daily/runs/manual__2018-11-01T00%3A00%3A00%2B00%3A00"
    assert 'href="/sparkify/dates/2018-11-01"' in client.get("/").text
    assert f'href="{address}" data-airflow' in client.get("/dates/2018-11-01").text


def test_the_latest_run_of_a_date_decides_be_it_of_a_range(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, state="failed"), Made(FIRST + timedelta(1)))
    metadata.add(
        Made(
            FIRST,
            FIRST + timedelta(2),
            dates={
                "2018-11-01": {"files": 1, "lines": 5, "refused": 0},
                "2018-11-02": {"files": 2, "lines": 5, "refused": 1},
            },
        )
    )
    # It skipped the third, which nobody had loaded.
    assert days(client) == {"2018-11-01": "loaded", "2018-11-02": "bad-lines", "2018-11-03": "missing"}


def test_a_run_that_skipped_a_date_leaves_it_as_it_was(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, broken=[BROKEN]), Made(FIRST, dates={}))
    assert days(client) == {"2018-11-01": "warned"}


def test_a_run_that_is_cleared_tells_anew(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, broken=[BROKEN]))
    assert days(client) == {"2018-11-01": "warned"} == days(client)
    with metadata.engine.begin() as connection:
        connection.execute(update(DagRun).values(state="running", end_date=None))
    assert days(client) == {"2018-11-01": "running"}
    with metadata.engine.begin() as connection:
        connection.execute(delete(XComModel).where(XComModel.task_id == "check_staging"))
        connection.execute(update(DagRun).values(state="success", end_date=datetime.now(UTC)))
    assert days(client) == {"2018-11-01": "loaded"}


def test_a_run_whose_xcom_is_gone_still_counts_as_a_load(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, has_told=False))
    assert days(client) == {"2018-11-01": "loaded"}


def test_a_run_without_a_date_spoils_no_page(client: TestClient, metadata: Metadata) -> None:
    metadata.add(
        Made(FIRST, conf={}, has_told=False, state="failed", run_id="undated"),
        Made(FIRST, conf={"log_date": "2018-02-30"}, has_told=False, state="failed"),
        Made(FIRST, conf={"log_date": "0001-01-01", "through": "9999-12-31"}, has_told=False, state="failed"),
    )
    for address in PAGES:
        text_of(client, address)
    assert "neither a log date nor a logical date" in text_of(client, "/run?run_id=undated")


def test_what_came_from_a_file_is_text_and_no_markup(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, broken=[BROKEN]))
    for address in ("/checks", "/dates/2018-11-01"):
        assert "Podcast &lt;b&gt;&amp;" in client.get(address).text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("?severity=error", 1),
        ("?check=staging_events.page_is_known", 2),
        ("?text=podcast", 3),
        ("?text=PODCAST&date=2018-11-02", 2),
        ("?outcome=not-run", 1),
        ("?outcome=passed&check=songplays.rule_number_3_of_many_holds", 2),
        ("?outcome=any&date=2018-11-01", 35),
        ("?text=nowhere", 0),
    ],
)
def test_the_filter_leaves_what_was_asked_for(client: TestClient, metadata: Metadata, query: str, found: int) -> None:
    away = {**BROKEN, "check": "users.away", "severity": "error", "offending": None, "error": "no table", "fails": True}
    metadata.add(Made(FIRST, broken=[BROKEN]), Made(FIRST + timedelta(1), broken=[BROKEN, away]))
    text = text_of(client, f"/checks{query}")
    assert text.count("Against the rule") + len(re.findall(r"✓ passed", text)) == found
    assert ("No result is as you asked" in text) == (found == 0)


def test_a_date_shows_its_runs_its_loads_and_its_checks(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST, run_id="before"), Made(FIRST, run_id="latest", broken=[BROKEN]))
    text = text_of(client, "/dates/2018-11-01")
    for words in ("before manual success", "latest manual success", "34 of 35", "staging_songs", "28.0 s", "Podcast"):
        assert words in text


def test_the_load_history_goes_by_table_and_date_and_pages(client: TestClient, metadata: Metadata) -> None:
    metadata.add(*(Made(FIRST + timedelta(day)) for day in range(40)))
    assert "1–15 of 40 runs" in text_of(client, "/loads")
    assert "31–40 of 40 runs" in text_of(client, "/loads?page=3")
    text = text_of(client, "/loads?on=2018-11-05&table=songplays")
    assert text.count("2018-11-05") == 1
    assert "1–1 of 1 run" in text


def test_looking_for_long_ranges_costs_as_much_as_there_are_runs() -> None:
    compared = 0

    class Day(date):
        def __le__(self, other: date) -> bool:
            nonlocal compared
            compared += 1
            return date.__le__(self, other)

        __ge__ = __gt__ = __le__

    def run(number: int) -> Run:
        day = Day.fromordinal(FIRST.toordinal() + number)
        return Run(number, f"run {number}", "manual", "success", LogDates(day, day), None, None, None)

    log_date_states.of_runs([run(number) for number in range(1_000)])
    assert compared < 5_000


def test_another_dags_tab_says_whose_log_dates_these_are(client: TestClient) -> None:
    for address in ("/?dag_id=other", "/run?dag_id=other&run_id=x"):
        assert "other does not load log dates" in text_of(client, address)


@pytest.mark.parametrize(
    ("address", "status"),
    [("/dates/yesterday", 422), ("/loads?on=yesterday", 422), ("/run?run_id=none", 404), ("/nowhere", 404)],
)
def test_what_cannot_be_shown_is_said_in_words(client: TestClient, address: str, status: int) -> None:
    assert "Back to the calendar" in text_of(client, address, status)


@pytest.mark.parametrize("address", [*PAGES, "/run?run_id=only"])
def test_the_number_of_statements_does_not_grow_with_the_dates(
    client: TestClient, metadata: Metadata, statements: Count, address: str
) -> None:
    metadata.add(Made(FIRST, run_id="only"))
    one = statements(lambda: client.get(address))
    metadata.add(*(Made(FIRST + timedelta(day), broken=[BROKEN]) for day in range(1, 250)))
    assert statements(lambda: client.get(address)) == one
    assert one <= 5


def test_every_answer_stays_in_airflows_frame_and_in_no_cache(client: TestClient, metadata: Metadata) -> None:
    metadata.add(Made(FIRST))
    for address in PAGES:
        headers: Any = client.get(address).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
