"""How a check file is read and its result told."""

from __future__ import annotations

import pytest

from sparkify.checks import Check, CheckResult
from sparkify.exceptions import SettingsError

TEXT = """
-- severity: warn
-- proves: a song is one row

select song_id
from songs;
"""


def test_a_check_is_its_header_and_one_select() -> None:
    check = Check.parse("songs.id_is_unique", TEXT)
    assert check == Check("songs.id_is_unique", "warn", "a song is one row", "select song_id\nfrom songs")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select 1", "lacks '-- severity: …'"),
        ("-- severity: error\nselect 1", "lacks '-- proves: …'"),
        ("-- severity: fatal\n-- proves: x\nselect 1", "severity 'fatal' is unknown. Use one of error, warn"),
        ("-- severity: warn\n-- proof: x\nselect 1", "the header's key 'proof' is unknown. Known are severity, proves"),
    ],
)
def test_a_wrong_header_is_refused_naming_the_check(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"Check songs.x: .*{sentence}"):
        Check.parse("songs.x", text)


@pytest.mark.parametrize(
    ("severity", "offending", "passed", "fails"),
    [
        ("error", 0, True, False),
        ("error", 1, False, True),
        ("warn", 1, False, False),
        ("warn", None, False, True),
        ("error", None, False, True),
    ],
)
def test_only_a_count_of_none_passes_and_what_could_not_run_fails(
    severity: str, offending: int | None, passed: bool, fails: bool
) -> None:
    result = CheckResult(Check("x.y", severity, "z", "select 1"), offending)
    assert (result.passed, result.fails_the_task) == (passed, fails)


def test_a_broken_check_is_told_with_its_rows() -> None:
    check = Check("users.level_is_known", "error", "every level is free or paid", "select 1")
    result = CheckResult(check, 2, ["user_id", "level"], [(7, "gold"), (8, None)])
    assert str(result) == (
        "users.level_is_known (error): 2 row(s) against: every level is free or paid\n"
        "    user_id=7, level=gold\n"
        "    user_id=8, level=None"
    )
    assert result.sample_json() == '[{"user_id": 7, "level": "gold"}, {"user_id": 8, "level": null}]'
