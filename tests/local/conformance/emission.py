"""Every statement that the package sends to the warehouse, heard from a small story told to the DAGs.

The questions of the analytics, which people ask, are asked at its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sparkify.loading.load_errors
import sparkify.loading.warehouse
from local.ask import questions
from local.stack.programs import RedshiftProgram
from sparkify.loading.exceptions import DataError, Unavailable
from tests.examples import event
from tests.local.redshift.conftest import free_port
from tests.month import SONGS
from tests.pipeline import Pipeline

FIRST, SECOND, THIRD = date(2018, 11, 1), date(2018, 11, 2), date(2018, 11, 3)
NOON = 1_541_073_600_000
DAY = 86_400_000
PLAY = {"page": "NextSong", "artist": "Des'ree", "song": "You Gotta Be", "length": 246.30813}


def statements(stack: Any, log: Path) -> list[str]:
    """Run the story against a stand-in of its own that writes down what it hears."""
    with pytest.MonkeyPatch.context() as patch, listening(stack, log) as port:
        connection = json.loads(stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"]) | {"port": port}
        env = {**stack.env, "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(connection)}
        pipeline = Pipeline(SimpleNamespace(env=env, s3=stack.s3), patch.setenv)
        try:
            _story(pipeline, patch)
        finally:
            heard = [json.loads(line) for line in log.read_text().splitlines()]
            pipeline.drop()
            pipeline.execute(f"drop role {_reader(pipeline)}")
    return heard


def _reader(pipeline: Pipeline) -> str:
    return f"reader_of_{pipeline.schema}"


def _story(pipeline: Pipeline, patch: pytest.MonkeyPatch) -> None:
    pipeline.run(dag_id="sparkify_schema")
    pipeline.run(dag_id="sparkify_warehouse", only={"copy_works"})
    pipeline.put({"song_data/A/A/A/TRA.json": json.dumps(SONGS[2]).encode()})
    pipeline.put_events(FIRST, [event(ts=NOON, itemInSession=1, **PLAY), event(ts=NOON, itemInSession=2)])
    pipeline.put_events(SECOND, [event(ts=NOON + DAY, level="paid"), event(ts=NOON, itemInSession=1, **PLAY)])
    pipeline.run(SECOND)
    pipeline.run(FIRST, SECOND)
    _deliver_other_events_and_songs(pipeline)
    _deliver_bad_lines(pipeline, patch)
    _break_a_check(pipeline)
    _wait_for_a_lock(pipeline, patch)
    for question in questions().values():
        pipeline.rows(question.sql)
    pipeline.run(dag_id="sparkify_report", only={"report"})
    pipeline.run(dag_id="sparkify_schema", rebuild=pipeline.schema, reader_role=_reader(pipeline))


def _deliver_other_events_and_songs(pipeline: Pipeline) -> None:
    pipeline.put_events(FIRST, [])
    pipeline.put({"song_data/A/A/B/TRB.json": json.dumps(SONGS[0]).encode()})
    pipeline.run(FIRST)
    pipeline.remove("song_data/A/A/A/TRA.json")
    pipeline.run(FIRST, THIRD, missing_file="skip")


def _deliver_bad_lines(pipeline: Pipeline, patch: pytest.MonkeyPatch) -> None:
    pipeline.put({f"log_data/2018/11/{THIRD}-events.json": json.dumps(event()).encode() + b'\n{"ts": "x"}'})
    pipeline.run(THIRD, max_bad_lines=1)
    with pytest.raises(DataError, match="COPY refused 1 line"):
        pipeline.run(THIRD)
    # What a cluster is asked that does not show the first of the two views.
    with patch.context() as older:
        older.setattr(sparkify.loading.load_errors, "QUERIES", sparkify.loading.load_errors.QUERIES[1:])
        with pytest.raises(DataError, match="COPY refused 1 line"):
            pipeline.run(THIRD)
    # What is asked where the driver keeps no notices.
    with patch.context() as silent:
        silent.setattr(sparkify.loading.warehouse.Warehouse, "notices", lambda warehouse: [])
        pipeline.run(THIRD, max_bad_lines=1)


def _break_a_check(pipeline: Pipeline) -> None:
    pipeline.execute("delete from users")
    with pytest.raises(DataError, match="checks failed"):
        pipeline.run(SECOND, only={"check_warehouse"})


def _wait_for_a_lock(pipeline: Pipeline, patch: pytest.MonkeyPatch) -> None:
    with pipeline.session() as other, other.transaction("songplays"), patch.context() as impatient:
        impatient.setattr(sparkify.loading.warehouse, "LOCK_TIMEOUT_MS", 200)
        with pytest.raises(Unavailable, match="held by user"):
            pipeline.run(SECOND, only={"songplays"})


@contextlib.contextmanager
def listening(stack: Any, log: Path) -> Iterator[int]:
    """The port of a stand-in that appends every statement it hears to *log*."""
    program, port = RedshiftProgram(), free_port()
    command = [*program.command(stack.home), "--port", str(port), "--statement-log", str(log)]
    environment = os.environ | program.environment(stack.home)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "ready on" in process.stderr.readline()
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)
