"""docker-compose.yaml with the secrets of a deployment."""

from __future__ import annotations

import re
from typing import Any

import pytest

from deploy.environment import complete
from tests.deploy.compose import read
from tests.pipeline import PROJECT


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `make env` writes into .env."""
    path = tmp_path_factory.mktemp("compose") / ".env"
    complete(path)
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))


@pytest.fixture(scope="session")
def config(variables: dict[str, str]) -> Any:
    """The whole file, profile ``local`` included."""
    return read(PROJECT, variables, "local")
