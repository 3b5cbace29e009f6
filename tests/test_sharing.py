"""Which tests one process runs, when several share the work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import OF_AIRFLOW, FilesOrStack, pytest_ignore_collect
from tests.pipeline import PROJECT

USES_A_STACK = "def test_it(cli): ..."


def test_one_process_runs_the_files_that_share_a_stack_and_any_process_another_file() -> None:
    scheduler = FilesOrStack.__new__(FilesOrStack)
    assert {scheduler._split_scope(f"{file}::test_it") for file in OF_AIRFLOW} == {OF_AIRFLOW[0]}
    assert scheduler._split_scope("tests/test_docs.py::test_it[a::b]") == "tests/test_docs.py"
    assert all((PROJECT / file).is_file() for file in OF_AIRFLOW)


def test_a_file_that_uses_the_stack_unnamed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_unnamed.py").write_text(USES_A_STACK)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "--collect-only",
         "--rootdir", tmp_path, tmp_path],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "Name in OF_AIRFLOW, in tests/conftest.py, what uses cli: test_unnamed.py" in done.stderr


ZIPS = """
import gzip, time, pytest
@pytest.mark.parametrize("data", [gzip.compress(b"a", mtime=time.time_ns() % 1_000_000_000), b"b", "text"])
def test_it(data): ...
"""


def test_every_process_calls_a_test_of_bytes_the_same(tmp_path: Path) -> None:
    (tmp_path / "test_zips.py").write_text(ZIPS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "--collect-only", "-q",
         "--rootdir", tmp_path, tmp_path],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line] == [
        "test_it[data-21-bytes]",
        "test_it[data-1-bytes]",
        "test_it[text]",
    ]


def test_a_file_is_left_alone_if_no_test_in_it_is_wanted(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    (tmp_path / "ui").mkdir()
    whole, in_part = tmp_path / "ui" / "test_ui.py", tmp_path / "test_other.py"
    whole.write_text("import pytest\n\npytestmark = pytest.mark.browser\n")
    in_part.write_text("import pytest\n\n@pytest.mark.browser\ndef test_it(): ...\n")
    (tmp_path / "data.json").write_bytes(b"\xff")

    def ignored(expression: str, *asked: Path) -> list[str]:
        option = SimpleNamespace(markexpr=expression)
        config: Any = SimpleNamespace(
            option=option, args=list(map(str, asked)), invocation_params=pytestconfig.invocation_params
        )
        return sorted(path.name for path in tmp_path.rglob("*") if pytest_ignore_collect(path, config))

    assert ignored("not (browser or cost)", tmp_path) == ["test_ui.py", "ui"]
    assert ignored("not (browser or cost)", whole, tmp_path / "ui") == []
    assert ignored("not (cost or faults)", tmp_path) == ignored("browser", tmp_path) == ignored("", tmp_path) == []
