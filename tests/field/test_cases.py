from __future__ import annotations

import re

import pytest

from tests.field.cases import GIVEN, OWN, cases
from tests.pipeline import PROJECT

NUMBERS = sorted({int(folder.name[:2]) for folder in OWN.iterdir()})
# Cases of settings, which hold no files.
TRIED_IN = {
    12: ("plugins/loading/test_log_dates.py", "plugins/loading/test_source.py", "local/test_cli.py"),
    13: ("field/test_connections.py", "plugins/loading/test_warehouse_connection.py"),
    14: ("field/test_connections.py", "plugins/loading/test_aws.py", "plugins/loading/test_settings.py"),
    19: ("dags/test_time_zones.py",),
    22: ("local/stack/test_environment.py", "e2e/test_shell.py", "test_makefile.py"),
}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_case_has_files_of_its_own(number: int) -> None:
    own = cases(number)[0]
    assert own.folder.parent == OWN
    for delivery in own.folder.iterdir():
        assert own.files(delivery.name), delivery


def test_every_case_is_tried() -> None:
    """Also each of those that lie beside the project, where they are there."""
    given = {int(folder.name[:2]) for folder in GIVEN.glob("[0-9][0-9]-*")}
    assert given | set(range(24)) == {*NUMBERS, *TRIED_IN}
    tests = [PROJECT / "tests" / name for names in TRIED_IN.values() for name in names]
    assert [test for test in tests if not test.is_file()] == []
    tried = "".join(test.read_text() for test in (PROJECT / "tests" / "field").glob("test_*.py"))
    assert [number for number in NUMBERS if not re.search(rf"(tried|deliveries)\(.*\b{number}\b.*\)", tried)] == []


def test_a_case_without_files_of_its_own_is_not_passed_over() -> None:
    with pytest.raises(FileNotFoundError, match="Case 99 has no inputs of its own"):
        cases(99)


def test_log_dates_are_those_in_the_names_of_the_files() -> None:
    assert [str(log_date) for log_date in cases(0)[0].log_dates("1")] == ["2021-05-03", "2021-05-04"]
