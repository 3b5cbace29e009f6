from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import cli
from local.stack.home import PROJECT
from tests.conftest import RunningStack

COMMANDS = (
    "demo", "up", "down", "status", "generate", "seed", "backfill", "trigger", "sql", "ask", "report", "verify", "env",
)  # fmt: skip
TODAY = str(datetime.datetime.now(datetime.UTC).date())
AFTER_TOMORROW = str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(3))
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
        (["backfill", "1018-11-01", "2018-11-30"], "1018-11-01 and 2018-11-30 lie 365,272 days apart; at most 3,660"),
        (["backfill", "2026-11-01", "2091-11-02"], "apart; at most 3,660 are possible. Check the years"),
        (["backfill", TODAY, AFTER_TOMORROW], f"{AFTER_TOMORROW} lies after tomorrow ("),
        (["trigger", "--through", "2018-11-02"], "give a DATE"),
        (["trigger", "--param", "through=2018-11-02"], "give a DATE"),
        (["trigger", "2018-11-03", "--through", "2018-11-02"], "2018-11-02 is before 2018-11-03."),
        (["trigger", "2019-03-05", "--through", "2091-03-05"], "apart; at most 3,660 are possible. Check the years"),
        (["trigger", "2019-03-05", "--param", "through=2091-03-05"], "apart; at most 3,660 are possible"),
        (["trigger", "--param", "log_date=2019-03-05", "--through", "2091-03-05"], "apart; at most 3,660"),
        (["trigger", TODAY, "--through", AFTER_TOMORROW], f"{AFTER_TOMORROW} lies after tomorrow ("),
        (["trigger", "2018-11-03", "--through", "9999-12-31"], "apart; at most 3,660 are possible"),
        (["trigger", "--param", "max_bad_lines"], "Write it as KEY=VALUE"),
        (["trigger", "2018-11-03", "--param", "log_date=2018-11-02"], "log_date is given twice"),
        (["trigger", "2018-13-01"], "'2018-13-01' is not a date."),
        (["generate", "made", "--start", "2018-13-01"], "--start '2018-13-01' is not a date."),
        (["generate", "made", "--days", "0"], "--days is 0, but there must be at least 1."),
        (["demo", "--events-per-day", "0"], "--events-per-day is 0, but there must be at least 1."),
    ],
)
def test_a_senseless_command_line_ends_with_2_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert sentence in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["generate", "made", "--days", "many"], "argument --days: 'many' is not a whole number. Give one such as 7."),
        (["generate"], "the following arguments are required: DIR"),
        (["backfill", "2018-11-01"], "the following arguments are required: LAST"),
        (["backfill", "2018-11-01", "2018-11-02", "--reprocess", "all"], "argument --reprocess: invalid choice: 'all'"),
        (["load"], "invalid choice: 'load'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_a_command_line_that_cannot_be_read_ends_with_2_and_names_the_argument(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


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


@pytest.mark.parametrize("arguments", [["seed"], ["up", "--data"]])
def test_a_folder_without_source_files_ends_with_1_before_anything_is_started(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, what in (
        (tmp_path, "holds neither a folder log_data nor a folder song_data"),
        (tmp_path / "no", "is not"),
    ):
        assert cli.main([*arguments, str(folder)]) == 1
        assert f"{folder} {what}" in capsys.readouterr().err.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_of_other_amounts_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "empty"
    small = ["--days", "2", "--events-per-day", "20", "--songs", "5"]
    assert cli.main(["generate", str(home / "demo"), *small]) == 0
    assert cli.main(["demo", "--days", "2", "--events-per-day", "30", "--songs", "5"]) == 2
    assert "was made with --events-per-day 20 --songs 5" in capsys.readouterr().err
    assert [path.name for path in home.iterdir()] == ["demo"]


def test_generate_says_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--start", "2018-11-30", "--days", "2", "--events-per-day", "20", "--songs", "5", "--seed", "3"]
    assert cli.main(["generate", str(tmp_path / "made"), *small]) == 0
    there = f"The log dates 2018-11-30 to 2018-12-01 and 5 song files are in {tmp_path / 'made'}"
    assert capsys.readouterr().out == f"{there}.\n"
    assert cli.main(["generate", str(tmp_path / "made"), *small]) == 0
    assert capsys.readouterr().out == f"{there} already; --replace generates them again.\n"
    assert cli.main(["generate", str(tmp_path / "made"), *small[:-1], "4"]) == 1
    assert "--seed 3. Give another folder, or --replace" in capsys.readouterr().err


def test_a_full_disk_under_the_output_is_told(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "local",
        "generate",
        str(tmp_path / "made"),
        "--days",
        "1",
        "--events-per-day",
        "9",
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=PROJECT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The disk is full. Free some space")
    assert "Traceback" not in done.stderr


def test_a_file_where_a_folder_is_to_be_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocking = tmp_path / "file"
    blocking.touch()
    assert cli.main(["generate", str(blocking / "made")]) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert str(blocking) in error
    assert "Add --debug" not in error


def test_what_a_terminal_cannot_show_does_not_end_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "trigger", "5. März"],
        cwd=PROJECT, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'5. M?rz' is not a date." in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"Example: python -m local {command}" in " ".join(capsys.readouterr().out.split())


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert tuple(listed) == COMMANDS


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
