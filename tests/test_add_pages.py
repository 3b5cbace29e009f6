"""The pages that tell how to add something are followed to the letter, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.pipeline import PROJECT

pytestmark = pytest.mark.story

FENCE = r"```\w*\n(?P<{}>.*?)\n *```"
STEP = re.compile(
    rf"Create `(?P<created>[^`]+)`:\s+{FENCE.format('content')}"
    rf"|In `(?P<changed>[^`]+)`, replace\s+{FENCE.format('old')}\s+by\s+{FENCE.format('new')}"
    r"|```sh\n(?P<command>.*?)\n *```",
    re.DOTALL,
)
COPIED = ("dags", "plugins", "include", "local", "tests", "docs", "benchmarks", "pyproject.toml", "README.md")


def copy_of_the_project(folder: Path) -> Path:
    """A copy whose programs are those of this one."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    return folder


def block(text: str) -> str:
    """What stands in a fence, without the indent of the list it is in."""
    return textwrap.dedent(text)


@pytest.mark.parametrize("page", ["add-a-check.md", "add-a-table.md", "add-a-field.md"])
def test_who_follows_the_page_gets_what_it_promises(page: str, tmp_path: Path) -> None:
    project = copy_of_the_project(tmp_path)
    done = 0
    for step in STEP.finditer((PROJECT / "docs" / page).read_text()):
        if created := step["created"]:
            assert not (project / created).exists()
            (project / created).parent.mkdir(exist_ok=True)
            (project / created).write_text(block(step["content"]) + "\n")
        elif changed := step["changed"]:
            text, old = (project / changed).read_text(), block(step["old"])
            assert text.count(old) == 1, f"{changed} holds what {page} replaces {text.count(old)} times"
            (project / changed).write_text(text.replace(old, block(step["new"])))
        else:
            run(block(step["command"]), project)
        done += 1
    assert done > 2


def run(command: str, project: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{project}:{project / 'plugins'}", "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run(
        ["bash", "-c", command], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"\d passed", found.stdout), found.stdout
