"""docker-compose.yaml as the real compose understands it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.environment import complete
from tests.pipeline import PROJECT

BINARY = Path(sys.executable).parent / "docker-compose"

Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of a deployment."""
    path = tmp_path_factory.mktemp("compose") / ".env"
    complete(path)
    return path


@pytest.fixture(scope="session")
def compose() -> Compose:
    """Runs compose with no variables but those of a file."""
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}

    def run(env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BINARY, "--project-directory", PROJECT, "--env-file", env_file, *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def config(env_file: Path, compose: Compose) -> Any:
    """The whole file, profile ``local`` included."""
    done = compose(env_file, "--profile", "local", "config", "--format", "json")
    assert done.stderr == ""
    return json.loads(done.stdout)
