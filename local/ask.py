"""`python -m local ask`: the questions of `include/sql/analytics`, and their answers with bars."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence

import jinja2
from rich.cells import cell_len, set_cell_size

from local import query, terminal
from local.errors import UsageError
from local.query import NoSuchTableError, Result
from local.stack.home import PROJECT, Home
from local.summary import bar
from sparkify.loading.shown import shown
from sparkify.report.questions import Question

SQL = PROJECT / "include" / "sql"
_WIDEST = 36
_NOTHING = (
    "There is nothing yet that answers this. Load log dates by `python -m local backfill FIRST LAST`, or a made-up "
    "month by `python -m local demo`."
)


def questions() -> dict[str, Question]:
    """Every question by its name, in the names' order; its SQL is rendered as Airflow renders it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
    )
    files = sorted(f"analytics/{file.name}" for file in (SQL / "analytics").glob("*.sql"))
    found = [Question.parse(file, environment.get_template(file).render()) for file in files]
    return {question.name: question for question in found}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ask`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the question's name; without one all are listed")
    parser.add_argument("--format", choices=query.FORMATS, default="table", help="(default table)")


def run(home: Home, options: argparse.Namespace) -> int:
    """Answer a question, or list all."""
    if options.name is None:
        listed: list[Sequence[str]] = [(one.name, one.words) for one in questions().values()]
        print(query.formatted(Result(["name", "question"], listed, len(listed)), options.format))
        return 0
    question = _named(options.name)
    try:
        answer = query.run(home, question.sql)
    except NoSuchTableError:
        answer = Result([], [], 0)
    if options.format == "table":
        print("\n".join(filter(None, [question.words, question.note])), end="\n\n")
        print(query.formatted(_with_bars(answer, question.bar), "table") if answer.rows else _NOTHING)
        return 0
    print(query.formatted(answer, options.format))
    if not answer.rows:
        terminal.tell(_NOTHING)
    return 0


def _named(name: str) -> Question:
    known = questions()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    near += [other for other in known if name in other and other not in near]
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(f"There is no question {name!r}. {hint}`python -m local ask` lists them all.")


def _with_bars(answer: Result, column: str) -> Result:
    """The answer to look at: with a bar a row, and texts and fractions cut to what one reads."""
    at = answer.columns.index(column)
    # A share is of the whole, not of the largest share.
    most = 100 if column.endswith("_percent") else max(row[at] for row in answer.rows)
    rows: list[Sequence[object]] = [[*map(_short, row), bar(row[at], most)] for row in answer.rows]
    return Result([*answer.columns, ""], rows, answer.affected)


def _short(value: object) -> object:
    if isinstance(value, str):
        text = shown(value)
        return text if cell_len(text) <= _WIDEST else set_cell_size(text, _WIDEST - 1) + "…"
    return round(value, 2) if isinstance(value, float) else value
