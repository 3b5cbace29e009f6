"""A task's process is killed with -9 at every statement, and the run goes on to what the files say."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.examples import Raw
from tests.faults import scenes
from tests.faults.attempts import TASKS, Attempts, assert_recovered
from tests.faults.ground import Ground, Records
from tests.pipeline import Pipeline

pytestmark = pytest.mark.faults

SEED = 9
INTERLUDES = ("nothing", "another file", "a task cleared")


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_killed_at_any_statement_leaves_all_or_nothing_and_is_made_good_by_its_next_try(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[], None], task_id: str
) -> None:
    pipeline, records = stage
    chance = random.Random(f"{SEED} {task_id}")
    scenes.deliver(pipeline, scenes.AFTER)
    number = 0
    while True:
        records.restore(task_id)
        before = records.fingerprint()
        run = Attempts(ground, pipeline, scenes.FIRST)
        if not run.kill_task(task_id, number):
            break
        assert (records.fingerprint() != before) == bool(run.committed)
        first, events = _interlude(INTERLUDES[number % 3], run, task_id, chance)
        run.finish(first)
        pipeline.assert_equals(scenes.expected(events))
        assert_recovered(run)
        if events is not scenes.AFTER:
            scenes.deliver(pipeline, scenes.AFTER)
        survived()
        number += 1
    assert number > 5


def _interlude(what: str, run: Attempts, task_id: str, chance: random.Random) -> tuple[str, tuple[Raw, ...]]:
    """What happens between the kill and the next try: the task that the run goes on with, and the events delivered."""
    if what == "another file":
        scenes.deliver(run.pipeline, scenes.ANOTHER)
        return min(task_id, "stage_events", key=TASKS.index), scenes.ANOTHER
    if what == "a task cleared":
        run.work(chance.choice([other for other in TASKS[1:-1] if other != task_id]))
    return task_id, scenes.AFTER
