"""A schema in which every check passes, for the tests to spoil."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.include.faults import Sound
from tests.pipeline import Pipeline


@pytest.fixture(scope="module")
def loaded(stack: Any) -> Iterator[Sound]:
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(stack, patch.setenv)
        pipeline.run(dag_id="sparkify_schema")
        made = Sound(pipeline)
        yield made
        made.drop()


@pytest.fixture
def sound(loaded: Sound) -> Iterator[Sound]:
    yield loaded
    loaded.restore()
