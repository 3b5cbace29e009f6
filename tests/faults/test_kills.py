"""A task's process is killed with -9 at every statement, and the run goes on to what the files say."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from tests.faults import scenes
from tests.faults.attempts import TASKS, Attempts, after, assert_nothing_is_left, assert_recorded
from tests.faults.ground import RECORDING, Ground, Records
from tests.pipeline import Pipeline

pytestmark = pytest.mark.faults

SEED = 9
INTERLUDES = ("nothing", "nothing", "another file", "nothing", "nothing", "a task cleared")
MANIFESTS = r"sparkify/manifests/sparkify_daily/run_\d+/stage_(events|songs)/try-\d/[\w-]+\.(manifest|json)"


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_killed_at_any_statement_leaves_all_or_nothing_and_is_made_good_by_its_next_try(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[], None], task_id: str
) -> None:
    pipeline, records = stage
    chance = random.Random(f"{SEED} {task_id}")
    scenes.deliver(pipeline, scenes.AFTER)
    done = records.fingerprint(without=RECORDING, scene=after(task_id))
    number = 0
    while True:
        records.restore(task_id)
        before = records.fingerprint()
        run = Attempts(ground, pipeline, scenes.FIRST)
        if not run.kill_task(task_id, number):
            break
        assert (records.fingerprint() != before) == bool(run.committed)
        what = INTERLUDES[number % len(INTERLUDES)]
        if what == "nothing":
            run.work(task_id)
            assert records.fingerprint(without=RECORDING) == done
            assert_recorded(run)
        else:
            _go_on(what, run, task_id, chance)
        survived()
        number += 1
    assert number > 5
    # A manifest says what a try copied, and is in nobody's way.
    assert all(re.fullmatch(MANIFESTS, key) for key in keys(pipeline))


def keys(pipeline: Pipeline) -> list[str]:
    """What the tasks left in the control bucket."""
    pages = pipeline.s3.get_paginator("list_objects_v2").paginate(Bucket=pipeline.control_bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def _go_on(what: str, run: Attempts, task_id: str, chance: random.Random) -> None:
    """Something else happens between the kill and the next try; the run goes on to its end."""
    first, events = task_id, scenes.AFTER
    if what == "another file":
        first, events = min(task_id, "stage_events", key=TASKS.index), scenes.ANOTHER
        scenes.deliver(run.pipeline, events)
    else:
        run.work(chance.choice([other for other in TASKS[1:-1] if other != task_id]))
    run.finish(first)
    run.pipeline.assert_equals(scenes.expected(events))
    assert_nothing_is_left(run.pipeline)
    assert_recorded(run)
    scenes.deliver(run.pipeline, scenes.AFTER)
