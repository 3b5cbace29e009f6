"""``python -m local.conformance DSN``: show where a Redshift and Amazon's documentation differ."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from pathlib import Path

import redshift_connector
from rich.console import Console
from rich.table import Table

from local.conformance.load import objects, values
from local.conformance.statements import REFUSED, RIGHT, WRONG, Outcome, read, run
from local.conformance.target import reason, schema_of_our_own
from local.errors import LocalStackError

FOLDER = Path(__file__).parent
STATEMENTS = FOLDER / "statements.json"
LOAD = FOLDER / "load.json"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m local.conformance",
        description="Run statements whose answers Amazon documents against a Redshift, in a schema of their own "
        "that is dropped afterwards, and show what differs. Exit code 1 if an answer is wrong.",
    )
    option = parser.add_argument
    option("dsn", metavar="DSN", help="redshift://USER:PASSWORD@HOST:PORT/DATABASE or 'host=… dbname=… user=…'")
    option("--statements", type=Path, metavar="FILE", help="run these instead, which may be refused")
    option("--bucket", default="", help="bucket that the load's objects are put into for its duration")
    option("--iam-role", default="", metavar="ROLE", help="role that COPY reads it by: default, or an ARN")
    option("--region", default="", help="the bucket's region, if it is not the cluster's")
    return parser.parse_args()


def _compare(arguments: argparse.Namespace) -> list[Outcome]:
    with schema_of_our_own(arguments.dsn) as (session, schema):
        given = arguments.statements
        outcomes = list(run(session, read(given or STATEMENTS), may_refuse=bool(given)))
        if arguments.bucket and arguments.iam_role:
            with objects(LOAD, arguments.bucket, f"conformance/{schema}") as url:
                filled = read(LOAD, values(url, arguments.iam_role, arguments.region))
                outcomes += run(session, filled)
        else:
            print("The load was left out: it needs --bucket and --iam-role.")
    return outcomes


def _show(outcomes: list[Outcome]) -> None:
    table = Table("", "statement", "expected", "got", title="Differences", show_lines=True)
    for outcome in outcomes:
        if outcome.verdict != RIGHT:
            shown = (outcome.verdict, outcome.statement.name, outcome.statement.expect, outcome.got)
            table.add_row(*(text.replace("[", r"\[") for text in shown))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    counts = Counter(outcome.verdict for outcome in outcomes)
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in (RIGHT, REFUSED, WRONG)))


def main() -> int:
    """Return the exit code."""
    # Ended from outside, too, the schema is dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        outcomes = _compare(_arguments())
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 2
    except (redshift_connector.Error, OSError) as error:
        print(f"The comparison ended early: {reason(error)}.", file=sys.stderr)
        return 2
    _show(outcomes)
    return int(any(outcome.verdict == WRONG for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
