"""A pipeline of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline import Pipeline


@pytest.fixture
def pipeline(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A schema with all tables and an empty bucket; dropped afterwards."""
    made = Pipeline(stack, monkeypatch.setenv)
    made.run(dag_id="sparkify_schema")
    yield made
    made.drop()
