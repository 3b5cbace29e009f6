"""A whole stack with some days loaded, a browser before it, and pictures where they are wanted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.stack.connections import AIRFLOW_USER, airflow_url, s3_client
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.pipeline import PROJECT

IMAGES = PROJECT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# What is waited for is a scheduler's and a task's work; nothing waits longer than it has to.
PATIENCE = 180_000

Picture = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it; while it runs, so does a loop of asyncio's in this thread."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"No browser was found ({', '.join(BROWSERS)}). Install Chromium to test the UI.")
    with sync_playwright() as playwright:
        # Chromium refuses to run in its sandbox as root, as which containers often run it; it opens our own pages only.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def delivered(cli: CommandLine, home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of November 2018, some of them not as they should be; nothing is loaded."""
    folder = tmp_path_factory.mktemp("files")
    amounts = ("--days", "12", "--events-per-day", "60", "--songs", "12", "--seed", "7")
    cli.run("generate", str(folder), "--start", "2018-11-01", *amounts)
    cli.run("seed", str(folder))
    spoil(home, "2018-11-03", b"", b"{oops\n")
    spoil(home, "2018-11-04", b'"page":"NextSong"', b'"page":"Podcast"')
    spoil(home, "2018-11-05", b'"sessionId"', b'"session"')


def spoil(home: Home, log_date: str, old: bytes, new: bytes) -> None:
    """Replace the first of something in a date's file; nothing is replaced at its beginning."""
    s3, key = s3_client(home), f"log_data/2018/11/{log_date}-events.json"
    content: bytes = s3.get_object(Bucket="sparkify", Key=key)["Body"].read()
    assert old in content
    s3.put_object(Bucket="sparkify", Key=key, Body=content.replace(old, new, 1))


@pytest.fixture(scope="module")
def loaded(cli: CommandLine, delivered: None) -> None:
    """1, 2 and 7 November as they should be, the 3rd with a bad line, the 4th with a warning; the 5th has failed."""
    cli.run("trigger", "2018-11-01", "--through", "2018-11-02")
    cli.run("trigger", "2018-11-03", "--param", "max_bad_lines=1")
    cli.run("trigger", "2018-11-04")
    cli.run("trigger", "2018-11-05", expect=1)
    cli.run("trigger", "2018-11-07")


@pytest.fixture(scope="module")
def session(browser: Browser, home: Home) -> Iterator[BrowserContext]:
    """A window in which somebody has logged in by the form, in light colours and of a laptop's size."""
    context = browser.new_context(
        base_url=airflow_url(home), viewport={"width": 1280, "height": 800}, color_scheme="light", locale="en-GB"
    )
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Username").fill(AIRFLOW_USER)
    page.get_by_label("Password").fill(home.secret("airflow_password"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Dags")).to_be_visible()
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(session: BrowserContext) -> Iterator[Page]:
    """A tab of its own, in which nothing may go wrong unseen."""
    opened = session.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Take a picture for the documentation, if WRITE_IMAGES=1 asks for it."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("WRITE_IMAGES") == "1":
            IMAGES.mkdir(exist_ok=True)
            page.screenshot(path=IMAGES / f"{name}.png")

    return take
