"""``python -m local.conformance DSN``: show where a Redshift and Amazon's documentation differ."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redshift_connector
from rich.console import Console
from rich.table import Table

from local.conformance import week
from local.conformance.load import objects, values
from local.conformance.statements import REFUSED, RIGHT, WRONG, Outcome, Statement, read, run
from local.conformance.target import arguments as arguments_of
from local.conformance.target import schema_of_our_own
from local.errors import LocalStackError
from sparkify.loading.driver_errors import reason

FOLDER = Path(__file__).parent
STATEMENTS = FOLDER / "statements.json"
LOAD = FOLDER / "load.json"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m local.conformance",
        description="Run statements whose answers Amazon documents against a Redshift, explain all that the package "
        "asks, and load a week, in schemas of their own that are dropped afterwards. Exit code 1 if an answer is "
        "wrong.",
    )
    option = parser.add_argument
    option(
        "dsn", metavar="DSN", nargs="?", default="",
        help="redshift://USER@HOST:PORT/DATABASE or 'host=… dbname=… user=…'; PGPASSWORD has the password. "
        "Default: the environment's CONFORMANCE_DSN",
    )  # fmt: skip
    option("--statements", type=Path, metavar="FILE", help="run these instead, which may be refused")
    option("--bucket", default="", help="bucket that the load's objects are put into for its duration")
    option("--iam-role", default="", metavar="ROLE", help="role that COPY reads it by: default, or an ARN")
    option("--region", default="", help="the bucket's region, if it is not the cluster's")
    option(
        "--serverless", action="store_true",
        help="it is a Serverless workgroup: what asks for a view that only clusters have is left out, and may not be "
        "needed",
    )  # fmt: skip
    option("--result", type=Path, metavar="FILE", help="also write what came of it, with the day, as Markdown")
    return parser.parse_args()


def _compare(given: argparse.Namespace) -> tuple[dict[str, list[Outcome]], str]:
    """What came of each part, and the server's words for itself."""
    address = given.dsn or os.environ.get("CONFORMANCE_DSN", "")
    loads = bool(given.bucket and given.iam_role)
    parts: dict[str, list[Outcome]] = {}
    with schema_of_our_own(address) as (session, schema):
        version = _version(session)
        listed = read(given.statements or STATEMENTS)
        if given.serverless:
            listed = [one for one in listed if not week.OF_A_CLUSTER.search(one.sql)]
        parts["statements"] = list(run(session, listed, may_refuse=bool(given.statements)))
        if loads:
            with objects(LOAD, given.bucket, f"conformance/{schema}") as url:
                parts["COPY"] = list(run(session, read(LOAD, values(url, given.iam_role, given.region))))
    if not given.statements:
        with schema_of_our_own(address) as (session, schema):
            parts["the package's queries"] = list(run(session, _explained(schema)))
        if loads:
            with schema_of_our_own(address) as (_, schema):
                parts["a week"] = week.outcomes(
                    arguments_of(address), schema, given.bucket, given.iam_role, given.region,
                    serverless=given.serverless,
                )  # fmt: skip
    if not loads:
        print("The load was left out: it needs --bucket and --iam-role.")
    return parts, version


def _explained(schema: str) -> list[Statement]:
    # Imported here because it brings Airflow, which takes seconds, makes itself a home, and logs what boto3 does.
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        from local.conformance import explained

        return explained.statements(schema)


def _version(session: Any) -> str:
    cursor = session.cursor()
    cursor.execute("select version()")
    ((version,),) = cursor.fetchall()
    return str(version)


def _result(parts: dict[str, list[Outcome]], version: str, today: str) -> str:
    """The day, the server, and of each part how many answers are right, refused and wrong, as Markdown."""
    lines = [f"{today}, {version}:", "", f"| | {RIGHT} | {REFUSED} | {WRONG} |", "|---|---|---|---|"]
    for part, outcomes in parts.items():
        counts = Counter(outcome.verdict for outcome in outcomes)
        lines.append(f"| {part} | {counts[RIGHT]} | {counts[REFUSED]} | {counts[WRONG]} |")
    others = [outcome for outcomes in parts.values() for outcome in outcomes if outcome.verdict != RIGHT]
    lines += ["", *(f"* {one.verdict}: {one.statement.name}: {one.got!r}" for one in others)] if others else []
    return "\n".join(lines)


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
    given = _arguments()
    try:
        parts, version = _compare(given)
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 2
    except (redshift_connector.Error, OSError) as error:
        print(f"The comparison ended early: {reason(error)}.", file=sys.stderr)
        return 2
    outcomes = [outcome for of_part in parts.values() for outcome in of_part]
    if given.result:
        given.result.write_text(_result(parts, version, f"{datetime.now(UTC):%-d %B %Y}") + "\n")
    _show(outcomes)
    return int(any(outcome.verdict == WRONG for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
