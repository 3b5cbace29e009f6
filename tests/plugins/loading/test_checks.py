"""How a check file is read and its result told."""

from __future__ import annotations

import json
import re

import pytest

from sparkify.loading.checks import Check, CheckResult
from sparkify.loading.exceptions import SettingsError

FILE = "quality/songs/x.sql"
HEADER = "-- name: songs.x\n-- severity: warn\n-- proves: a song is one row\n"


def test_a_check_is_its_header_and_one_select() -> None:
    check = Check.parse(FILE, f"\n{HEADER}\nselect song_id\nfrom songs;\n")
    assert check == Check("songs.x", "warn", "a song is one row", "select song_id\nfrom songs")
    of_table = Check.parse(FILE, f"{HEADER}-- if_written: songs\nselect 1")
    assert of_table == Check("songs.x", "warn", "a song is one row", "select 1", "songs")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select 1", "the header lacks '-- name: …'. Add it"),
        ("-- name: songs.x\nselect 1", "the header lacks '-- severity: …'"),
        ("-- name: songs.x\n-- severity: error\nselect 1", "the header lacks '-- proves: …'"),
        (HEADER.replace("warn", "fatal") + "select 1", "severity 'fatal' is unknown. Use one of error, warn"),
        (HEADER.replace("songs.x", "songs.y") + "select 1", "its header names it 'songs.y'. Name it 'songs.x'"),
        (HEADER + "-- owner: me\nselect 1", "the header's key 'owner' is unknown. Known are name, severity, proves"),
        (HEADER + "-- severity: error\nselect 1", "the header has '-- severity: …' twice"),
        (HEADER + "-- if_written: songs'\nselect 1", 'if_written "songs\'" is no name of a table'),
    ],
)
def test_a_wrong_header_is_refused_naming_the_file(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"Check {FILE}: {sentence}")):
        Check.parse(FILE, text)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("", "no statement follows the header. Write one SELECT"),
        ("-- only a remark", "no statement follows the header"),
        ("{% import 'm.sql' as m %}", "no statement follows the header"),
        ("delete from songs", "its statement begins with DELETE"),
        ("'text'", "its statement begins with ?"),
        ("select 1; select 2", "it holds several statements"),
        ("select 1; delete from songs;", "it holds several statements"),
        ("with a as (select 1) delete from songs", "DELETE stands in its statement, and a check only reads"),
        ("with a as (insert into songs select 1) select 1", "INSERT stands in its statement"),
        ("select 1 as a into b", "INTO stands in its statement"),
        ("select 1 from songs for update", "UPDATE stands in its statement"),
    ],
)
def test_what_is_not_one_select_is_refused_naming_the_file(sql: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"Check {FILE}: {sentence}")):
        Check.parse(FILE, HEADER + sql)


def test_what_a_macro_fills_in_is_looked_at_once_it_is_rendered() -> None:
    assert Check.parse(FILE, HEADER + "{{ anything() }}").sql == "{{ anything() }}"
    with pytest.raises(SettingsError, match="its statement begins with DELETE"):
        Check.parse(FILE, HEADER + "delete from songs")


@pytest.mark.parametrize(
    "sql",
    [
        "{# delete; #}{% import 'm.sql' as m %}\nwith a as ({{ m.rows(';') }}) select * from a",
        "select replace(title, ';', 'delete') from songs -- insert; into",
        "(select 1) union all (select 2) /* ; update */",
        "select 'it''s; ' || 'a \\' delete' from songs -- don't insert",
        "select \"into\" from songs where title = '{{ log_dates.first }}'",
    ],
)
def test_words_in_texts_remarks_and_templates_are_no_statements(sql: str) -> None:
    assert Check.parse(FILE, HEADER + sql).sql == sql


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


def test_a_long_value_is_cut_and_the_sample_fits_its_column() -> None:
    check = Check("x.y", "warn", "z", "select 1")
    one = CheckResult(check, 1, ["value"], [("é" * 65_535,)])
    cut = "é" * 200 + "… (65535 characters)"
    assert str(one).endswith(f"value={cut}")
    assert one.sample_json() == f'[{{"value": "{cut}"}}]'
    columns = [f"c{number}" for number in range(100)]
    wide = CheckResult(check, 5, columns, [("😀" * 300,) * 50 + (None,) * 50] * 5)
    assert len(wide.sample_json().encode()) <= 65_535
    assert len(json.loads(wide.sample_json())) == 1
