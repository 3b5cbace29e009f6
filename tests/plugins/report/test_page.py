"""The page: whole in itself, readable without seeing the charts, and safe whatever the files hold."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest

from sparkify.loading.shown import OBEYED
from sparkify.report.contents import loads_told_by
from sparkify.report.page import SECTIONS, page_of
from sparkify.report.palette import COLOURS
from sparkify.report.wording import NO_CHARACTER
from tests.plugins.report.answers import NASTY, ROWS, report
from tests.security.hostile import ODD_TEXTS

VOID = {"meta", "link", "br", "input", "img"}


class Reading(HTMLParser):
    """What a browser makes of a page: its elements, whether each is closed, and what it says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(report())


@pytest.fixture(scope="module")
def reading(page: str) -> Reading:
    return Reading(page)


def test_the_page_is_well_formed_and_says_its_language(reading: Reading) -> None:
    assert reading.open == []
    assert reading.attributes("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in reading.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_is_asked_of_a_network(page: str, reading: Reading) -> None:
    assert reading.attributes("script") == []
    addresses = [
        value
        for tag, attributes in reading.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "data") and tag != "a"
    ]
    assert addresses == ["data:,"]
    assert "url(" not in page
    assert "@import" not in page
    policy = reading.attributes("meta")
    assert any("default-src 'none'" in str(attributes.get("content")) for attributes in policy)


def test_what_the_files_hold_is_text(page: str, reading: Reading) -> None:
    assert "<script" not in page
    assert "</title><script>" in "".join(reading.said)


def test_every_chart_has_a_sentence_over_it_and_a_table_under_it(reading: Reading) -> None:
    figures = len(ROWS)
    assert len(reading.attributes("figure")) == len(reading.attributes("figcaption")) == figures
    assert len(reading.attributes("svg")) == len(reading.attributes("details")) == figures
    assert sum(attributes.get("role") == "img" for attributes in reading.attributes("div")) == figures
    assert all(attributes.get("scope") == "col" for attributes in reading.attributes("th"))
    said = " ".join(reading.said)
    for answer in report().answers:
        assert answer.finding in said


def test_the_numbers_of_the_charts_stand_in_the_tables(reading: Reading) -> None:
    said = [text.strip() for text in reading.said]
    for value in ("4,294", "2018-11-29 17:00", "101.25", "Björk", "unknown"):
        assert value in said


def test_every_colour_has_its_dark_one(page: str) -> None:
    of_the_system, of_the_frame = page.partition("@media screen and (prefers-color-scheme: dark)")[2].split(
        '[data-theme="light"]', 1
    )
    for dark in (of_the_system, of_the_frame):
        for name, (light, on_dark) in COLOURS.items():
            assert f"--{name}: {on_dark};" in dark
            assert f'.chart [fill="{light}"] {{ fill: {on_dark}; }}' in dark


def test_a_chart_is_an_image_with_a_name_and_its_parts_are_not_told(reading: Reading) -> None:
    images = [attributes for attributes in reading.attributes("div") if attributes.get("role") == "img"]
    assert images
    assert all(attributes.get("aria-label") for attributes in images)
    drawn = reading.attributes("svg")
    assert len(drawn) == len(images)
    assert all(attributes.get("aria-hidden") == "true" for attributes in drawn)


def test_the_page_says_of_what_dates_it_is_when_it_was_made_and_by_which_run(reading: Reading) -> None:
    said = " ".join("".join(reading.said).split())
    for words in ("What was played, 1 to 30 November 2018", "Made on 1 December 2018, 01:02 UTC", "manual__7",
                  "6,820 plays", "96 listeners", "30 log dates", "0.015% of the plays are of a song in the catalogue",
                  "Covers 300 loads up to 1 December 2018, 00:05 UTC"):  # fmt: skip
        assert words in said


def test_broken_checks_are_named_with_their_dates(reading: Reading) -> None:
    said = " ".join(" ".join(reading.said).split())
    assert "staging_events.volume_is_usual warning 4 2018-11-01 to 2018-11-29" in said


def test_where_no_check_is_broken_the_page_says_so() -> None:
    assert "Every data-quality check passed" in page_of(report({}, warnings=[]))


def test_an_empty_warehouse_is_said_in_words() -> None:
    nothing = {"first_log_date": None, "last_log_date": None, "log_dates": 0, "plays": 0, "matched": 0, "listeners": 0}
    page = page_of(report({name: [] for name in ROWS}, scope=nothing, warnings=[]))
    assert "There is nothing to tell yet" in page
    assert "<svg" not in page


def test_a_question_without_an_answer_is_said_in_words_beside_the_others() -> None:
    page = page_of(report({"level_changes": [], "top_artists": ROWS["top_artists"]}))
    assert "No event answers this yet." in page
    assert page.count("<svg") == 1


def test_a_question_of_no_section_comes_last_with_a_chart() -> None:
    page = page_of(report({"skips": [{"song": "Undo", "plays": 2}], "top_artists": ROWS["top_artists"]}))
    assert re.findall(r'<h2 id="section-\d+">(.+)</h2>', page) == ["What", "More"]
    assert page.count("<svg") == 2


def test_every_question_stands_in_one_section() -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(ROWS)


def test_the_data_hold_what_the_page_shows() -> None:
    data = json.loads(report().as_json())
    assert data["made_at"] == "2018-12-01T01:02:03Z"
    assert data["scope"]["first_log_date"] == "2018-11-01"
    answers = {answer["name"]: answer for answer in data["answers"]}
    assert answers["busiest_hours"]["rows"][0] == {"starts_at": "2018-11-29T17:00:00", "plays": 47, "listeners": 9}
    assert answers["most_played_songs"]["rows"][0]["title"] == NASTY
    assert answers["top_artists"]["finding"].startswith("Coldplay and Kings Of Leon")
    assert data["warnings"][0]["offending"] == 4


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '"x"'])
def test_data_that_are_no_reports_tell_of_nothing(broken: str) -> None:
    assert loads_told_by(broken) == (None, None)


def test_what_a_report_tells_of_is_read_from_its_data() -> None:
    assert loads_told_by(report().as_json()) == ({"loads": 300, "last_load_at": "2018-12-01T00:05:30"}, "manual__7")


def test_page_and_json_hold_no_character_that_they_may_not() -> None:
    rows = [{"artist": text, "plays": 9, "listeners": 2} for text in ODD_TEXTS]
    made = report({"top_artists": rows})
    page = page_of(made)
    page.encode()
    assert NO_CHARACTER.search(page) is None
    assert "colours \ufffd[31m" in page
    data = made.as_json()
    data.encode()
    assert {unicodedata.category(one) for one in data.replace("\n", "")} & OBEYED == set()
    assert [row["artist"] for row in json.loads(data)["answers"][0]["rows"]] == list(ODD_TEXTS)
