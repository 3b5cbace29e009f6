"""No text, wherever it comes from, is obeyed by a log or a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from sparkify.loading.checks import Check, CheckResult
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.refused_lines import LoadError
from sparkify.loading.shown import OBEYED, shown, shown_json
from tests.security.hostile import ODD_TEXTS

EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Björk · 漢字 😀", "Björk · 漢字 😀"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egnp.exe\u2028", "\\u202egnp.exe\\u2028"),
        ("x\ud83d", "x\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
        ("\\x1b", "\\x1b"),
    ],
)
def test_what_a_screen_obeys_is_an_escape_and_all_else_stays(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(expected) == expected


def test_no_character_that_is_shown_is_obeyed() -> None:
    assert {unicodedata.category(one) for one in shown(EVERY_CHARACTER)} & OBEYED == set()
    shown(EVERY_CHARACTER).encode()


def test_json_keeps_its_values() -> None:
    text = shown_json(json.dumps([EVERY_CHARACTER], indent=1, ensure_ascii=False))
    assert {unicodedata.category(one) for one in text.replace("\n", "")} & OBEYED == set()
    # JSON takes two halves that meet for the whole.
    assert json.loads(text) == json.loads(json.dumps([EVERY_CHARACTER]))


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_errors_and_findings_show_odd_text(text: str) -> None:
    check = Check("events.level_is_known", "warn", "every level is known", "select 1")
    told = [
        str(LoadError(f"s3://b/{text}.json", 1, text, text, text, text)),
        str(CheckResult(check, 1, (text,), ((text,),))),
        str(CheckResult(check, None, error=text)),
        *(str(kind(f"Refused: {text}")).replace("\n", "") for kind in (DataError, SettingsError, Unavailable)),
    ]
    for sentence in told:
        assert shown(text).replace("\\n", "") in sentence.replace("\\n", "").replace("\n    ", "")
        assert {unicodedata.category(one) for one in sentence.replace("\n    ", "")} & OBEYED == set()


def test_a_sentence_of_several_lines_keeps_them() -> None:
    assert str(DataError("two lines:\n  \x1b[31m")) == "two lines:\n  \\x1b[31m"
