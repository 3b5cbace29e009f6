"""What make says and runs; an installation that cannot succeed ends in a sentence, and the next one begins again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
TOOLS = ("sh", "make", "sed", "touch", "rm", "grep", "expand", "echo")
WRONG_PYTHON = "#!/bin/sh\nexit 1\n"
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_CONFIG_FILE": os.devnull,
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what make needs, and a folder of programs to find there."""
    for name in ("Makefile", "requirements-dev.txt"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"The tests need {tool}."
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _make(clone: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", target], cwd=clone, env={"PATH": str(clone / "bin"), "HOME": str(clone)} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_says_what_every_target_does(clone: Path) -> None:
    shown = _make(clone, "help").stdout
    phony = next(line for line in (clone / "Makefile").read_text().splitlines() if line.startswith(".PHONY: help"))
    for target in phony.split()[1:]:
        assert f"make {target} " in shown
    assert "For example: make demo" in shown


def test_each_mark_keeps_a_test_out_of_the_first_tier() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    named = re.search(r"^SECOND_TIER := (.+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert named
    assert named[1].split(" or ") == [mark.partition(":")[0] for mark in declared]


@pytest.mark.parametrize("target", ["demo", "up", "test", "test-all"])
def test_without_a_python_of_the_right_version_it_says_which_to_install(clone: Path, target: str) -> None:
    for name in ("python3", "python"):
        (clone / "bin" / name).write_text(WRONG_PYTHON)
        (clone / "bin" / name).chmod(0o755)
    done = _make(clone, target)
    assert done.returncode == 2
    assert "Install python3.13, 3.12 or 3.11." in done.stderr
    assert not (clone / ".venv").exists()


def test_without_network_it_says_what_to_check_and_the_next_one_begins_anew(clone: Path) -> None:
    (clone / "bin" / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    for _ in range(2):
        done = _make(clone, "demo", **NO_NETWORK)
        assert done.returncode == 2
        assert "Check that this machine reaches its\npackage index" in done.stderr
        assert not (clone / ".venv" / ".installed").exists()
        assert not (clone / ".venv" / "half").exists()
        (clone / ".venv" / "half").touch()
