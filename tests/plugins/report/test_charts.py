"""The charts: an SVG that names its axes, in the palette's colours, right in every time zone and size."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sparkify.report.charts import MOST_BARS, MOST_DAYS, chart_of
from sparkify.report.drawing import draw
from sparkify.report.palette import COLOURS
from sparkify.report.questions import Question
from tests.plugins.report.answers import ROWS, question
from tests.security.hostile import ODD_TEXTS, TEXTS

pytestmark = pytest.mark.report

AXES = {
    "browsers": {"Browser and platform", "Listeners"},
    "busiest_hours": {"Hour (UTC)", "Plays"},
    "level_changes": {"Day (UTC)", "Users: to paid above the line, to free below"},
    "match_rate": {"Month (UTC)", "Plays"},
    "most_played_songs": {"Song and artist", "Plays"},
    "plays_by_day": {"Day (UTC)", "Plays"},
    "plays_by_hour": {"Hour of the day (UTC)", "Plays"},
    "plays_by_level_and_gender": {"Level", "Plays"},
    "plays_by_weekday": {"Day of the week (UTC)", "Plays"},
    "session_length": {"Level", "Median length (minutes)"},
    "top_artists": {"Artist", "Plays"},
    "top_locations": {"Place", "Plays"},
}
LIGHT = {light for light, _ in COLOURS.values()}


def svgs_of(asked: Sequence[tuple[Question, list[dict[str, Any]]]]) -> list[str]:
    """The charts of these questions and rows, drawn by one process."""
    svgs = []
    for drawing in draw([chart_of(*one) for one in asked]):
        assert drawing.svg is not None, drawing.problem
        svgs.append(drawing.svg)
    return svgs


def svg_of(asked: Question, rows: list[dict[str, Any]]) -> str:
    (svg,) = svgs_of([(asked, rows)])
    return svg


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    """The chart of each question."""
    return dict(zip(ROWS, svgs_of([(question(name), rows) for name, rows in ROWS.items()]), strict=True))


def elements(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))  # noqa: S314


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in elements(svg, "text")]


def bars(svg: str) -> int:
    return sum(path.get("fill") in (COLOURS["bar"][0], COLOURS["soft"][0]) for path in elements(svg, "path"))


def days(number: int) -> list[dict[str, Any]]:
    return [{"day": date(2018, 11, 1) + timedelta(n), "plays": 5 + n % 7, "active_users": 2} for n in range(number)]


@pytest.mark.parametrize("name", ROWS)
def test_a_chart_names_its_axes_and_has_no_colour_that_does_not_turn_dark(drawn: dict[str, str], name: str) -> None:
    svg = drawn[name]
    assert set(texts(svg)) >= AXES[name]
    assert set(re.findall(r'(?:fill|stroke)="(?!none|transparent)([^"]+)"', svg)) <= LIGHT


def test_no_two_colours_are_the_same_in_light_for_each_is_turned_by_itself() -> None:
    assert len(LIGHT) == len(COLOURS)


def test_what_is_in_the_data_is_text_in_the_chart() -> None:
    rows: list[dict[str, Any]] = [{"artist": "<script>alert(1)</script>", "plays": 2}, {"artist": None, "plays": 1}]
    svg = svg_of(question("top_artists"), rows)
    assert "<script" not in svg
    assert "<script>alert(1)</script>" in texts(svg)
    assert "unknown" in texts(svg)


@pytest.mark.parametrize("name", ["most_played_songs", "top_locations", "browsers", "plays_by_level_and_gender"])
def test_any_text_is_drawn(name: str) -> None:
    odd = [*TEXTS, *ODD_TEXTS, *map(chr, range(0x20)), "\ufffe", "x" * 100_000]
    texts_of_row = [column for column, value in ROWS[name][0].items() if isinstance(value, str)]
    charts = [chart_of(question(name), [ROWS[name][0] | dict.fromkeys(texts_of_row, text)]) for text in odd]
    for text, drawing in zip(odd, draw(charts), strict=True):
        assert drawing.svg is not None, (text, drawing.problem)
        assert "Plays" in texts(drawing.svg) or "Listeners" in texts(drawing.svg)


def test_what_no_drawing_may_hold_is_replaced() -> None:
    svg = svg_of(question("top_artists"), [{"artist": "a\x1b[31m\ud83d\0b", "plays": 1}])
    assert "a\ufffd[31m\ufffd\ufffdb" in texts(svg)


def test_days_too_far_from_the_others_are_left_out_and_it_is_said() -> None:
    odd = [{"day": date(1, 1, 1), "plays": 1, "active_users": 1}, {"day": date.max, "plays": 2, "active_users": 1}]
    svg = svg_of(question("plays_by_day"), [odd[0], *days(5), odd[1]])
    assert bars(svg) == 5
    assert "Day (UTC), without 2 far from these" in texts(svg)
    changes = [{"day": row["day"], "upgrades": 1, "downgrades": 2} for row in (odd[0], *days(100), odd[1])]
    assert "Month (UTC), without 2 far from these" in texts(svg_of(question("level_changes"), changes))


def test_the_longest_span_is_drawn_whole() -> None:
    rows = [days(1)[0], days(1)[0] | {"day": date(2018, 11, 1) + timedelta(MOST_DAYS - 1)}]
    svg = svg_of(question("plays_by_day"), rows)
    assert "Day (UTC)" in texts(svg)
    assert len(svg) < 500_000


def test_no_more_bars_are_drawn_than_one_reads() -> None:
    rows: list[dict[str, Any]] = [{"artist": f"A{number}", "plays": 5000 - number} for number in range(5000)]
    assert bars(svg_of(question("top_artists"), rows)) == MOST_BARS
    months = [f"{1 + number // 12:04}-{1 + number % 12:02}" for number in range(5000)]
    parts = {"plays": 2, "matched": 1, "matched_percent": 50}
    svg = svg_of(question("match_rate"), [{"month": month, **parts} for month in months])
    assert len(svg) < 200_000


def test_an_hour_and_a_weekday_without_plays_keep_their_place(drawn: dict[str, str]) -> None:
    assert {"Mon", "Sun"} <= set(texts(drawn["plays_by_weekday"]))
    assert {"0", "21"} <= set(texts(drawn["plays_by_hour"]))


def test_a_day_without_plays_keeps_its_place(drawn: dict[str, str]) -> None:
    assert bars(drawn["plays_by_day"]) == 4


@pytest.mark.parametrize("number", [1, 2, 70, 71, 6000])
def test_any_number_of_days_is_drawn_and_none_of_them_makes_it_large(number: int) -> None:
    changes = [{"day": row["day"], "upgrades": 1, "downgrades": 2} for row in days(number)]
    plays, levels = svgs_of([(question("plays_by_day"), days(number)), (question("level_changes"), changes)])
    assert "Plays" in texts(plays)
    assert len(plays) < 300_000
    assert {"to paid", "to free", f"{'Month' if number > 70 else 'Day'} (UTC)"} <= set(texts(levels))
    assert len(levels) < 200_000


def test_a_question_nobody_drew_a_chart_for_has_bars_of_its_column() -> None:
    rows = [{"song": "Undo", "plays": 3}, {"song": "Jóga", "plays": 1}]
    svg = svg_of(question("skips"), rows)
    assert {"Song", "Plays", "Undo", "Jóga", "3"} <= set(texts(svg))


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move this process, and those that it starts, into a time zone."""

    def to(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield to
    monkeypatch.undo()
    time.tzset()


def test_a_chart_is_the_same_in_every_time_zone(move: Callable[[str], None]) -> None:
    drawn = []
    for zone in ("UTC", "America/Los_Angeles"):
        move(zone)
        drawn.append(svgs_of([(question("plays_by_day"), days(number)) for number in (5, 100)]))
    assert drawn[0] == drawn[1]
    assert "1 Nov" in drawn[0][0]


def test_the_hours_that_are_named_are_those_of_the_rows() -> None:
    rows = [{"starts_at": datetime.fromisoformat("2018-11-29T17:00"), "plays": 47}]
    assert "Thu 29 Nov, 17:00" in texts(svg_of(question("busiest_hours"), rows))
