"""The SQL is found wherever a deployment puts it, and nowhere by chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkify.layout import include_folder

DAG = "dags/sparkify_daily.py"
NESTED_DAG = "dags/sparkify/sparkify_daily.py"
MODULE = "plugins/sparkify/loading/settings.py"


@pytest.mark.parametrize("include", ["include", "dags/include"])
@pytest.mark.parametrize("code", [DAG, NESTED_DAG, MODULE])
def test_include_is_found_beside_dags_and_inside_dags(tmp_path: Path, code: str, include: str) -> None:
    (tmp_path / include / "sql").mkdir(parents=True)
    assert include_folder(str(tmp_path / code)) == tmp_path / include


def test_the_nearest_include_is_taken(tmp_path: Path) -> None:
    for include in ("include", "dags/include"):
        (tmp_path / include / "sql").mkdir(parents=True)
    assert include_folder(str(tmp_path / DAG)) == tmp_path / "dags" / "include"


def test_another_projects_include_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dags" / "include").mkdir(parents=True)
    (tmp_path / "include" / "sql").mkdir(parents=True)
    assert include_folder(str(tmp_path / DAG)) == tmp_path / "include"


@pytest.mark.parametrize("code", [DAG, MODULE])
def test_without_include_the_error_says_where_it_belongs(tmp_path: Path, code: str) -> None:
    room = tmp_path / code.split("/")[0]
    with pytest.raises(FileNotFoundError, match="has no SQL to run") as raised:
        include_folder(str(tmp_path / code))
    assert f"Put the project's folder include beside {room} or" in str(raised.value)
