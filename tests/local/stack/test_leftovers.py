from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.stack import leftovers

WAIT = "import signal; print('ready', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"
PARENT = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {WAIT!r}], cwd='/'); p.wait()"


@pytest.fixture
def start() -> Iterator[Callable[[str, Path], psutil.Process]]:
    started: list[subprocess.Popen[str]] = []

    def run(code: str, folder: Path) -> psutil.Process:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=folder, text=True, stdout=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return psutil.Process(process.pid)

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "scheduler"
    folder.mkdir(parents=True)
    return folder


Start = Callable[[str, Path], psutil.Process]


def test_what_works_in_the_folder_is_found_and_nothing_else(start: Start, run_folder: Path, tmp_path: Path) -> None:
    ours = start(WAIT, run_folder)
    start(WAIT, tmp_path)
    assert [found.pid for found in leftovers.find([tmp_path / "run"], set())] == [ours.pid]


def test_children_are_found_wherever_they_work(start: Start, run_folder: Path, tmp_path: Path) -> None:
    parent = start(PARENT, run_folder)
    assert {found.pid for found in leftovers.find([tmp_path / "run"], set())} == {
        parent.pid,
        *(child.pid for child in parent.children()),
    }


def test_what_is_supervised_is_spared(start: Start, run_folder: Path, tmp_path: Path) -> None:
    ours = start(WAIT, run_folder)
    assert leftovers.find([tmp_path / "run"], {ours.pid}) == []


@pytest.mark.parametrize("code", [WAIT, STUBBORN])
def test_stopping_ends_even_what_ignores_the_request(
    start: Start, run_folder: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_PATIENCE", 0.5)
    ours = start(code, run_folder)
    leftovers.stop([ours], gently=signal.SIGTERM)
    assert not ours.is_running() or ours.status() == psutil.STATUS_ZOMBIE
