"""A bucket and tables for each case, and what a user does with them: seed, load, verify."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cli
from local.ask import questions
from local.reference import COLUMNS
from local.seeding import seed
from tests.conftest import RunningStack
from tests.made_schema import MadeSchema
from tests.pipeline import Pipeline

EQUAL = f"All {len(COLUMNS)} tables are equal to the files."
"""What `verify` ends with."""


class Ground:
    """A pipeline that takes its files from folders, as ``seed`` does, and is verified as ``verify`` does."""

    def __init__(self, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
        self.pipeline = pipeline
        self._capsys = capsys

    def seed(self, folder: Path) -> set[str]:
        """Upload a folder; returns the keys of all objects that the bucket then has."""
        seed(self.pipeline.s3, self.pipeline.bucket, folder, False, lambda _done, _total: None)
        listed = self.pipeline.s3.list_objects_v2(Bucket=self.pipeline.bucket)
        return {found["Key"] for found in listed.get("Contents", [])}

    def question(self, name: str) -> str:
        """The SELECT that answers a question of ``include/sql/analytics``."""
        return questions()[name].sql

    def verify(self, folder: Path, *options: str) -> tuple[int, str]:
        """The exit code of ``verify`` and what it says."""
        self._capsys.readouterr()
        code = cli.main(["verify", str(folder), "--schema", self.pipeline.schema, *options])
        said = self._capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
def ground(
    stack: RunningStack, schema: MadeSchema, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Ground]:
    """An empty bucket and empty tables; commands find the stack."""
    monkeypatch.setenv("SPARKIFY_HOME", str(stack.home.folder))
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield Ground(made, capsys)
    made.empty()
