from __future__ import annotations

import datetime
import json
import unicodedata
from decimal import Decimal

import pytest

from local.errors import LocalStackError
from local.query import FORMATS, Result, formatted, run
from sparkify.loading.shown import OBEYED
from tests.conftest import RunningStack
from tests.security.hostile import ODD_TEXTS

RESULT = Result(
    ["name", "plays", "share", "day"],
    [["Wed, née", 1364, Decimal("0.20000"), datetime.date(2018, 11, 7)], [None, 5, None, None]],
    2,
)


def test_a_table_has_aligned_columns_with_numbers_to_the_right() -> None:
    assert formatted(RESULT, "table").splitlines() == [
        "name      plays    share  day",
        "--------  -----  -------  ----------",
        "Wed, née   1364  0.20000  2018-11-07",
        "              5",
        "(2 rows)",
    ]


def test_csv_has_a_header_and_quotes_what_needs_it() -> None:
    assert formatted(RESULT, "csv") == 'name,plays,share,day\n"Wed, née",1364,0.20000,2018-11-07\n,5,,'


def test_json_is_a_list_of_objects_with_numbers_as_numbers() -> None:
    assert json.loads(formatted(RESULT, "json")) == [
        {"name": "Wed, née", "plays": 1364, "share": 0.2, "day": "2018-11-07"},
        {"name": None, "plays": 5, "share": None, "day": None},
    ]


def test_a_number_too_long_for_a_double_stays_exact_in_json() -> None:
    long = Decimal("12345678901234567.12345")
    assert json.loads(formatted(Result(["n"], [[long]], 1), "json")) == [{"n": str(long)}]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_no_format_prints_what_a_terminal_obeys_and_json_keeps_it(text: str) -> None:
    result = Result([f"name {text}", "n"], [[text, 1]], 1)
    for style in FORMATS:
        printed = formatted(result, style).replace("\n", "")
        assert {unicodedata.category(one) for one in printed} & OBEYED == set(), style
        printed.encode()
    assert json.loads(formatted(result, "json")) == json.loads(json.dumps([{f"name {text}": text, "n": 1}]))


def test_a_text_that_a_spreadsheet_takes_for_a_formula_has_an_apostrophe_in_csv() -> None:
    texts = ["=1+1", "+1", "-1", "@A1", "'", "1"]
    numbers = [-1, Decimal("-0.5"), -0.25]
    result = Result(["=a"], [[value] for value in (*texts, *numbers)], 9)
    lines = formatted(result, "csv").splitlines()
    assert lines == ["'=a", "'=1+1", "'+1", "'-1", "'@A1", "'", "1", "-1", "-0.5", "-0.25"]
    assert [row["=a"] for row in json.loads(formatted(result, "json"))][:4] == texts[:4]


@pytest.mark.parametrize(("style", "text"), [("table", "n\n-\n(0 rows)"), ("csv", "n"), ("json", "[]")])
def test_no_rows_are_shown_as_such(style: str, text: str) -> None:
    assert formatted(Result(["n"], [], 0), style) == text


def test_a_statement_goes_through_amazons_driver_to_the_warehouse(stack: RunningStack) -> None:
    result = run(stack.home, "select 1 as one, 'a' as letter")
    assert (result.columns, result.rows) == (["one", "letter"], [[1, "a"]])


def test_what_a_statement_changes_stays(stack: RunningStack) -> None:
    run(stack.home, "create table kept_by_sql (n integer)")
    run(stack.home, "insert into kept_by_sql values (7)")
    assert run(stack.home, "select n from kept_by_sql").rows == [[7]]
    run(stack.home, "drop table kept_by_sql")


def test_a_refused_statement_is_a_sentence_with_the_warehouses_reason(stack: RunningStack) -> None:
    with pytest.raises(LocalStackError, match='refused the statement: relation "nowhere" does not exist'):
        run(stack.home, "select * from nowhere")
