from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from local import summary, terminal
from local.errors import RunFailedError, sentence
from local.query import Result
from local.stack.home import Home
from sparkify.loading.shown import OBEYED
from tests.security.hostile import ODD_TEXTS


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_nothing_that_is_told_is_obeyed_by_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.tell(sentence(RunFailedError(f"1 of 1 runs failed.\n  {text}")))
    with terminal.board() as tell:
        tell("home", text)
    told = capsys.readouterr().err.replace("\n", "")
    assert {unicodedata.category(one) for one in told} & OBEYED == set()
    assert "1 of 1 runs failed." in told


def test_the_demo_shows_titles_that_a_terminal_would_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[list[Any]] = [
        [(table, 1) for table in summary._TABLES],
        [(9, "\x1b[31mRed", "\u202egnp")],
        [(0, 9)],
    ]
    monkeypatch.setattr("local.query.run", lambda *_: Result([], answers.pop(0), 0))
    home = Home.find()
    assert "           9  \\x1b[31mRed, by \\u202egnp" in summary.of_warehouse(home)
