"""The page: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sparkify.report import wording
from sparkify.report.charts import svg_of
from sparkify.report.contents import Answer, Report
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


def page_of(report: Report) -> str:
    """The report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(wording, name) for name in ("cell", "day", "moment", "number")}
    return environment.get_template("page.html.jinja").render(
        report=report,
        sections=_sections(report.answers),
        tiles=_tiles(report),
        span=_span(report),
        colours=COLOURS,
        charts={answer.question.name: _chart(answer) for answer in report.answers if answer.rows},
    )


def _chart(answer: Answer) -> Markup:
    # Vega has escaped what the data hold.
    return Markup(svg_of(answer.question, answer.rows))  # noqa: S704


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
