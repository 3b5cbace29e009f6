"""The trigger that wakes a waiting task at a given moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

# In between it looks at the clock, which somebody may set.
LONGEST_SLEEP_SECONDS = 60.0


class WaitUntil(BaseTrigger):
    """
    Fires at a moment.

    The moment is all that it holds, so another triggerer goes on where one ended. Airflow's own trigger of this kind
    writes a line a second into the task's log.

    :param moment: when, in ISO format with a zone.
    """

    def __init__(self, moment: str) -> None:
        super().__init__()
        self.moment = moment

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the metadata database holds of it."""
        return f"{__name__}.{type(self).__name__}", {"moment": self.moment}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep until then."""
        moment = datetime.fromisoformat(self.moment)
        while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110  # it waits for the clock, which sends no event
            await asyncio.sleep(min(left, LONGEST_SLEEP_SECONDS))
        yield TriggerEvent(self.moment)
