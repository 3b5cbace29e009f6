"""What is left running when a supervisor or one of its programs was killed.

Programs rename themselves and outlive their parents, but they keep their working directory, and every program
has one in the home that nobody else works in. A shell that someone opened there has a terminal; they have not.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

_PATIENCE = 15.0


def find(folders: Iterable[Path], spared: set[int]) -> list[psutil.Process]:
    """Return the processes that work in one of the folders or descend from one that does, `spared` excepted."""
    roots = [folder.resolve() for folder in folders]
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents()), *spared}
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid in ours or process.terminal() is not None:
                continue
            working = Path(process.cwd())
            if not any(working.is_relative_to(root) for root in roots):
                continue
            for one in (process, *process.children(recursive=True)):
                if one.pid not in ours:
                    found[one.pid] = one
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return list(found.values())


def stop(processes: Iterable[psutil.Process], gently: signal.Signals = signal.SIGTERM) -> None:
    """Ask processes to end, and kill those that do not."""
    asked = list(processes)
    for process in asked:
        _signal(process, gently)
    _, stubborn = psutil.wait_procs(asked, timeout=_PATIENCE)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_PATIENCE)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return
