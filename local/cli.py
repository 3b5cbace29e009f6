"""The command line of the local stack: `python -m local`."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local import ask, demo, query, report, terminal
from local.errors import LocalStackError, UsageError, sentence
from local.runs import Backfill, Runner, check_range, parse_date
from local.seeding import seed, source_folders
from local.simulator import Recipe
from local.simulator import command as simulator
from local.stack import connections, environment
from local.stack.airflow_api import AirflowApi
from local.stack.connections import SOURCE_BUCKET
from local.stack.home import Home
from local.stack.stack import Stack
from local.verification import command as verification

DAILY_DAG = "sparkify_daily"
_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrongly used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[Home, argparse.Namespace], int] = options.command
    try:
        # What is of an AWS account or a warehouse of the user's is found by the user's shell.
        is_ours = options.command is not _verify and getattr(options, "bucket", None) is None
        with environment.apart_from_the_shell() if is_ours else contextlib.nullcontext():
            code = command(Home.find(), options)
        # Here, where it can still be told that the disk it goes to is full.
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        terminal.tell("Interrupted.")
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if options.debug:
            raise
        terminal.tell(sentence(error))
        return _USAGE if isinstance(error, UsageError) else 1


def _up(home: Home, options: argparse.Namespace) -> int:
    if options.data is not None:
        source_folders(options.data)
    with terminal.board() as tell:
        Stack(home, tell).up(isolation=options.isolation)
    if options.data is not None:
        _upload(connections.s3_client(home, connections=16), SOURCE_BUCKET, options.data, replace=False)
    redshift = connections.redshift_arguments(home)
    address = f"{redshift['host']}:{redshift['port']}/{redshift['database']}"
    print(f"Airflow    {connections.airflow_url(home)}")
    print(f"  log in   {connections.AIRFLOW_USER} / {home.secret('airflow_password')}")
    print(f"Redshift   {address}  user {redshift['user']} / {redshift['password']}")
    print(f"S3         {connections.s3_endpoint(home)}  bucket {SOURCE_BUCKET}")
    print(f"Kept in    {home.folder}")
    return 0


def _demo(home: Home, options: argparse.Namespace) -> int:
    return demo.run(home, options)


def _generate(_home: Home, options: argparse.Namespace) -> int:
    start = _date(options.start, "--start")
    recipe = Recipe(start, options.days, options.events_per_day, options.songs, options.seed)
    return simulator.run(recipe, options.folder, options.replace)


def _down(home: Home, options: argparse.Namespace) -> int:
    with terminal.board() as tell:
        Stack(home, tell).down(purge=options.purge)
    print("Everything is stopped and forgotten." if options.purge else "Everything is stopped.")
    return 0


def _status(home: Home, _options: argparse.Namespace) -> int:
    if not home.exists:
        print(f"There is no local stack in {home.folder}.")
        return 1
    found = Stack(home).status()
    for one in found:
        where = "" if one.problem is None else f"  {one.problem}; log: {one.log}"
        pid = "" if one.pid is None else str(one.pid)
        print(f"{one.name:14} {one.state:5} {pid:>8}{where}".rstrip())
    if found and all(one.problem is None for one in found):
        return 0
    print("Not everything works. `python -m local up` starts what is not running.")
    return 1


def _seed(home: Home, options: argparse.Namespace) -> int:
    source_folders(options.folder)
    if options.bucket is None:
        _upload(connections.s3_client(home, connections=16), SOURCE_BUCKET, options.folder, options.replace)
    else:
        _upload(connections.s3_client_of_environment(connections=16), options.bucket, options.folder, options.replace)
    return 0


def _upload(s3: Any, bucket: str, folder: Path, replace: bool) -> None:
    with terminal.bar("Uploading") as progress:
        done = seed(s3, bucket, folder, replace, progress)
    print(f"{done.uploaded} objects uploaded, {done.unchanged} unchanged, {done.removed} removed.")


def _backfill(home: Home, options: argparse.Namespace) -> int:
    first, last = _date(options.first), _date(options.last)
    check_range(first, last)
    if options.max_active_runs < 1:
        raise UsageError("--max-active-runs must be at least 1.")
    backfill = Backfill(options.dag, first, last, options.max_active_runs, options.backwards, options.reprocess)
    with terminal.bar(f"{options.dag} {first} to {last}") as progress:
        count = Runner(AirflowApi(home), terminal.tell, progress).backfill(backfill)
    if count:
        print(f"{count} runs of {options.dag} succeeded.")
    else:
        print(
            f"There is nothing to run: each date from {first} to {last} has its run already, or is not over yet. "
            "Add --reprocess completed to run them again."
        )
    return 0


def _trigger(home: Home, options: argparse.Namespace) -> int:
    conf = dict(map(_param, options.param))
    for name, given in (("log_date", options.date), ("through", options.through)):
        if name in conf and given is not None:
            raise UsageError(f"{name} is given twice: as an argument and as --param. Give it once.")
        if given is not None:
            conf[name] = given
    if conf.get("log_date") is not None:
        first = _date(str(conf["log_date"]))
        if conf.get("through") is not None:
            check_range(first, _date(str(conf["through"])))
    elif conf.get("through") is not None:
        raise UsageError("--through is the end of a range: give a DATE too, on which it begins.")
    with terminal.bar(options.dag) as progress:
        run_id = Runner(AirflowApi(home), terminal.tell, progress).trigger(options.dag, conf)
    print(f"Run {run_id} of {options.dag} succeeded.")
    return 0


def _sql(home: Home, options: argparse.Namespace) -> int:
    statement = sys.stdin.read() if options.statement == "-" else options.statement
    text = query.formatted(query.run(home, statement), options.format)
    if text:
        print(text)
    return 0


def _ask(home: Home, options: argparse.Namespace) -> int:
    return ask.run(home, options)


def _report(home: Home, options: argparse.Namespace) -> int:
    print(report.show(home, options.open))
    return 0


def _verify(home: Home, options: argparse.Namespace) -> int:
    problem = verification.problem(options)
    if problem is not None:
        raise UsageError(problem)
    return verification.run(home, options)


def _env(home: Home, _options: argparse.Namespace) -> int:
    for name, value in connections.environment(home).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _date(text: str, name: str = "") -> datetime.date:
    try:
        return parse_date(text)
    except LocalStackError as error:
        raise UsageError(f"{name} {error}".lstrip()) from None


def _param(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise UsageError(f"{text!r} is not a param. Write it as KEY=VALUE, for example max_bad_lines=5.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Run the project on this machine: Airflow, a stand-in for Redshift, and S3.",
        epilog="Everything is kept in $SPARKIFY_HOME (default: .local in the project). "
        "Example: python -m local up && python -m local seed DIR && "
        "python -m local backfill 2018-11-01 2018-11-30",
    )
    # On every command, so that it may stand where one thinks of it: at the end.
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show where in the code a failure came from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, function: Callable[[Home, argparse.Namespace], int], what: str, example: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, parents=[common], help=what, description=f"{what[0].upper()}{what[1:]}.",
            epilog=f"Example: python -m local {example}",
        )  # fmt: skip
        added.set_defaults(command=function)
        return added

    showing = command("demo", _demo, "load a made-up month by Airflow, and show it", "demo --days 7")
    demo.add_options(showing)

    up = command("up", _up, "start what does not run, and wait until everything works", "up --data DIR")
    up.add_argument("--data", type=Path, metavar="DIR", help="then upload DIR, as `seed DIR` does")

    up.add_argument(
        "--isolation", choices=("snapshot", "serializable"),
        help="how the warehouse isolates transactions from now on (at first: snapshot, as in new databases)",
    )  # fmt: skip

    down = command("down", _down, "stop everything", "down --purge")
    down.add_argument("--purge", action="store_true", help="and forget all data")

    command("status", _status, "say how every program is; exit code 1 if one does not work", "status")

    generating = command(
        "generate", _generate, "write made-up log and song files in the source format",
        "generate DIR --start 2024-11-01 --days 7 --events-per-day 5000 --songs 200 --seed 42",
    )  # fmt: skip
    simulator.add_options(generating)

    seeding = command("seed", _seed, "upload source files to the source bucket", "seed DIR --replace")
    seeding.add_argument("folder", type=Path, metavar="DIR", help="the folder that holds log_data and song_data")
    seeding.add_argument(
        "--replace", action="store_true",
        help="also remove objects of log_data and song_data that DIR, having that folder, does not have",
    )  # fmt: skip

    seeding.add_argument(
        "--bucket", metavar="NAME",
        help="to this bucket of the account that boto3 finds in the environment, in place of the local stack's",
    )  # fmt: skip

    backfill = command(
        "backfill", _backfill, "run a DAG for every date of a range, by Airflow's own backfill",
        "backfill 2018-11-01 2018-11-30 --max-active-runs 4",
    )  # fmt: skip
    backfill.add_argument("first", metavar="FIRST", help="the first log date, YYYY-MM-DD")
    backfill.add_argument("last", metavar="LAST", help="the last log date, included")
    backfill.add_argument("--max-active-runs", type=int, default=4, metavar="N", help="runs at once (default 4)")
    backfill.add_argument("--backwards", action="store_true", help="begin with the last date")
    backfill.add_argument(
        "--reprocess", choices=("none", "failed", "completed"), default="none",
        help="which dates to run again that have a run already (default none)",
    )  # fmt: skip

    trigger = command("trigger", _trigger, "run a DAG once and wait for it", "trigger 2018-11-01 --through 2018-11-30")
    trigger.add_argument("date", nargs="?", metavar="DATE", help="the log date, YYYY-MM-DD")
    trigger.add_argument("--through", metavar="DATE", help="load every date from DATE to this one in the one run")
    trigger.add_argument(
        "--param", action="append", default=[], metavar="KEY=VALUE",
        help="a param of the DAG; a value that is JSON, such as 5 or true, is taken as that",
    )  # fmt: skip
    for one in (backfill, trigger):
        one.add_argument("--dag", default=DAILY_DAG, metavar="DAG_ID", help=f"the DAG (default {DAILY_DAG})")

    sql = command(
        "sql", _sql, "run one SQL statement in the warehouse", "sql 'select count(*) from songplays' --format json"
    )
    sql.add_argument("statement", metavar="STATEMENT", help="the statement; - reads it from standard input")
    sql.add_argument("--format", choices=query.FORMATS, default="table", help="(default table)")

    asking = command(
        "ask", _ask, "answer a question about what is played, as a table with bars; without a name list them",
        "ask plays_by_weekday",
    )  # fmt: skip
    ask.add_options(asking)

    reporting = command("report", _report, "write the latest report into $SPARKIFY_HOME/report.html", "report --open")
    reporting.add_argument("--open", action="store_true", help="and open it in a browser")

    verify = command("verify", _verify, "compare the warehouse with source files, row by row", "verify DIR")
    verification.add_options(verify)

    command("env", _env, "print export lines by which other programs find the parts", 'env  # eval "$(…)"')
    return parser
