"""The whole stack, Airflow included, in a home of its own, driven by its command line as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline import PROJECT


@dataclass(frozen=True)
class CommandLine:
    """``python -m local`` for one home."""

    home: Path

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command; its exit code must be ``expect``. Returns what it printed, errors included."""
        done = subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=PROJECT,
            env={**os.environ, "SPARKIFY_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1200,
        )
        assert done.returncode == expect, f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def value(self, statement: str) -> int:
        """The one number that a statement gives."""
        return int(self.run("sql", statement, "--format", "csv").split()[1])
