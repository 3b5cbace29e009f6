"""What a person does in Airflow's UI: runs, logs, a backfill, and every part of the Sparkify page.

All of it in one file, whose tests share one cli.
"""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from local.stack.airflow_settings import settings
from local.stack.connections import CONTROL_BUCKET, airflow_url, s3_client
from local.stack.home import Home
from sparkify.report.page import page_of
from sparkify.tables import STAGING, STAR
from tests.command_line import CommandLine
from tests.pipeline import PROJECT
from tests.plugins.report.answers import report
from tests.ui.conftest import Picture

pytestmark = pytest.mark.browser

DAG = "/dags/sparkify_daily"
SPARKIFY = "/plugin/sparkify"
ADDRESSES = ("/", "/checks", "/loads", "/report", "/report/latest", "/dates/2018-11-01", "/run?run_id=x")
TOKENS = """
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
manager = create_auth_manager()
manager.init()
for role in ("viewer", None):
    print("token", manager.generate_jwt(SimpleAuthManagerUser(username="somebody", role=role)))
"""


def inside(page: Page, name: str = "Sparkify") -> FrameLocator:
    """The Sparkify page in Airflow's frame of this name."""
    return page.frame_locator(f"iframe[title='{name}']")


def expect_success(page: Page, run_id: str, note: str) -> str:
    """Watch a run until it has succeeded, and look for its note; returns the path of the run."""
    path = f"{DAG}/runs/{quote(run_id, safe='')}"
    page.goto(path)
    header = page.get_by_role("heading", name=run_id).locator("xpath=..")
    expect(header.get_by_text("Success")).to_be_visible()
    # Airflow's page follows the state of a run, not its note.
    page.reload()
    expect(page.get_by_text(note).first).to_be_visible()
    return path


