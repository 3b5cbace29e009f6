"""A loaded schema, and copies of it for the tests to damage."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.query import run
from local.reference import COLUMNS
from local.stack.home import Home
from tests.conftest import RunningStack
from tests.month import small_month
from tests.pipeline import WRITING, Pipeline


@dataclass(frozen=True)
class Loaded:
    """A schema that the DAG loaded from the files in a folder."""

    home: Home
    schema: str
    folder: Path

    def sql(self, statement: str) -> None:
        """Run a statement that names its tables as ``{schema}.table``."""
        run(self.home, statement.format(schema=self.schema))


@pytest.fixture(scope="session")
def original(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("verified")
    month = small_month()
    month.write_to(folder)
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        pipeline.put(month.files)
        pipeline.run(dag_id="sparkify_schema")
        pipeline.run(month.first, month.last, only=WRITING)
        yield Loaded(stack.home, pipeline.schema, folder)
        pipeline.drop()


@pytest.fixture
def loaded(original: Loaded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:
    """A copy of the loaded schema, which a test may damage; the command finds its home."""
    monkeypatch.setenv("SPARKIFY_HOME", str(original.home.folder))
    copy = Loaded(original.home, f"v_{uuid.uuid4().hex[:12]}", original.folder)
    copy.sql("create schema {schema}")
    for table in COLUMNS:
        copy.sql(f"create table {{schema}}.{table} (like {original.schema}.{table})")
        copy.sql(f"insert into {{schema}}.{table} select * from {original.schema}.{table}")
    yield copy
    copy.sql("drop schema {schema} cascade")
