"""A week of made-up files, loaded by the DAG's own tasks and compared with the files, row by row.

It runs in a process of its own, because Airflow reads its settings once: :func:`outcomes` starts it, and :func:`main`
is what it does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import redshift_connector

from local import seeding
from local.conformance.statements import RIGHT, WRONG, Outcome, Statement
from local.errors import LocalStackError
from local.simulator.recipe import Recipe
from local.simulator.writing import generate
from local.stack.home import PROJECT, Home
from local.verification import command
from sparkify.loading.source_files import Catalogue, DatedFiles

if TYPE_CHECKING:
    from airflow.sdk import DAG

WEEK = Recipe(start=date(2024, 11, 1), days=7, events_per_day=400, songs=60, seed=1)
AFTER = WEEK.last + timedelta(days=1)
LOAD, REFUSE, COMPARE, VIEWS = (
    "load a week by the DAG's tasks",
    "name the line that COPY refuses",
    "compare the week with its files",
    "need no view of a cluster alone",
)
REFUSED_LINE = "COPY refused 1 line"
# What Serverless does not have (https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-monitoring.html).
OF_A_CLUSTER = re.compile(r"\b(?:stl|stv|svl)_\w+", re.IGNORECASE)


def outcomes(
    arguments: dict[str, Any], schema: str, bucket: str, role: str, region: str, *, serverless: bool
) -> list[Outcome]:
    """Load the week into the schema, from objects that are deleted at the end.

    :param arguments: those of `redshift_connector.connect`.
    :param role: what COPY reads the bucket by: ``default``, or an ARN.
    :param serverless: whether a system view that only clusters have is a wrong answer.
    """
    prefix = f"conformance/{schema}"
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "outcomes.json"
        log = Path(folder) / "log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **_connections(arguments, schema, bucket, role, region, prefix),
            "AIRFLOW_HOME": f"{folder}/airflow",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        command_line = [sys.executable, "-m", "local.conformance.week", folder, bucket, prefix]
        with log.open("w") as output:
            done = subprocess.run(command_line, cwd=PROJECT, env=environment, stdout=output, stderr=output, check=False)
        if done.returncode or not result.is_file():
            raise LocalStackError(f"The week could not be loaded:\n{log.read_text()[-2000:]}")
        found = [
            Outcome(Statement(name, "", expect), got, RIGHT if got == expect else WRONG)
            for name, expect, got in json.loads(result.read_text())
        ]
    return [one for one in found if serverless or one.statement.name != VIEWS]


def _connections(
    arguments: dict[str, Any], schema: str, bucket: str, role: str, region: str, prefix: str
) -> dict[str, str]:
    """The two connections of Airflow, as its environment has them: no password is on a command line."""
    known = {name: value for name, value in arguments.items() if name in ("ssl", "sslmode")}
    redshift = {
        "conn_type": "redshift",
        "host": arguments["host"],
        "port": arguments["port"],
        "schema": arguments["database"],
        "login": arguments["user"],
        "password": arguments["password"],
        "extra": known,
    }
    aws = {
        "conn_type": "aws",
        "extra": {
            **({"region_name": region} if region else {}),
            "service_config": {
                "s3": {"bucket_name": bucket},
                "sparkify": {
                    "schema": schema,
                    "copy_role": role,
                    "control_bucket": bucket,
                    "control_prefix": f"{prefix}/control",
                },
            },
        },
    }
    return {
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(redshift),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
    }


def main(folder: Path, bucket: str, prefix: str) -> None:
    """Write what came of it into the folder: of each step its name, what was expected, and what it gave."""
    schema = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]["service_config"]["sparkify"]["schema"]
    files = folder / "files"
    generate(files, WEEK, False, lambda *_: None)
    with _uploaded(files, bucket, prefix), _heard() as heard:
        dag = _dag(prefix)
        # The first date by itself, and again with the others.
        loaded = _tried(dag, (WEEK.start, WEEK.start), (WEEK.start, WEEK.last))
        refused = _tried(dag, (AFTER, AFTER))
        compared = _compared(files, schema, folder)
    used = sorted({name for sql in heard for name in OF_A_CLUSTER.findall(sql)})
    found = [
        (LOAD, "loaded", loaded),
        (REFUSE, REFUSED_LINE, REFUSED_LINE if REFUSED_LINE in refused else refused),
        (COMPARE, "equal", compared),
        (VIEWS, "none", ", ".join(used) or "none"),
    ]
    (folder / "outcomes.json").write_text(json.dumps(found))


@contextlib.contextmanager
def _uploaded(files: Path, bucket: str, prefix: str) -> Iterator[None]:
    """The files below the prefix, and one of the day after with a line that is no JSON."""
    import boto3

    client = boto3.client("s3")
    try:
        for file in sorted(path for name in seeding.SOURCE_FOLDERS for path in (files / name).rglob("*")):
            if file.is_file():
                client.put_object(Bucket=bucket, Key=f"{prefix}/{file.relative_to(files)}", Body=file.read_bytes())
        broken = f"{prefix}/log_data/{AFTER:%Y/%m}/{AFTER}-events.json"
        client.put_object(Bucket=bucket, Key=broken, Body=b'{"ts": "x"}\n')
        yield
    finally:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
            for one in page.get("Contents", []):
                client.delete_object(Bucket=bucket, Key=one["Key"])


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """Every statement that the driver sends."""
    sent: list[str] = []
    execute = redshift_connector.Cursor.execute

    def noting(cursor: Any, operation: str, *arguments: Any, **named: Any) -> Any:
        sent.append(operation)
        return execute(cursor, operation, *arguments, **named)

    with mock.patch.object(redshift_connector.Cursor, "execute", noting):
        yield sent


def _dag(prefix: str) -> DAG:
    """The daily DAG, which looks for its files below the prefix."""
    from airflow.dag_processing.dagbag import DagBag

    file = str(PROJECT / "dags" / "sparkify_daily.py")
    bag = DagBag(file, collect_dags=False)
    bag.process_file(file)
    dag: DAG = bag.dags["sparkify_daily"]
    for task in dag.tasks:
        table: Any = getattr(task, "table", None)
        source = getattr(table, "source", None)
        if isinstance(source, DatedFiles):
            parts = source.parts and f"{prefix}/{source.parts}"
            source = dataclasses.replace(source, pattern=f"{prefix}/{source.pattern}", parts=parts)
        elif isinstance(source, Catalogue):
            source = dataclasses.replace(source, prefix=f"{prefix}/{source.prefix}")
        else:
            continue
        task.table = dataclasses.replace(table, source=source)
    return dag


def _run(dag: DAG, first: date, last: date) -> None:
    """Run the DAG's tasks in order."""
    params = {**dag.params.dump(), "log_date": str(first), "through": str(last)}
    run_id = f"conformance__{first}_{last}"
    for task in dag.topological_sort():
        published = SimpleNamespace(
            dag_id=dag.dag_id, run_id=run_id, task_id=task.task_id, try_number=1, xcom_push=lambda **_: None
        )
        context: Any = {
            "params": params,
            "dag_run": SimpleNamespace(run_type="manual", run_id=run_id),
            "run_id": run_id,
            "ti": published,
            "task": task,
        }
        copy = task.prepare_for_execution()
        copy.render_template_fields(context)
        copy.execute(context)


def _tried(dag: DAG, *runs: tuple[date, date]) -> str:
    """What came of runs of these first and last log dates: the word loaded, or why not."""
    try:
        for first, last in runs:
            _run(dag, first, last)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "loaded"


def _compared(files: Path, schema: str, folder: Path) -> str:
    options = Namespace(
        folder=files, schema=schema, skip_unreadable=False, examples=2, connection="redshift_default", host=None
    )
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            differs = command.run(Home(folder), options)
        except LocalStackError as error:
            return str(error)
    return said.getvalue() if differs else "equal"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
