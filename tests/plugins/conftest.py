"""A pipeline for each test: its own bucket, and tables that were emptied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline import Pipeline


@pytest.fixture(scope="session")
def schema(stack: Any) -> Iterator[str]:
    """A schema with all tables, which the tests share one after the other."""
    with pytest.MonkeyPatch.context() as patch:
        made = Pipeline(stack, patch.setenv)
        # Without the views, of whose tables the stand-in lets none be dropped.
        made.run(dag_id="sparkify_schema", only={"tables"})
        yield made.schema
        made.drop()


@pytest.fixture
def pipeline(stack: Any, schema: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A pipeline with an empty bucket; its tables are emptied, and made again if the test dropped any."""
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield made
    made.empty()
