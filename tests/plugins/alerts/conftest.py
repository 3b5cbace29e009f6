"""A metadata database of its own, with the runs that a test puts into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.ui.metadata import Metadata


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[Metadata]:
    """An empty metadata database."""
    made = Metadata(f"sqlite:///{tmp_path / 'airflow.db'}")
    yield made
    made.engine.dispose()
