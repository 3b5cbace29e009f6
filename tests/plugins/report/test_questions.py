"""A question's file: what its header says, and the statement without it."""

from __future__ import annotations

import jinja2

from local import ask
from sparkify.report.questions import Question

TEXT = "-- question: Who\n-- question: plays?\n-- note: By day.\n-- bar: plays\n\nselect 1 as plays -- bar: x\n;\n"


def test_a_header_of_several_lines_is_one_text_and_the_rest_is_the_statement() -> None:
    question = Question.parse("analytics/who_plays.sql", TEXT)
    assert question == Question("who_plays", "Who plays?", "By day.", "plays", "select 1 as plays -- bar: x")


def test_every_file_says_the_same_here_and_on_the_command_line() -> None:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(ask.SQL), autoescape=False)
    for name, known in ask.questions().items():
        file = f"analytics/{name}.sql"
        question = Question.parse(file, environment.get_template(file).render())
        assert (question.name, question.words, question.note, question.bar) == (
            known.name, known.words, known.note, known.bar,
        )  # fmt: skip
        assert question.sql.startswith(("select", "with"))
