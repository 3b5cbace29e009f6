"""`python -m local` by whichever Python and with whichever variables of Python's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack.home import PROJECT

EVIL = 'raise RuntimeError("a module of another project was imported")\n'


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONPATH": "{evil}"},
        {"PYTHONPATH": "{evil}" + os.pathsep + "/no/such"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONDEVMODE": "1", "PYTHONWARNDEFAULTENCODING": "1"},
        {"PYTHONNOUSERSITE": "1", "PYTHONSTARTUP": "{evil}/rich.py", "PYTHONBREAKPOINT": "no.such"},
    ],
    ids=lambda variables: " ".join(variables),
)
def test_no_variable_of_python_changes_a_command(tmp_path: Path, variables: dict[str, str]) -> None:
    for module in ("rich", "psycopg", "boto3", "supervisor", "local_evil"):
        (tmp_path / f"{module}.py").write_text(EVIL)
    shell = {name: value.replace("{evil}", str(tmp_path)) for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "-m", "local", "trigger", "--help"],
        cwd=PROJECT, env=os.environ | shell, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Run a DAG once and wait for it." in done.stdout


def test_a_command_runs_outside_of_the_project_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "status"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PROJECT), "SPARKIFY_HOME": str(tmp_path / "none")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"There is no local stack in {tmp_path / 'none'}.\n"


def test_a_command_does_not_wait_for_airflow_to_be_imported() -> None:
    code = "import sys, local.cli; sys.exit(any(name.partition('.')[0] == 'airflow' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
