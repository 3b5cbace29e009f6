from __future__ import annotations

import pytest

from tests.field.cases import OWN, cases

NUMBERS = sorted({int(folder.name[:2]) for folder in OWN.iterdir()})


@pytest.mark.parametrize("number", NUMBERS)
def test_a_case_has_files_of_its_own(number: int) -> None:
    own = cases(number)[0]
    assert own.folder.parent == OWN
    for delivery in own.folder.iterdir():
        assert own.files(delivery.name), delivery


def test_a_case_without_files_of_its_own_is_not_passed_over() -> None:
    with pytest.raises(FileNotFoundError, match="Case 99 has no inputs of its own"):
        cases(99)


def test_log_dates_are_those_in_the_names_of_the_files() -> None:
    assert [str(log_date) for log_date in cases(0)[0].log_dates("1")] == ["2021-05-03", "2021-05-04"]
