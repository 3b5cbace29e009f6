"""What CONTRIBUTING.md and the hooks say is what the Makefile and pyproject.toml say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

PROJECT = Path(__file__).resolve().parents[1]
CONTRIBUTING = (PROJECT / "CONTRIBUTING.md").read_text()
MAKEFILE = (PROJECT / "Makefile").read_text()
BINARIES = Path(sys.executable).parent


def test_the_marks_are_those_of_pyproject() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \|$", CONTRIBUTING.partition("| mark |")[2].partition("\n\n")[0], re.MULTILINE
    )
    assert [f"{mark}: {what}" for mark, what in rows] == declared


def test_every_target_that_it_names_is_there() -> None:
    named = set(re.findall(r"make ([a-z.-]+)", CONTRIBUTING))
    assert {".venv", "hooks", "lint", "test", "test-all"} <= named
    assert named <= set(re.findall(r"^([a-z.-]+):", MAKEFILE, re.MULTILINE))


def test_property_based_tests_tell_the_same_stories_on_every_machine(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("hypothesis_profile") or "same"
    # Whatever file came before: a profile that one loads holds for all that are collected after it.
    assert settings.get_current_profile_name() == asked
    assert settings.get_profile("same").derandomize
    assert settings.get_profile("half").derandomize


def hooks() -> list[dict[str, Any]]:
    """The hooks, all of them of this machine's own."""
    (local,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    return list(local["hooks"])


def test_the_hooks_are_what_make_lint_runs() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    linted = [line.strip().replace("$(VENV)", ".venv") for line in recipe[1].splitlines()]
    called = [hook["entry"].replace(" --force-exclude", "") for hook in hooks()]
    assert len(linted) == len(called)
    for command, entry in zip(linted, called, strict=True):
        assert command.startswith(entry), command


@pytest.fixture
def clone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program in a repository with the project's hooks and tools."""
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(PROJECT / "docs" / "words.txt", tmp_path / "docs")
    (tmp_path / ".venv").symlink_to(BINARIES.parent)
    (tmp_path / ".gitignore").write_text(".venv\n")

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    run("git", "init", "--quiet")
    return run


@pytest.mark.deployment
@pytest.mark.parametrize(
    ("name", "wrong", "refused_by"),
    [
        ("wrong.py", "import os\n", "ruff check"),
        ("wrong.py", "x  =  1\n", "ruff format --check"),
        ("include/sql/wrong.sql", "SELECT a from b\n", "sqlfluff lint"),
        ("wrong.md", "It is loaded anew.\n", "codespell"),  # codespell:ignore
        ("wrong.md", "It is recieved.\n", "codespell"),  # codespell:ignore
        ("include/cloudformation/wrong.yaml", "Resources: {A: {Type: 'AWS::S3::Buckets'}}\n", "cfn-lint"),
        ("docker-compose.yaml", "services: {a: {images: b}}\n", "check-jsonschema docker-compose.yaml"),
    ],
)
def test_a_commit_of_what_make_lint_refuses_is_refused(
    clone: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, name: str, wrong: str, refused_by: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(wrong)
    clone("git", "add", "--all")
    done = clone(BINARIES / "prek", "run", "--skip", "mypy")
    assert done.returncode == 1
    failed = re.findall(r"^(.+?)\.{3,}Failed", done.stdout, re.MULTILINE)
    assert failed == [refused_by], done.stdout + done.stderr
