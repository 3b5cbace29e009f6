"""The page on a metadata database of its own, asked as a signed-in user would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.api_fastapi.common.db.common import _get_session
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from sparkify.ui import records
from sparkify.ui.app import make_app, routes
from tests.plugins.ui.metadata import Metadata

Count = Callable[[Callable[[], object]], int]


def client_of(engine: Engine) -> TestClient:
    """The page as it stands behind Airflow's own check of who asks."""

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    app = make_app()
    app.dependency_overrides[_get_session] = session
    for asked in routes.dependencies:
        assert asked.dependency
        app.dependency_overrides[asked.dependency] = lambda: None
    return TestClient(app)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with Airflow's tables, to be copied: to make them takes longer than most tests do."""
    path = tmp_path_factory.mktemp("metadata") / "airflow.db"
    Metadata(f"sqlite:///{path}").engine.dispose()
    return path


@pytest.fixture
def metadata(empty_database: Path, tmp_path: Path) -> Iterator[Metadata]:
    """An empty metadata database."""
    path = shutil.copy(empty_database, tmp_path)
    made = Metadata(f"sqlite:///{path}", has_tables=True)
    yield made
    made.engine.dispose()


@pytest.fixture
def client(metadata: Metadata, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A browser without a window, before a server that has answered nobody yet."""
    monkeypatch.setattr(records, "_OUTCOMES", {})
    return client_of(metadata.engine)


@pytest.fixture
def statements(metadata: Metadata) -> Count:
    """How many SQL statements something takes."""

    def count(work: Callable[[], object]) -> int:
        seen: list[str] = []

        def note(*arguments: Any) -> None:
            seen.append(arguments[2])

        event.listen(metadata.engine, "before_cursor_execute", note)
        work()
        event.remove(metadata.engine, "before_cursor_execute", note)
        return len(seen)

    return count
