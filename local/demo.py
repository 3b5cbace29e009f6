"""`python -m local demo`: a month of a made-up Sparkify, loaded by Airflow, and a look at it.

Each step does what is missing and nothing twice, so that one that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import shutil
from pathlib import Path

from local import report, summary, terminal
from local.errors import UsageError
from local.runs import Backfill, Runner
from local.seeding import seed
from local.simulator import Recipe, generate, recipe_of
from local.simulator.command import add_amounts
from local.simulator.recipe import MONTH
from local.stack import connections
from local.stack.airflow_api import AirflowApi
from local.stack.home import Home
from local.stack.stack import Stack

DAG = "sparkify_daily"
_REPORT_SECONDS = 180.0
DESCRIPTION = (
    "Start everything, generate a month of log and song files, load it by a real Airflow backfill, and show what the "
    "warehouse then holds. Whatever is done already is not done again; after an interruption it goes on."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `demo`."""
    parser.description = DESCRIPTION
    add_amounts(parser)


def run(home: Home, options: argparse.Namespace) -> int:
    """Do what is missing of the demo, and show it."""
    recipe = dataclasses.replace(MONTH, days=options.days, events_per_day=options.events_per_day, songs=options.songs)
    folder = home.folder / "demo"
    to_make = _to_make(folder, recipe)
    with terminal.board() as tell:
        Stack(home, tell).up()
    if to_make:
        terminal.tell(f"Generating {recipe.days} days of about {recipe.events_per_day:,} events in {folder}.")
        with terminal.bar("Generating") as progress:
            generate(folder, recipe, True, progress)
    # Who uses Sparkify, and where, is nobody else's on this machine, made up as it is.
    folder.chmod(0o700)
    with terminal.bar("Uploading") as progress:
        seed(connections.s3_client(home, connections=16), connections.SOURCE_BUCKET, folder, False, progress)
    terminal.tell(f"Loading {recipe.start} to {recipe.last} by {DAG}: Airflow makes a run for each date.")
    with terminal.bar("Loading") as progress:
        Runner(AirflowApi(home), terminal.tell, progress).backfill(
            Backfill(DAG, recipe.start, recipe.last, reprocess="failed")
        )
    terminal.tell(f"Waiting for the report that {report.DAG} makes of it.")
    reported = report.wait_until_current(home, _REPORT_SECONDS)
    print(
        "\n".join(
            ["", *summary.of_warehouse(home), "", *_where_to_look(home, reported), "", *_what_to_try(folder, recipe)]
        )
    )
    return 0


def _to_make(folder: Path, recipe: Recipe) -> bool:
    """Whether the files must be generated; those of more days hold those of fewer, byte by byte."""
    made = recipe_of(folder)
    if made is None:
        return True
    if dataclasses.replace(made, days=recipe.days) != recipe:
        raise UsageError(
            f"The demo of this home was made with --events-per-day {made.events_per_day} --songs {made.songs}, and is "
            "loaded. Give the same, set SPARKIFY_HOME to another folder, or forget everything by "
            "`python -m local down --purge`."
        )
    return made.days < recipe.days


def _where_to_look(home: Home, reported: bool) -> list[str]:
    later = "not made yet; `python -m local report` shows it later"
    return [
        f"Report    {report.show(home, to_open=False) if reported else later}",
        f"Airflow   {connections.airflow_url(home)}",
        f"  log in  {connections.AIRFLOW_USER} / {home.secret('airflow_password')}",
        f"The month  {connections.airflow_url(home)}/plugin/sparkify",
    ]


def _what_to_try(folder: Path, recipe: Recipe) -> list[str]:
    home = os.environ.get("SPARKIFY_HOME")
    python = "python" if shutil.which("python") else "python3"
    local = f"{f'SPARKIFY_HOME={shlex.quote(home)} ' if home else ''}{python} -m local"
    shown = Path(os.path.relpath(folder))
    shorter = shown if ".." not in shown.parts else folder
    return [
        "Try next",
        f'  {local} sql "select level, count(*) from users group by level"',
        "      ask the warehouse",
        f"  {local} verify {shlex.quote(str(shorter))}",
        "      compare it with the files, row by row",
        f"  {local} backfill {recipe.start} {min(recipe.dates[:3][-1], recipe.last)} --reprocess completed",
        "      load days again: the tables stay the same",
        "",
        "`make demo` again shows this again. `make down` stops everything and keeps the data.",
    ]
