"""`verify` knows what COPY takes, and what it leaves out."""

from __future__ import annotations

import pytest

from tests.field.cases import Case, tried
from tests.field.conftest import EQUAL, Ground


@pytest.mark.parametrize("case", tried(7))
def test_what_is_too_long_or_too_large_is_left_out(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    for log_date in case.log_dates():
        ground.pipeline.run(log_date, max_bad_lines=10)
    assert ground.pipeline.rows("select count(*) from staging_rejects") != [(0,)]
    assert ground.pipeline.rows("select count(*) from staging_events") != [(0,)]
    code, said = ground.verify(case.delivery(), "--skip-unreadable")
    assert (code, said.splitlines()[-1]) == (0, EQUAL)
    left_out = ground.pipeline.rows("select count(*) from staging_rejects")[0][0]
    assert f"Unreadable and left out: {left_out} record(s)." in said


@pytest.mark.parametrize("case", tried(7))
def test_what_is_too_long_or_too_large_is_named_by_file_line_and_field(case: Case, ground: Ground) -> None:
    code, said = ground.verify(case.delivery())
    assert code == 1
    assert ", line " in said
    assert ", field " in said
    assert "or give --skip-unreadable" in said


@pytest.mark.parametrize("case", tried(8))
def test_booleans_and_nested_values_are_the_text_that_was_loaded(case: Case, ground: Ground) -> None:
    ground.seed(case.delivery())
    for log_date in case.log_dates():
        ground.pipeline.run(log_date)
    for options in ((), ("--skip-unreadable",)):
        code, said = ground.verify(case.delivery(), *options)
        assert (code, said.splitlines()[-1]) == (0, EQUAL)