@pytest.fixture(scope="module")
def tokens(stack: object, home: Home) -> tuple[str, str]:
    """What the API server takes for a session of a viewer, and of somebody who may see nothing."""
    done = subprocess.run(
        [sys.executable, "-c", TOKENS], env=settings(home), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    found = re.findall(r"^token (\S+)$", done.stdout, re.MULTILINE)
    assert len(found) == 2, done.stderr
    return found[0], found[1]


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_session_nothing_is_told(home: Home, stack: object, address: str) -> None:
    answer = requests.get(f"{airflow_url(home)}/sparkify{address}", timeout=60)
    assert answer.status_code == 401
    assert "You are not signed in" in answer.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_not_read_the_dag_may_not_read_the_page(home: Home, tokens: tuple[str, str], address: str) -> None:
    for sent in ({"headers": {"Authorization": f"Bearer {tokens[1]}"}}, {"cookies": {"_token": tokens[1]}}):
        answer = requests.get(f"{airflow_url(home)}/sparkify{address}", timeout=60, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 403
        assert "your account may not read" in answer.text


def test_a_forged_session_is_none(home: Home, tokens: tuple[str, str]) -> None:
    forged = tokens[0][:-4] + "AAAA"
    answer = requests.get(f"{airflow_url(home)}/sparkify/", cookies={"_token": forged}, timeout=60)
    assert answer.status_code == 401
    assert "You are not signed in" in answer.text


def test_who_may_read_the_dag_reads_the_page(home: Home, tokens: tuple[str, str]) -> None:
    answer = requests.get(f"{airflow_url(home)}/sparkify/", cookies={"_token": tokens[0]}, timeout=60)
    assert answer.status_code == 200


def test_a_date_typed_into_the_form_is_loaded_and_its_log_says_so(page: Page, delivered: None) -> None:
    page.goto(DAG)
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    form.locator("#element_log_date").fill("2018-11-08")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/dagRuns" in answer.url) as posted:
        form.get_by_role("button", name="Trigger").click()
    run = expect_success(page, posted.value.json()["dag_run_id"], "2018-11-08: 1 file")
    page.goto(f"{run}/tasks/stage_events")
    expect(page.get_by_text(re.compile(r"Loaded staging_events, 2018-11-08: 1 file\(s\)")).first).to_be_visible()


def test_a_backfill_made_in_the_ui_loads_its_dates(page: Page, delivered: None) -> None:
    page.goto(DAG)
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").first
    form.get_by_text("Backfill", exact=True).first.click()
    for number, log_date in enumerate(("2018/11/09", "2018/11/10")):
        form.get_by_test_id("datetime-input").nth(number).click()
        day = page.get_by_placeholder("YYYY/MM/DD").locator("visible=true")
        day.fill(log_date)
        page.get_by_placeholder("HH:mm").locator("visible=true").fill("00:00")
        page.keyboard.press("Enter")
        form.get_by_text("Date Range").click()
        # The picker fades out: the other date's would be a second one of its kind.
        expect(day).to_have_count(0)
    with page.expect_response(
        lambda answer: answer.request.method == "POST" and answer.url.endswith("/backfills")
    ) as posted:
        form.get_by_role("button", name="Run Backfill").click()
    assert posted.value.ok
    # Airflow names a run after the end of its day.
    for run, log_date in (("2018-11-10", "2018-11-09"), ("2018-11-11", "2018-11-10")):
        expect_success(page, f"backfill__{run}T00:00:00+00:00", f"{log_date}: 1 file")


def test_the_calendar_shows_how_each_date_stands(page: Page, loaded: None, picture: Picture) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sparkify", exact=True).click()
    shown = inside(page)
    for log_date, state in {
        "2018-11-01": "loaded",
        "2018-11-02": "loaded",
        "2018-11-03": "with bad lines",
        "2018-11-04": "with warnings",
        "2018-11-05": "failed",
        "2018-11-06": "missing",
        "2018-11-07": "loaded",
    }.items():
        place = shown.locator(f"[data-date='{log_date}']")
        expect(place).to_have_attribute("aria-label", re.compile(f": {state}"))
    shown.locator("[data-date='2018-11-03']").hover()
    expect(shown.locator("#tip")).to_contain_text("1 left out")
    picture(page, "sparkify-calendar")


def test_plays_are_those_of_the_warehouse_and_no_more_than_lines(cli: CommandLine, page: Page, loaded: None) -> None:
    page.goto("/sparkify/")
    sentences = {
        day.get_attribute("data-date"): str(day.get_attribute("aria-label")) for day in page.locator("a.day").all()
    }
    told = {day: re.search(r"([\d,]+) lines?.* ([\d,]+) plays?", sentence) for day, sentence in sentences.items()}
    numbers = {day: [int(one.replace(",", "")) for one in found.groups()] for day, found in told.items() if found}
    assert len(numbers) >= 4
    for day, (lines, plays) in numbers.items():
        assert plays == cli.value(f"select count(*) from songplays where log_date = '{day}'"), day
        assert plays <= lines
    expect(page.locator(".plays")).to_have_text(f"{cli.value('select count(*) from songplays'):,} plays")


def test_a_date_leads_to_its_page_and_from_there_to_run_and_logs(page: Page, loaded: None) -> None:
    page.goto(SPARKIFY)
    inside(page).locator("[data-date='2018-11-06']").click()
    expect(inside(page).get_by_text("No run has loaded this date")).to_be_visible()
    expect(page).to_have_url(re.compile("/plugin/sparkify/sparkify/dates/2018-11-06"))
    for button, address in (("Run", "$"), ("Logs", "/tasks/check_staging$")):
        page.goto(SPARKIFY)
        inside(page).locator("[data-date='2018-11-05']").click()
        inside(page).get_by_role("link", name=button, exact=True).click()
        expect(page).to_have_url(re.compile(f"{DAG}/runs/manual__2018-11-05[^/]*{address}"))


def test_a_failed_date_tells_which_rows_broke_which_rule(page: Page, loaded: None, picture: Picture) -> None:
    page.goto(SPARKIFY)
    inside(page).get_by_role("link", name="2018-11-05", exact=True).click()
    shown = inside(page)
    expect(shown.get_by_role("heading", name="Monday, 5 November 2018")).to_be_visible()
    why = shown.get_by_role("region", name="Why it failed")
    expect(why).to_contain_text("check_staging")
    expect(why).to_contain_text("staging_events.identity_is_complete")
    expect(shown.get_by_text("log_date 2018-11-05")).to_be_visible()
    broken = shown.locator(".finding", has_text="staging_events.identity_is_complete")
    expect(broken.get_by_role("columnheader", name="session_id")).to_be_visible()
    picture(page, "sparkify-date")


def test_the_checks_are_filtered_as_one_asks(page: Page, loaded: None, picture: Picture) -> None:
    page.goto(SPARKIFY)
    inside(page).get_by_role("link", name="Checks", exact=True).click()
    shown = inside(page)
    expect(shown.locator(".finding", has_text="staging_events.page_is_known")).not_to_have_count(0)
    shown.get_by_label("Severity").select_option("error")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.locator(".finding", has_text="staging_events.page_is_known")).to_have_count(0)
    expect(shown.locator(".finding", has_text="staging_events.identity_is_complete")).to_have_count(1)
    shown.get_by_role("link", name="Clear").click()
    expect(shown.get_by_label("Severity")).to_have_value("")
    shown.get_by_label("Text").fill("podcast")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.locator(".finding")).to_have_count(1)
    expect(shown.get_by_role("cell", name="Podcast")).to_be_visible()
    picture(page, "sparkify-checks")
    shown.get_by_label("Text").fill("nothing like it")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.get_by_text("No result is as you asked.")).to_be_visible()


