"""What the commands and the programs of a stack get of the user's shell: what is listed here, and nothing else.

A shell may lead libpq, boto3, requests, Python or Airflow elsewhere by variables of theirs, which nobody can list. The
parts of a stack reach each other by what its home says.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping

# What a program needs to run at all, the loader's variables for a Python that was built elsewhere included.
_OF_PROGRAMS = re.compile(r"PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|LD_LIBRARY_PATH|DYLD_\w+|NIX_LD\w*")
# What a command shows and where, and what the user tells the stack.
_OF_COMMANDS = re.compile(r"TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|SPARKIFY_\w+")
# Files of the user's that boto3 reads without any variable, and a machine's role that it looks for.
_FIXED = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_FIXED_OF_PROGRAMS = {"LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "1"}

_users: Mapping[str, str] | None = None


def of_programs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program gets of `environ`, besides what its home says."""
    kept = {name: value for name, value in environ.items() if _OF_PROGRAMS.fullmatch(name)}
    return kept | _FIXED | _FIXED_OF_PROGRAMS


@contextlib.contextmanager
def apart_from_the_shell() -> Iterator[None]:
    """Keep from this process what is of the user's shell and not for the stack."""
    global _users
    shell = dict(os.environ)
    kept = {
        name: value for name, value in shell.items() if _OF_PROGRAMS.fullmatch(name) or _OF_COMMANDS.fullmatch(name)
    }
    _users = shell
    _become(kept | _FIXED)
    try:
        yield
    finally:
        _users = None
        _become(shell)


@contextlib.contextmanager
def as_the_user() -> Iterator[None]:
    """Have the whole shell again, for a program of the user's such as the browser."""
    apart = dict(os.environ)
    _become(apart if _users is None else _users)
    try:
        yield
    finally:
        _become(apart)


def _become(environ: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environ):
        del os.environ[name]
    os.environ.update(environ)
