"""A pipeline for each test: its own bucket, and tables that were emptied."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sparkify.loading.warehouse import Warehouse
from tests.made_schema import MadeSchema
from tests.pipeline import Pipeline
from tests.plugins.counted import Statements


@pytest.fixture
def pipeline(stack: Any, schema: MadeSchema, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A pipeline with an empty bucket; its tables are emptied, and made again if the test changed any."""
    made = Pipeline(stack, monkeypatch.setenv, schema)
    yield made
    made.empty()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Notes what every session sends."""
    noted = Statements()
    send = Warehouse._cursor

    @contextlib.contextmanager
    def noting(self: Warehouse, sql: str, parameters: Sequence[object] | None) -> Iterator[Any]:
        noted.note(sql)
        with send(self, sql, parameters) as cursor:
            yield cursor

    monkeypatch.setattr(Warehouse, "_cursor", noting)
    return noted
