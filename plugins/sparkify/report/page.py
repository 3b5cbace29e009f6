"""Renders the report as one HTML file with everything in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from sparkify.loading.shown import shown
from sparkify.report import wording
from sparkify.report.charts import chart_of
from sparkify.report.contents import Answer, Report
from sparkify.report.drawing import Drawing, draw
from sparkify.report.palette import COLOURS

FOLDER = Path(__file__).parent
# What belongs together, in the order in which one asks; a question that is in none comes last.
SECTIONS: dict[str, tuple[str, ...]] = {
    "When": ("plays_by_day", "plays_by_weekday", "plays_by_hour", "busiest_hours"),
    "What": ("most_played_songs", "top_artists", "match_rate"),
    "Who, and from where": (
        "plays_by_level_and_gender", "session_length", "level_changes", "browsers", "top_locations",
    ),
}  # fmt: skip
OTHERS = "More"
log = logging.getLogger(__name__)


def page_of(report: Report) -> str:
    """The report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(wording, name) for name in ("cell", "day", "moment", "number")}
    drawn = [answer for answer in report.answers if answer.rows]
    drawings = draw([chart_of(answer.question, answer.rows) for answer in drawn])
    return environment.get_template("page.html.jinja").render(
        report=report,
        sections=_sections(report.answers),
        tiles=_tiles(report),
        span=_span(report),
        colours=COLOURS,
        charts={answer.question.name: _chart(answer, drawing) for answer, drawing in zip(drawn, drawings, strict=True)},
    )


def _chart(answer: Answer, drawing: Drawing) -> Markup:
    if drawing.svg is None:
        problem = shown(drawing.problem)
        log.warning("The chart of %s could not be drawn: %s", answer.question.name, problem)
        return escape(f"This chart could not be drawn: {problem}. Its numbers are in the table below it.")
    # The element around it says in words what it is; the roles that Vega gives its groups have no name.
    # Vega has escaped what the data hold.
    return Markup(drawing.svg.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704


def _printable(value: Any) -> Any:
    return wording.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _sections(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    left = {answer.question.name: answer for answer in answers}
    sections = {title: [left.pop(name) for name in names if name in left] for title, names in SECTIONS.items()}
    return {title: found for title, found in (sections | {OTHERS: list(left.values())}).items() if found}


def _tiles(report: Report) -> list[tuple[str, str]]:
    """The numbers on top, each with what it counts."""
    scope: Any = report.scope
    return [
        (wording.number(scope["plays"]), "plays"),
        (wording.number(scope["listeners"]), "listeners"),
        (wording.number(scope["log_dates"]), "log dates"),
        (wording.percent(scope["matched"], scope["plays"]), "of the plays are of a song in the catalogue"),
    ]


def _span(report: Report) -> str:
    first, last = report.scope["first_log_date"], report.scope["last_log_date"]
    return wording.span(first, last) if first and last else ""
