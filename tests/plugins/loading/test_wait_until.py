"""The trigger of a task that waits."""

from __future__ import annotations

import asyncio
import importlib
from datetime import UTC, datetime, timedelta

import pytest

from sparkify.loading.wait_until import WaitUntil


@pytest.mark.parametrize("seconds", [-3600, 0.3])
def test_another_triggerer_makes_it_again_from_what_the_first_has_stored(seconds: float) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    path, arguments = WaitUntil(moment.isoformat()).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)

    async def fired() -> list[object]:
        return [event.payload async for event in again.run()]

    assert asyncio.run(fired()) == [moment.isoformat()]
    assert datetime.now(UTC) >= moment