def test_the_load_history_lists_every_table(page: Page, loaded: None) -> None:
    page.goto(SPARKIFY)
    inside(page).get_by_role("link", name="Loads", exact=True).click()
    shown = inside(page)
    for table in (*STAGING, *STAR):
        expect(shown.get_by_role("rowheader", name=table.name, exact=True)).not_to_have_count(0)
    shown.get_by_label("Table").select_option("songplays")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.get_by_role("rowheader", name="staging_events")).to_have_count(0)
    shown.get_by_label("Log date").fill("2018-11-04")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.get_by_role("rowheader")).to_have_count(1)


def test_a_filter_is_typed_by_the_keyboard_and_sent_when_one_asks(page: Page, loaded: None) -> None:
    page.goto("/sparkify/loads")
    table, log_date = page.get_by_label("Table"), page.get_by_label("Log date")
    table.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(table).to_be_focused()
    chosen = table.input_value()
    assert chosen
    log_date.focus()
    # A date that is the same for those who write the month first.
    page.keyboard.type("11112018")
    expect(log_date).to_have_value("2018-11-11")
    expect(page).to_have_url(re.compile("/loads$"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"table={chosen}&on=2018-11-11"))


def test_a_right_click_on_a_date_leads_nowhere_and_a_middle_one_to_a_tab_of_its_own(page: Page, loaded: None) -> None:
    page.goto(SPARKIFY)
    day = inside(page).locator("[data-date='2018-11-01']")
    day.click(button="right")
    with page.context.expect_page() as opened:
        day.click(button="middle")
    expect(opened.value).to_have_url(re.compile("/sparkify/dates/2018-11-01"))
    opened.value.close()
    expect(page).to_have_url(re.compile(SPARKIFY))


def test_the_report_is_read_from_a_file_without_a_network_on_a_phone_and_in_the_dark(
    browser: Browser, cli: CommandLine, loaded: None, picture: Picture
) -> None:
    cli.run("trigger", "--dag", "sparkify_report")
    address = f"file://{cli.run('report').splitlines()[-1]}"
    asked: list[str] = []
    for scheme, background in (("light", "rgb(246, 247, 249)"), ("dark", "rgb(16, 22, 29)")):
        phone = browser.new_context(
            viewport={"width": 390, "height": 844},
            color_scheme=scheme,  # type: ignore[arg-type]
            offline=True,
        )
        page = phone.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text("November 2018")
        expect(page.locator("svg").first).to_be_visible()
        expect(page.locator("body")).to_have_css("background-color", background)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the report is {wide} pixels wider than a phone"
        picture(page, f"report-phone-{scheme}")
        phone.close()
    assert set(asked) == {address}


