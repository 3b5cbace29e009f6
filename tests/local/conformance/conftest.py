"""What the tests of the package's statements share: the statements, heard once a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.local.conformance.emission import statements


@pytest.fixture(scope="session")
def heard(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """Every statement of the story, in the order in which the warehouse heard them."""
    return statements(stack, tmp_path_factory.mktemp("log") / "statements")
