"""A chart that the renderer cannot take is a sentence, and the others are drawn."""

from __future__ import annotations

from typing import Any

import pytest

from sparkify.report import drawing
from sparkify.report.charts import chart_of
from sparkify.report.drawing import draw
from sparkify.report.page import page_of
from sparkify.report.questions import Question
from tests.plugins.report.answers import ROWS, question, report

SOUND = chart_of(question("top_artists"), ROWS["top_artists"])
# As the charts' own texts never are: a control that no XML holds, for which the renderer ends its process.
FATAL: dict[str, Any] = {
    "data": {"values": [{"name": "\x1b[31m", "plays": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "plays"}, "y": {"field": "name", "type": "nominal"}},
}


def test_a_chart_that_ends_the_renderer_stops_none_of_the_others() -> None:
    drawn = draw([SOUND, FATAL, FATAL, SOUND, {"mark": "no such mark"}, SOUND])
    assert [bool(one.svg) for one in drawn] == [True, False, False, True, False, True]
    assert "the renderer ended with -6" in drawn[1].problem
    assert drawn[4].problem
    assert all(one.svg or one.problem for one in drawn)


def test_a_renderer_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "SECONDS", 0.01)
    assert [one.problem for one in draw([SOUND])] == ["the renderer took more than 0.01 seconds"]


def test_nothing_to_draw_takes_no_renderer() -> None:
    assert draw([]) == []


def test_the_page_says_what_could_not_be_drawn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def one_is_fatal(asked: Question, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return FATAL if asked.name == "top_artists" else chart_of(asked, rows)

    monkeypatch.setattr("sparkify.report.page.chart_of", one_is_fatal)
    page = page_of(report())
    assert page.count("This chart could not be drawn: the renderer ended with -6") == 1
    assert "Its numbers are in the table below it." in page
    assert page.count("<svg") == len(ROWS) - 1
    assert "The chart of top_artists could not be drawn" in caplog.text
