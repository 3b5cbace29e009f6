"""A recipe to begin with, and the files that a recipe gives."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from local.simulator import Recipe, generate

SMALL = Recipe(start=datetime.date(2024, 12, 29), days=5, events_per_day=400, songs=60, seed=7)
BIG = replace(SMALL, days=14, events_per_day=5_000, songs=300)


def files(folder: Path, recipe: Recipe) -> dict[str, bytes]:
    """Generate into a new folder, and return the files by their paths."""
    assert generate(folder, recipe, False, lambda _done, _total: None)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
