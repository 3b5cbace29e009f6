"""What a catalogue of 100,000 files costs a run: requests, statements, and memory of the worker.

``MANY_KEYS=1000000 pytest -s tests/plugins/test_many_keys.py -k unchanged`` measures another number of files.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
import psutil
import psycopg
import pytest
from psycopg import sql

from local.s3 import REGION
from local.stack import databases
from sparkify.loading.source import SourceFile, fingerprint
from sparkify.loading.source_files import Catalogue
from tests.local.redshift.conftest import free_port
from tests.many_objects import (
    BUCKET,
    CONTROL_BUCKET,
    FOLDERS,
    PREFIX,
    content,
    etag,
    folder,
    key,
    requests_since,
    serving,
    song,
)
from tests.own_stand_in import own_stand_in
from tests.pipeline import Pipeline
from tests.plugins.counted import Statements

pytestmark = pytest.mark.cost

KEYS = int(os.environ.get("MANY_KEYS", "100000"))
A_PAGE = 1_000
LETTERS = 26
# The pages that are read at a time, whatever the number of keys, and what grows with it: 100 MB at 1,000,000.
MOST_MEGABYTES = 30 + 70 * KEYS / 1_000_000
LOG_DATE = "2018-11-01"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 with the catalogue."""
    with serving(KEYS, free_port()) as url:
        yield url


@pytest.fixture
def catalogue(pipeline: Pipeline, stack: Any, s3: str) -> Iterator[Pipeline]:
    """The pipeline where all of the catalogue has been loaded, as the ledger and the staging table say."""
    aws = json.loads(stack.env["AIRFLOW_CONN_AWS_DEFAULT"])
    settings = {"schema": pipeline.schema, "copy_role": "default", "control_bucket": CONTROL_BUCKET}
    services = {"s3": {"bucket_name": BUCKET}, "sparkify": settings}
    aws["extra"] |= {"endpoint_url": s3, "service_config": services}
    with own_stand_in(stack, environment={"AWS_ENDPOINT_URL": s3}) as port:
        redshift = json.loads(stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
        pipeline.set_connection("redshift_default", redshift | {"port": port})
        pipeline.set_connection("aws_default", aws)
        _fill(stack, pipeline.schema)
        # What only the first request of a process costs.
        pipeline.run(LOG_DATE, only=["tables"])
        requests_since(s3)
        yield pipeline


def _fill(stack: Any, schema: str) -> None:
    """Write what loading the catalogue would have left; by way of COPY it would take minutes."""
    by_folder: dict[str, list[SourceFile]] = defaultdict(list)
    for number in range(KEYS):
        by_folder[folder(number)].append(SourceFile(BUCKET, key(number), 0, etag(number)))
    with psycopg.connect(databases.admin_dsn(stack.home, databases.WAREHOUSE)) as connection:
        cursor = connection.cursor()
        for table, columns, rows in (
            ("staged_files", ["folder", "file_name", "etag"], ((folder(n), key(n), etag(n)) for n in range(KEYS))),
            (
                "staged_folders",
                ["folder", "files", "fingerprint"],
                (
                    (name, len(files), fingerprint(Catalogue(PREFIX), sorted(files, key=lambda file: file.key)))
                    for name, files in by_folder.items()
                ),
            ),
            ("staging_songs", [*song(0), "folder"], ((*song(n).values(), folder(n)) for n in range(KEYS))),
        ):
            of_table = table != "staging_songs"
            named = sql.SQL(", ").join(map(sql.Identifier, ["table_name", *columns] if of_table else columns))
            target = sql.Identifier(schema, table)
            with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(target, named)) as copy:
                for row in rows:
                    copy.write_row(("staging_songs", *row) if of_table else row)


@pytest.fixture
def client(s3: str) -> Any:
    """Who delivers files."""
    connect: Any = boto3.client
    return connect("s3", endpoint_url=s3, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


class Peak:
    """How many megabytes this process took at most beyond what it had, seen every millisecond."""

    def __init__(self) -> None:
        self.megabytes = 0.0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        process, over = psutil.Process(), threading.Event()
        before = process.memory_info().rss

        def watch() -> None:
            while not over.wait(0.001):
                self.megabytes = max(self.megabytes, (process.memory_info().rss - before) / 1e6)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def stage(pipeline: Pipeline, statements: Statements) -> None:
    """Run the task that stages songs, and note what it sends."""
    statements.sent.clear()
    for task, context in pipeline.tasks(LOG_DATE, only=["stage_songs"]):
        statements.task = task.task_id
        task.execute(context)


def in_folder(number: int) -> int:
    """How many files the folder of this one has."""
    return len(range(number % FOLDERS, KEYS, FOLDERS))


def test_an_unchanged_catalogue_costs_its_listing_and_little_memory(
    catalogue: Pipeline, statements: Statements, s3: str
) -> None:
    peak = Peak()
    with peak.watching():
        stage(catalogue, statements)
    asked = requests_since(s3)
    print(f"{asked}, {peak.megabytes:.1f} MB, {statements.number} statements")
    # A page that is too small, the letters, and each letter's last page, which is not full.
    assert set(asked) == {"LIST"}
    assert asked["LIST"] <= KEYS / A_PAGE + LETTERS + 2
    assert statements.number == 2
    assert peak.megabytes <= MOST_MEGABYTES


def test_a_new_file_costs_that_file(catalogue: Pipeline, statements: Statements, s3: str, client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key=f"{folder(5)}Z/TR.json", Body=content(KEYS))
    requests_since(s3)
    try:
        stage(catalogue, statements)
        asked = requests_since(s3)
        print(asked, statements.number)
        assert asked["GET song"] == 1
        assert catalogue.rows("select count(*) from staging_songs") == [(KEYS + 1,)]
    finally:
        client.delete_object(Bucket=BUCKET, Key=f"{folder(5)}Z/TR.json")


def test_a_changed_file_and_a_vanished_one_cost_their_folders(
    catalogue: Pipeline, statements: Statements, s3: str, client: Any
) -> None:
    changed, vanished = 7, 8
    client.put_object(Bucket=BUCKET, Key=key(changed), Body=content(KEYS))
    client.delete_object(Bucket=BUCKET, Key=key(vanished))
    requests_since(s3)
    try:
        stage(catalogue, statements)
        asked = requests_since(s3)
        print(asked, statements.number)
        assert asked["GET song"] == in_folder(changed) + in_folder(vanished) - 1
        assert asked["LIST"] <= KEYS / A_PAGE + LETTERS + 2 + 2
        assert catalogue.rows("select count(*) from staging_songs") == [(KEYS - 1,)]
        history = "select rows_deleted, rows_inserted from load_history where table_name = 'staging_songs'"
        folders = in_folder(changed) + in_folder(vanished)
        assert catalogue.rows(history) == [(folders, folders - 1)]
    finally:
        for number in (changed, vanished):
            client.put_object(Bucket=BUCKET, Key=key(number), Body=content(number))
