"""Writes the files of a recipe, all of them or none."""

from __future__ import annotations

import contextlib
import datetime
import glob
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import groupby, islice
from pathlib import Path

import msgspec
import psutil

from local.errors import LocalStackError
from local.simulator.listening import events
from local.simulator.recipe import Recipe
from local.simulator.repertoire import Repertoire

RECIPE_FILE = "generated.json"
"""Says, beside log_data and song_data, what the folder was made from."""

_MADE = {RECIPE_FILE, "log_data", "song_data"}
_DAY_MS = 86_400_000
_EPOCH = datetime.date(1970, 1, 1)
_EVENTS_AT_ONCE = 5_000
_SONGS_AT_ONCE = 100

#: Called with how many songs and events, of about how many, are written.
Progress = Callable[[int, int], None]


def generate(folder: Path, recipe: Recipe, replace: bool, progress: Progress) -> bool:
    """Write log_data and song_data of a recipe into `folder`; return False if they are there already.

    All is written beside `folder` and then put in its place at once: a reader, or a kill, finds nothing
    half-made. A folder with anything else in it is refused; with `replace`, one made here earlier is replaced.
    """
    folder = folder.expanduser().resolve()
    if recipe_of(folder) == recipe and not replace:
        return False
    _refuse_to_overwrite(folder, replace)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(folder)
    with _beside(folder, "unfinished") as unfinished:
        _write(unfinished, recipe, progress)
        if folder.exists() and any(folder.iterdir()):
            with _beside(folder, "replaced") as replaced:
                folder.rename(replaced / folder.name)
                unfinished.rename(folder)
        else:
            unfinished.rename(folder)
    return True


def recipe_of(folder: Path) -> Recipe | None:
    """Return what a folder was made from, or None if it was not made by :func:`generate`."""
    try:
        fields = json.loads((folder / RECIPE_FILE).read_bytes())
        return Recipe(**(fields | {"start": datetime.date.fromisoformat(fields["start"])}))
    except (OSError, ValueError, TypeError, KeyError, LocalStackError):
        return None


def _refuse_to_overwrite(folder: Path, replace: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise LocalStackError(f"{folder} is a file. Give a folder, which will be made.")
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not found:
        return
    foreign = sorted(found - _MADE)
    if foreign or RECIPE_FILE not in found:
        what = foreign[0] if foreign else min(found)
        raise LocalStackError(
            f"{folder} holds {what}, which was not generated and stays as it is. "
            "Give a folder that is empty or not there."
        )
    if not replace:
        raise LocalStackError(
            f"{folder} was generated from something else: {_in_words(recipe_of(folder))}. Give another folder, or "
            "--replace to generate it again."
        )


def _in_words(recipe: Recipe | None) -> str:
    if recipe is None:
        return f"its {RECIPE_FILE} cannot be read"
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asdict(recipe).items())


@contextlib.contextmanager
def _beside(folder: Path, what: str) -> Iterator[Path]:
    """Give a new folder on the same disk, and leave nothing of it."""
    beside = folder.parent / f".{folder.name}.{what}-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _clear_leftovers(folder: Path) -> None:
    """Remove what commands that were killed left beside `folder`."""
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.*-*"):
        what, _, owner = leftover.name.removeprefix(f".{folder.name}.").partition("-")
        if what in {"unfinished", "replaced"} and owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)


def _write(folder: Path, recipe: Recipe, progress: Progress) -> None:
    expected = recipe.songs + recipe.days * recipe.events_per_day
    done = 0
    for path, song in Repertoire(recipe).catalogue():
        song_file = folder / path
        song_file.parent.mkdir(parents=True, exist_ok=True)
        song_file.write_text(json.dumps(song._asdict()))
        done += 1
        if done % _SONGS_AT_ONCE == 0:
            progress(done, expected)
    for date in recipe.dates:
        # So that a date on which nothing happens has a file too.
        log_file = _log_file(folder, date)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.touch()
    encoder = msgspec.json.Encoder()
    for day, of_day in groupby(events(recipe), lambda event: event.ts // _DAY_MS):
        with _log_file(folder, _EPOCH + datetime.timedelta(days=day)).open("wb") as file:
            while some := list(islice(of_day, _EVENTS_AT_ONCE)):
                file.write(encoder.encode_lines(some))
                done += len(some)
                progress(done, max(done, expected))
    progress(done, done)
    (folder / RECIPE_FILE).write_text(json.dumps(asdict(recipe), default=str, indent=1) + "\n")


def _log_file(folder: Path, date: datetime.date) -> Path:
    return folder / "log_data" / f"{date.year:04}" / f"{date.month:02}" / f"{date.isoformat()}-events.json"
