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
    for path in (PROJECT / "Makefile", *PROJECT.glob("requirements*.txt")):
        shutil.copy(path, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"The tests need {tool}."
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _make(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=clone, env={"PATH": str(clone / "bin"), "HOME": str(clone)} | environment,
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


LOCKS = {path.stem.removeprefix("requirements-"): path for path in PROJECT.glob("requirements*.txt")}
FOR_DEVELOPERS = {
    "mypy",
    "ruff",
    "sqlfluff",
    "cfn-lint",
    "check-jsonschema",
    "checkov",
    "pip-audit",
    "pytest",
    "hypothesis",
}


def _pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==(\S+)", LOCKS[lock].read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCKS[lock].read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.partition(" ")[0] for entry in entries if "    --hash=sha256:" not in entry] == []


PARTS = {
    "demo": {"local"},
    "up": {"local"},
    "audit": {"local", "audit"},
    "test": {"local", "audit", "test"},
    "test-all": {"local", "audit", "test", "lint"},
    "lint": {"local", "audit", "test", "lint"},
    "hooks": {"local", "audit", "test", "lint"},
    "scan": {"scan"},
}


@pytest.mark.parametrize("target", PARTS)
def test_a_target_installs_wheels_of_known_hashes_and_what_it_needs_alone(clone: Path, target: str) -> None:
    done = _make(clone, "--dry-run", target)
    commands = [line for line in done.stdout.splitlines() if " install " in line and "echo" not in line.split("||")[0]]
    assert commands
    assert [line for line in commands if "--require-hashes --only-binary :all:" not in line] == []
    found = set(re.findall(r"requirements(?:-([a-z]+))?\.txt", done.stdout))
    assert found == {"install", *PARTS[target]} | ({""} if "local" in PARTS[target] else set())


def test_the_demo_brings_no_tool_of_developers() -> None:
    brought = _pinned("requirements").keys() | _pinned("local").keys()
    assert {"apache-airflow", "moto", "sqlglot"} <= brought
    assert not brought & FOR_DEVELOPERS
    everything = {name for lock in LOCKS for name in _pinned(lock)}
    assert everything >= FOR_DEVELOPERS


def test_an_installation_gets_the_users_proxy_and_index_and_no_variable_that_leads_python_elsewhere(
    clone: Path,
) -> None:
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    for name in ("uv", "python"):
        (venv / "bin" / name).write_text(f"#!/bin/sh\n{shutil.which('env')} > {clone}/{name}.env\n")
        (venv / "bin" / name).chmod(0o755)
    (venv / ".made").touch()
    kept = {
        "HTTPS_PROXY": "http://p",
        "no_proxy": "x",
        "PIP_INDEX_URL": "http://i",
        "SSL_CERT_FILE": "/c",
        "AWS_PROFILE": "a",
    }
    dropped = (
        *("PYTHONHOME", "PYTHONPATH", "PYTHONPLATLIBDIR", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUSERBASE"),
        *("PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONINSPECT", "PYTHONIOENCODING", "PYTHONOPTIMIZE", "PYTHONUTF8"),
    )
    _make(clone, "demo", **kept, **dict.fromkeys(dropped, "/no"))
    for name in ("uv", "python"):
        lines = (clone / f"{name}.env").read_text().splitlines()
        assert {f"{variable}={value}" for variable, value in kept.items()} <= set(lines)
        assert [line for line in lines if line.startswith("PYTHON")] == []


@pytest.mark.deployment
def test_without_network_it_says_what_to_check_and_the_next_one_begins_anew(clone: Path) -> None:
    (clone / "bin" / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    for _ in range(2):
        done = _make(clone, "demo", **NO_NETWORK)
        assert done.returncode == 2
        assert "Check that this machine reaches its\npackage index" in done.stderr
        assert not {".made", ".local"} & {path.name for path in (clone / ".venv").iterdir()}
        assert not (clone / ".venv" / "half").exists()
        (clone / ".venv" / "half").touch()


def test_a_part_that_cannot_be_installed_leaves_the_parts_below_it_and_is_installed_whole_the_next_time(
    clone: Path,
) -> None:
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    # Both note what they are asked for, and fail but for being asked for their version.
    for name in ("uv", "python"):
        (venv / "bin" / name).write_text(
            f'#!/bin/sh\necho "$@" >> {venv}/{name}.log\ncase "$*" in *--version) ;; *) exit 1; esac\n'
        )
        (venv / "bin" / name).chmod(0o755)
    for stamp in (".made", ".local", ".audit"):
        (venv / stamp).touch()
    for number, again in ((0, ""), (1, "--reinstall ")):
        done = _make(clone, "test")
        assert done.returncode == 2
        assert "Check that this machine reaches its\npackage index" in done.stderr
        assert f" {again}-r requirements.txt" in (venv / "uv.log").read_text().splitlines()[number]
        assert " install " not in _make(clone, "--dry-run", "demo").stdout
