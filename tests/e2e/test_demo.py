"""The demo, left to run and killed on the way: it goes on, and ends with what the files say."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.reference import COLUMNS
from local.stack.airflow_api import AirflowApi
from local.stack.home import Home
from tests.command_line import CommandLine
from tests.pipeline import PROJECT

pytestmark = pytest.mark.story

AMOUNTS = ("--events-per-day", "300", "--songs", "30")
DEMO = ("demo", "--days", "4", *AMOUNTS)
SPAN = ("2024-11-01T00:00:00Z", "2024-11-30T00:00:00Z")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A home in which nothing was started yet."""
    own = CommandLine(tmp_path_factory.mktemp("demo") / "home")
    try:
        yield own
    finally:
        own.run("down", "--purge")


def _start(own: CommandLine) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", *DEMO], cwd=PROJECT, env={**os.environ, "SPARKIFY_HOME": str(own.home)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # Who starts the tests in a shell's background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def _end_when_it_says(own: CommandLine, what: str, how: signal.Signals) -> tuple[int, str]:
    """Start a demo and send it a signal as soon as it has said something; its exit code and all it said."""
    with _start(own) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if what in line:
                demo.send_signal(how)
                break
        said += demo.stdout.read()
    assert what in said
    return demo.returncode, said


def _loads(own: CommandLine) -> int:
    return own.value("select count(*) from load_history where table_name = 'songplays'")


@pytest.mark.parametrize("moment", ["postgres: starting", "migrate: preparing", "api-server: starting", "Generating"])
def test_a_demo_is_killed_while_it_starts(own: CommandLine, moment: str) -> None:
    code, _ = _end_when_it_says(own, moment, signal.SIGKILL)
    assert code == -signal.SIGKILL


def test_an_interrupted_demo_says_so(own: CommandLine) -> None:
    code, said = _end_when_it_says(own, "Loading", signal.SIGINT)
    assert code == 130
    assert said.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in said


def test_a_demo_is_killed_while_airflow_loads(own: CommandLine) -> None:
    with _start(own) as demo:
        api = AirflowApi(Home(own.home))
        while not any(run.state == "success" for run in api.runs("sparkify_daily", *SPAN)):
            assert demo.poll() is None, demo.communicate()[0]
        demo.kill()
    assert demo.returncode == -signal.SIGKILL


def test_started_again_it_goes_on_to_the_end(own: CommandLine) -> None:
    said = own.run(*DEMO)
    assert f"All {len(COLUMNS)} tables are equal" in own.run("verify", str(own.home / "demo"))
    assert stat.S_IMODE((own.home / "demo").stat().st_mode) == 0o700
    assert _loads(own) == 4

    plays = own.value("select count(*) from songplays")
    assert re.search(rf"^  songplays +{plays:,}$", said, re.MULTILINE)
    for weekday in ("Friday", "Saturday", "Sunday", "Monday"):
        assert re.search(rf"^  {weekday} +█+ [\d,]+$", said, re.MULTILINE)
    shown = re.findall(r"^ +([\d,]+)  .+, by .+$", said, re.MULTILINE)
    assert len(shown) == 5
    environment = own.run("env")
    for name in ("AIRFLOW_URL", "AIRFLOW_USER", "AIRFLOW_PASSWORD"):
        value = re.search(rf"^export {name}='?([^'\n]+)", environment, re.MULTILINE)
        assert value
        assert value[1] in said


def test_it_says_where_the_report_of_all_its_dates_is(own: CommandLine) -> None:
    shown = re.search(r"^Report +(.+)$", own.run(*DEMO), re.MULTILINE)
    assert shown
    page = Path(shown[1]).read_text()
    assert "What was played, 1 to 4 November 2024" in page
    assert own.run("report").splitlines()[-1] == shown[1]


def test_what_it_says_to_try_works(own: CommandLine) -> None:
    said = own.run(*DEMO)
    tried = re.findall(r"^  (SPARKIFY_HOME=.*)$", said.partition("Try next")[2], re.MULTILINE)
    assert len(tried) == 3
    for command in tried:
        python = re.sub(r" python3? -m", f" {sys.executable} -m", command)
        done = subprocess.run(["/bin/sh", "-c", python], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert _loads(own) == 4 + 3


def test_a_second_time_nothing_is_loaded_again_and_more_days_load_those_alone(own: CommandLine) -> None:
    before = _loads(own)
    own.run(*DEMO)
    assert _loads(own) == before
    own.run("demo", "--days", "5", *AMOUNTS)
    assert _loads(own) == before + 1
    own.run(*DEMO)
    assert _loads(own) == before + 1
    assert f"All {len(COLUMNS)} tables are equal" in own.run("verify", str(own.home / "demo"))


def test_a_date_that_failed_is_loaded_when_the_demo_is_started_again(own: CommandLine) -> None:
    generated = own.home / "demo" / "log_data/2024/11/2024-11-06-events.json"
    own.run("backfill", "2024-11-06", "2024-11-06", expect=1)
    assert not generated.exists()
    said = own.run("demo", "--days", "6", *AMOUNTS)
    assert "Traceback" not in said
    assert generated.exists()
    assert f"All {len(COLUMNS)} tables are equal" in own.run("verify", str(own.home / "demo"))
