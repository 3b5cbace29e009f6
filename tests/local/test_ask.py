from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from local import cli, query
from local.ask import questions
from tests.conftest import RunningStack
from tests.month import small_month
from tests.pipeline import WRITING, Pipeline


@pytest.fixture(scope="module")
def home(stack: RunningStack) -> Iterator[str]:
    """A home whose warehouse holds the small month where `ask` looks for it."""
    month = small_month()
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv, "public")
        pipeline.put(month.files)
        pipeline.run(month.first, month.last, only=WRITING)
    yield str(stack.home.folder)
    query.run(stack.home, "drop schema public cascade")
    query.run(stack.home, "create schema public")


@pytest.fixture
def loaded(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", home)


@pytest.fixture
def empty(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A warehouse without a table, whatever others made in this one."""
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    query.run(stack.home, "alter schema public rename to aside")
    query.run(stack.home, "create schema public")
    yield
    query.run(stack.home, "drop schema public")
    query.run(stack.home, "alter schema aside rename to public")


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["ask", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("name", ["plays_by_hour", "session_length"])
def test_a_warehouse_without_tables_says_that_there_is_nothing_yet(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "There is nothing yet that answers this. Load log dates by" in ask(capsys, name)


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(("style", "text"), [("csv", "\n"), ("json", "[]\n")])
def test_for_a_program_nothing_is_nothing(style: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "plays_by_hour", "--format", style]) == 0
    told = capsys.readouterr()
    assert told.out == text
    assert told.err.startswith("There is nothing yet")


def test_without_a_name_every_question_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(ask(capsys, "--format", "json"))
    assert listed == [{"name": name, "question": question.words} for name, question in questions().items()]
    text = ask(capsys)
    assert all(name in text and question.words in text for name, question in questions().items())


@pytest.mark.usefixtures("loaded")
def test_an_answer_is_a_table_under_its_question_with_a_bar_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "plays_by_hour").splitlines() == [
        "At which hours of the day (UTC) are songs played?",
        "",
        "hour  plays",
        "----  -----  " + "-" * 40,
        "   0      6  " + "█" * 9,
        "  12     28  " + "█" * 40,
        "  23      7  " + "█" * 10,
        "(3 rows)",
    ]


@pytest.mark.usefixtures("loaded")
def test_what_is_counted_is_said_where_it_is_not_plain(capsys: pytest.CaptureFixture[str]) -> None:
    question, note, blank, *_ = ask(capsys, "most_played_songs").splitlines()
    assert question == "Which ten songs are played most?"
    assert note.startswith("Counts every play, by the title and artist that its event names. Matched are those whose")
    assert blank == ""


@pytest.mark.usefixtures("loaded")
def test_a_long_text_is_cut_for_people_and_whole_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\nWashington-Arlington-Alexandria, DC…      3 " in ask(capsys, "top_locations")
    assert '"Washington-Arlington-Alexandria, DC-VA-MD-WV",3,1\n' in ask(capsys, "top_locations", "--format", "csv")


@pytest.mark.usefixtures("loaded")
def test_a_fraction_is_cut_for_people_and_whole_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert " 4.88  " in ask(capsys, "match_rate")
    (row,) = json.loads(ask(capsys, "match_rate", "--format", "json"))
    assert row == {"month": "2018-11", "plays": 41, "matched": 2, "matched_percent": pytest.approx(200 / 41)}


@pytest.mark.usefixtures("loaded")
def test_the_bar_of_a_percentage_is_a_part_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert " 4.88  ██\n" in ask(capsys, "match_rate")


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", questions())
def test_every_question_is_answered_as_csv(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = csv.reader(io.StringIO(ask(capsys, name, "--format", "csv")))
    assert questions()[name].bar in header
    assert rows


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("play_by_hour", "Did you mean plays_by_hour or "),
        ("artists", "Did you mean top_artists or "),
        ("zzz", "There is no question 'zzz'. `python -m local ask` lists them all."),
    ],
)
def test_an_unknown_name_is_exit_code_2_and_the_nearest_names(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ask", name]) == 2
    assert hint in capsys.readouterr().err.replace("\n", " ")


def test_a_header_is_the_first_lines_of_its_file() -> None:
    question = questions()["browsers"]
    assert (question.bar, question.note) == ("users", "A user who plays with two of them counts under both.")
