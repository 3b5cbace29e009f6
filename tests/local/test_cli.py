from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import cli
from local.home import PROJECT
from tests.conftest import RunningStack

RUN_LOCAL = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--help"]
runpy.run_module("local", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def no_stack_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["backfill", "2018-11-31", "2018-12-01"], "'2018-11-31' is not a date."),
        (["backfill", "20181101", "2018-12-01"], "'20181101' is not a date."),
        (["backfill", "2018-11-02", "2018-11-01"], "2018-11-01 is before 2018-11-02."),
        (["backfill", "2018-11-01", "2018-11-02", "--max-active-runs", "0"], "must be at least 1"),
        (["trigger", "--through", "2018-11-02"], "give a DATE"),
        (["trigger", "2018-11-03", "--through", "2018-11-02"], "give a DATE that is not after it"),
        (["trigger", "--param", "max_bad_lines"], "Write it as KEY=VALUE"),
        (["trigger", "2018-11-03", "--param", "log_date=2018-11-02"], "log_date is given twice"),
    ],
)
def test_a_senseless_command_line_ends_with_2_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert sentence in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    "arguments", [["sql", "select 1"], ["backfill", "2018-11-01", "2018-11-02"], ["trigger"], ["env"]]
)
def test_without_a_stack_a_command_ends_with_1_and_says_how_to_start_one(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert "python -m local up" in error.replace("\n", " ")
    assert "Traceback" not in error


def test_debug_shows_where_a_failure_came_from() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "env", "--debug"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_status_and_down_of_a_home_without_a_stack_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 1
    assert "There is no local stack" in capsys.readouterr().out
    assert cli.main(["down"]) == 0


@pytest.mark.parametrize("command", ["up", "down", "status", "seed", "backfill", "trigger", "sql", "env"])
def test_the_help_of_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"Example: python -m local {command}" in " ".join(capsys.readouterr().out.split())


def test_the_lines_of_env_can_be_run_by_a_shell(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    assert cli.main(["env"]) == 0
    lines = capsys.readouterr().out
    script = f"{lines}\n{shlex.quote(sys.executable)} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(shown).items() >= stack.env.items()
    assert {"REDSHIFT_HOST", "REDSHIFT_PORT", "REDSHIFT_DATABASE", "REDSHIFT_USER", "REDSHIFT_PASSWORD"} <= set(
        stack.env
    )


def test_sql_prints_the_rows(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    assert cli.main(["sql", "select 2 as two", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "two\n2\n"


def test_any_python_goes_on_in_the_projects_environment(tmp_path: Path) -> None:
    bare = [sys._base_executable, "-I", "-c", RUN_LOCAL]  # type: ignore[attr-defined]
    installed = subprocess.run([*bare, str(PROJECT)], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert installed.returncode == 0, installed.stderr
    assert "backfill" in installed.stdout

    shutil.copytree(PROJECT / "local", tmp_path / "local")
    missing = subprocess.run([*bare, str(tmp_path)], capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "Run `make up` first" in missing.stderr
