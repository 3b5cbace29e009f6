"""`python -m local generate`: parses its options and writes the files."""

from __future__ import annotations

import argparse
from pathlib import Path

from local import terminal
from local.simulator.recipe import MONTH, Recipe
from local.simulator.writing import generate


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `generate`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="where log_data and song_data are to be")
    parser.add_argument(
        "--start", default=str(MONTH.start), metavar="DATE", help=f"the first log date (default {MONTH.start})"
    )
    add_amounts(parser)
    parser.add_argument(
        "--seed", type=whole_number, default=MONTH.seed, metavar="S",
        help=f"another number gives other people, songs and events (default {MONTH.seed})",
    )  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="generate DIR again if it holds something else")


def add_amounts(parser: argparse.ArgumentParser) -> None:
    """Declare how much is to be made."""
    for name, metavar, default, what in (
        ("--days", "N", MONTH.days, "how many log dates"),
        ("--events-per-day", "M", MONTH.events_per_day, "about how many events a day, in the mean of a week"),
        ("--songs", "K", MONTH.songs, "how many songs the catalogue has"),
    ):
        parser.add_argument(
            name, type=whole_number, default=default, metavar=metavar, help=f"{what} (default {default})"
        )


def run(recipe: Recipe, folder: Path, replace: bool) -> int:
    """Generate, and say what there is."""
    with terminal.bar("Generating") as progress:
        made = generate(folder, recipe, replace, progress)
    what = f"The log dates {recipe.start} to {recipe.last} and {recipe.songs:,} song files"
    print(f"{what} are in {folder}." if made else f"{what} are in {folder} already; --replace generates them again.")
    return 0


def whole_number(text: str) -> int:
    """Read an argument that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number. Give one such as 7.") from None