def test_the_report_is_shown_as_it_lies_in_s3_and_cannot_act(page: Page, stack: object, home: Home) -> None:
    body = "<h1>Plays of November</h1><p id=p>untouched</p><script>document.getElementById('p').textContent=1</script>"
    s3_client(home).put_object(Bucket=CONTROL_BUCKET, Key="sparkify/reports/latest/report.html", Body=body.encode())
    page.goto(SPARKIFY)
    inside(page).get_by_role("link", name="Report", exact=True).click()
    report = inside(page).frame_locator("iframe")
    expect(report.get_by_role("heading", name="Plays of November")).to_be_visible()
    expect(report.get_by_text("untouched")).to_be_visible()


def test_the_report_is_dark_where_airflow_is_though_the_system_is_light(page: Page, loaded: None, home: Home) -> None:
    body = page_of(report()).encode()
    s3_client(home).put_object(Bucket=CONTROL_BUCKET, Key="sparkify/reports/latest/report.html", Body=body)
    page.add_init_script("if (window === window.top) localStorage.setItem('theme', 'dark')")
    page.goto(f"{SPARKIFY}/sparkify/report")
    expect(inside(page).locator("html")).to_have_attribute("data-theme", "dark")
    shown = inside(page).frame_locator("iframe")
    expect(shown.locator("body")).to_have_css("background-color", "rgb(16, 22, 29)")


def test_the_dag_and_its_runs_have_a_tab(page: Page, loaded: None) -> None:
    page.goto(DAG)
    page.get_by_role("link", name="Log dates", exact=True).click()
    inside(page, "Log dates").locator("[data-date='2018-11-01']").click()
    inside(page, "Log dates").get_by_role("link", name="Run", exact=True).click()
    page.get_by_role("link", name="Log dates", exact=True).click()
    shown = inside(page, "Log dates")
    expect(shown.get_by_role("heading", name="2018-11-01 to 2018-11-02")).to_be_visible()
    expect(shown.locator("a.day")).to_have_count(2)


def test_a_task_links_to_its_files_and_its_date(page: Page, loaded: None, picture: Picture) -> None:
    page.goto(SPARKIFY)
    inside(page).locator("[data-date='2018-11-07']").click()
    inside(page).get_by_role("link", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    page.goto(f"{page.url}/tasks/stage_events/details")
    files = page.get_by_role("link", name="Files in S3")
    expect(files).to_have_attribute("href", re.compile("^https://console.aws.amazon.com/s3/buckets/sparkify"))
    expect(page.get_by_role("link", name="Report", exact=True)).to_have_attribute("href", re.compile("/report$"))
    picture(page, "airflow-task")
    page.get_by_role("link", name="Log date", exact=True).click()
    expect(inside(page).get_by_role("heading", name="Wednesday, 7 November 2018")).to_be_visible()


def test_the_page_is_dark_where_airflow_is(
    browser: Browser, session: BrowserContext, home: Home, loaded: None, picture: Picture
) -> None:
    dark = browser.new_context(
        base_url=airflow_url(home),
        viewport={"width": 1280, "height": 800},
        color_scheme="dark",
        storage_state=session.storage_state(),
    )
    page = dark.new_page()
    page.goto(SPARKIFY)
    expect(inside(page).locator("[data-date='2018-11-01']")).to_be_visible()
    expect(inside(page).locator("html")).to_have_attribute("data-theme", "dark")
    expect(inside(page).locator("body")).to_have_css("background-color", "rgb(17, 17, 19)")
    picture(page, "sparkify-calendar-dark")
    dark.close()


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Page, loaded: None, picture: Picture) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/sparkify/", "/sparkify/checks", "/sparkify/loads", "/sparkify/dates/2018-11-05"):
        page.goto(address)
        expect(page.get_by_role("link", name="Report", exact=True)).to_be_in_viewport()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} is {wide} pixels wider than a phone"
    page.goto("/sparkify/")
    picture(page, "sparkify-phone")


def test_the_keyboard_leads_through_the_calendar_to_a_date_and_its_run(page: Page, loaded: None) -> None:
    page.goto("/sparkify/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.locator("[data-days] a[tabindex='0']").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-date='2018-11-01']")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-date='2018-11-02']")).to_be_focused()
    expect(page.locator("#tip")).to_contain_text("Friday, 2 November 2018: loaded.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/dates/2018-11-02$"))
    page.get_by_role("link", name="Run", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{DAG}/runs/manual__2018-11-01"))
