"""Plays are plays: what the page and the notes say is what the warehouse counts, whatever was loaded in what order."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sparkify.ui.run_notes import text_of
from tests.examples import event, play, song
from tests.pipeline import WRITING, Pipeline
from tests.plugins.ui.metadata import Made, Metadata

FIRST, SECOND, THIRD = (date(2018, 11, 1) + timedelta(day) for day in range(3))
NOON = 1_541_073_600_000


def numbered(number: int) -> Any:
    """A play of its own; two of the same number are one event."""
    return play(sessionId=500 + number, ts=NOON + number)


class Story:
    """Runs of the daily DAG's tasks, of which Airflow's database tells as it would."""

    def __init__(self, pipeline: Pipeline, metadata: Metadata, client: TestClient) -> None:
        self.pipeline, self.metadata, self.client = pipeline, metadata, client
        self.notes: list[str] = []

    def deliver(self, log_date: date, *numbers: int) -> None:
        """A file of the date with these plays, and one other event."""
        self.pipeline.put_events(log_date, [event(sessionId=400), *(numbered(number) for number in numbers)])

    def load(self, first: date, last: date | None = None, *, until: str = "") -> None:
        """A run that succeeds, or fails after the task ``until``; then the page is compared with the warehouse."""
        self.pipeline.published.clear()
        tasks = WRITING[: WRITING.index(until) + 1] if until else WRITING
        self.pipeline.run(first, last, only=tasks)
        self.ended(first, last, "failed" if until else "success")
        if "songplays" in tasks:
            between = f"log_date between '{first}' and '{last or first}'"
            ((plays,),) = self.pipeline.rows(f"select count(*) from songplays where {between}")
            assert number(self.notes[-1], "plays?") == plays, self.notes[-1]

    def fail(self, first: date) -> None:
        """A run that fails before it has written anything."""
        self.pipeline.published.clear()
        self.ended(first, None, "failed")

    def ended(self, first: date, last: date | None, state: str) -> None:
        """Tell Airflow of the run, and compare."""
        told = dict(self.pipeline.published)
        self.metadata.add(Made(first, last, state=state, has_told=False, told=told))
        self.notes.append(text_of((key, value) for (_, key), value in told.items()))
        self.compare()

    def compare(self) -> None:
        """The page says of each date, and of all, what the warehouse counts; and no date has more plays than lines."""
        found = self.pipeline.rows("select log_date, count(*) from songplays group by log_date")
        counted = {str(log_date): int(plays) for log_date, plays in found}
        calendar = html.unescape(self.client.get("/").text)
        said = dict(re.findall(r'data-date="([\d-]+)" aria-label="([^"]*)"', calendar))
        assert said.keys() >= counted.keys()
        for log_date, sentence in said.items():
            assert (number(sentence, "plays?") or 0) == counted.get(log_date, 0), sentence
            page = " ".join(re.sub(r"<[^>]*>", " ", self.client.get(f"/dates/{log_date}").text).split())
            plays, lines = number(page, after="Plays"), number(page, after="Lines")
            assert (plays or 0) == counted.get(log_date, 0), page
            assert (plays or 0) <= (lines or 0), page
        assert (number(calendar, "</b> plays") or 0) == sum(counted.values())


def number(text: str, before: str = "", *, after: str = "") -> int | None:
    """The number in the text that stands before these words, or after them."""
    found = re.search(rf"{after}\s+([\d,]+)" if after else rf"([\d,]+)\s*{before}", text)
    return int(found[1].replace(",", "")) if found else None


@pytest.fixture
def story(pipeline: Pipeline, metadata: Metadata, client: TestClient) -> Story:
    return Story(pipeline, metadata, client)


def test_an_event_in_the_files_of_two_dates_is_one_play_of_one_of_them(story: Story) -> None:
    story.deliver(SECOND, 1, 2, 3)
    story.load(SECOND)
    assert "2018-11-02: 1 file, 4 events, 3 plays" in story.notes[-1]
    # The first date delivers one of them too: it is a play of the first date from now on.
    story.deliver(FIRST, 1, 4)
    story.load(FIRST)
    assert "2018-11-01: 1 file, 3 events, 2 plays" in story.notes[-1]
    # Once more, as after a clear: nothing changes any more.
    story.load(FIRST)
    # And back again.
    story.deliver(FIRST, 4)
    story.load(FIRST)
    assert "2018-11-01: 1 file, 2 events, 1 play" in story.notes[-1]


def test_a_song_that_comes_late_makes_no_plays(story: Story) -> None:
    for log_date, plays in ((FIRST, (1, 2)), (SECOND, (3,)), (THIRD, ())):
        story.deliver(log_date, *plays)
    story.load(FIRST, SECOND)
    story.pipeline.put({"song_data/A/A/A/TRAAAAA1.json": json.dumps(song("SO1")).encode()})
    story.load(THIRD)
    assert story.pipeline.rows("select count(*) from songplays where song_id is not null") == [(3,)]
    assert "2018-11-03: 1 file, 1 event, 0 plays" in story.notes[-1]


def test_a_failed_date_shows_what_is_still_loaded(story: Story) -> None:
    story.deliver(FIRST, 1, 2)
    story.load(FIRST)
    story.fail(FIRST)
    label = html.unescape(story.client.get("/").text)
    assert "failed. Still loaded: 1 file, 3 lines, 2 plays." in label
    assert "2 plays still loaded" in label
    page = " ".join(re.sub(r"<[^>]*>", " ", story.client.get("/dates/2018-11-01").text).split())
    assert re.search(r"Still loaded: the events of the manual run of [\d :-]+ UTC , the plays of the manual run", page)
    # Its events are replaced, its plays are not yet.
    story.deliver(FIRST, 1, 2, 3)
    story.load(FIRST, until="stage_songs")
    page = " ".join(re.sub(r"<[^>]*>", " ", story.client.get("/dates/2018-11-01").text).split())
    assert re.search(r"Lines 4 Left out 0 Plays 2 Still loaded: the plays of the manual run of", page)
    # Now they are, though the run fails later.
    story.load(FIRST, until="users")
    page = " ".join(re.sub(r"<[^>]*>", " ", story.client.get("/dates/2018-11-01").text).split())
    assert "Lines 4 Left out 0 Plays 3" in page
    assert "Still loaded" not in page


def test_a_range_has_the_plays_of_each_of_its_dates(story: Story) -> None:
    story.deliver(FIRST, 1, 2)
    story.deliver(SECOND)
    story.deliver(THIRD, 3)
    story.load(FIRST, THIRD)
    assert "2018-11-01 to 2018-11-03: 3 files, 6 events, 3 plays" in story.notes[-1]
    story.deliver(SECOND, 4, 5)
    story.load(SECOND)
    assert "5 plays" in html.unescape(re.sub(r"<[^>]*>", "", story.client.get("/").text))
