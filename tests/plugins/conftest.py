"""A pipeline for each test: its own bucket, and tables that were emptied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.made_schema import MadeSchema
from tests.pipeline import Pipeline


@pytest.fixture
def pipeline(stack: Any, schema: MadeSchema, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A pipeline with an empty bucket; its tables are emptied, and made again if the test changed any."""
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield made
    made.empty()
