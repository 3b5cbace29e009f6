"""A task's process is killed with -9 in each of its phases, and the run goes on to what the files say."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest

from tests import made_schema
from tests.faults import scenes
from tests.faults.attempts import Attempts, Stage, after, assert_nothing_is_left, assert_recorded, kill_at
from tests.faults.ground import RECORDING, Ground
from tests.faults.survival import SCHEMAS, TASKS, Survivals, places
from tests.include import old_schema
from tests.made_schema import Shape
from tests.pipeline import Pipeline

pytestmark = pytest.mark.faults

SEED = 9
# What happens between a kill and the next try.
INTERLUDES = ("nothing", "nothing", "another file", "nothing", "nothing", "a task cleared")
MANIFESTS = r"sparkify/manifests/sparkify_daily/run_\d+/stage_(events|songs)/try-\d/[\w-]+\.(manifest|json)"


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_killed_in_any_phase_leaves_all_or_nothing_and_its_next_try_completes_it(
    ground: Ground, stage: Stage, survived: Survivals, task_id: str, *, every_statement: bool
) -> None:
    pipeline, records, statements = stage
    chance = random.Random(f"{SEED} {task_id}")
    scenes.deliver(pipeline, scenes.AFTER)
    done = records.fingerprint(without=RECORDING, scene=after(task_id))
    kills = places(statements[task_id], chance, every=every_statement)
    survived.has(task_id, (place.phase for place in kills))
    for place, what in zip(kills, itertools.cycle(INTERLUDES), strict=False):
        records.restore(task_id)
        before = records.fingerprint()
        run = Attempts(ground, pipeline, scenes.FIRST)
        assert run.kill_task(task_id, place.number, place.moment), f"{task_id} ended before its {place}"
        assert (records.fingerprint() != before) == bool(run.committed) == (place.phase == "after commit")
        if what == "nothing":
            run.work(task_id)
            assert records.fingerprint(without=RECORDING) == done
            assert_recorded(run)
        else:
            _go_on(what, run, task_id, chance)
        survived(task_id, place.phase, "kill")
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


def shape(ground: Ground, pipeline: Pipeline) -> Shape:
    """The tables and views of a schema with their columns, rules and texts."""
    with ground.postgres() as connection:
        return made_schema.shape(connection, pipeline.schema)


def relations(ground: Ground, pipeline: Pipeline) -> set[int]:
    """The numbers of a schema's tables and views, which none has again that is dropped and created."""
    with ground.postgres() as connection:
        found = connection.execute(
            "select oid from pg_class where relnamespace = to_regnamespace(%s) and relkind in ('r', 'v')",
            [pipeline.schema],
        )
        return {int(number) for (number,) in found}


def drop_schema(ground: Ground, pipeline: Pipeline) -> None:
    """Forget all of a schema, if it is there."""
    ground.wait_until_no_task_is_connected()
    with ground.postgres() as connection:
        made_schema.drop(connection, pipeline.schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_whose_making_is_killed_is_whole_after_the_next_try(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, survived: Survivals, name: str, *, every_statement: bool
) -> None:
    pipeline = Pipeline(ground.running, monkeypatch.setenv)
    rebuild, upgrade = name == "a rebuilt schema", name == "an upgraded schema"
    params: dict[str, Any] = {"rebuild": pipeline.schema} if rebuild else {}

    def make(*tasks: str) -> None:
        pipeline.run(dag_id="sparkify_schema", only=tasks, **params)

    def begin_again() -> None:
        drop_schema(ground, pipeline)
        if rebuild:
            pipeline.run(dag_id="sparkify_schema")
            pipeline.execute("insert into users (user_id) values (1)")
        if upgrade:
            old_schema.create(pipeline)
            pipeline.execute("insert into users_pending (user_id) values (1)")

    begin_again()
    before = shape(ground, pipeline)
    ground.wire.arm()
    make("tables")
    kills = places(ground.wire.answered, random.Random(f"{SEED} {name}"), every=every_statement)
    make("views")
    whole = shape(ground, pipeline)
    assert upgrade or before == (whole if rebuild else [])
    survived.has(name, (place.phase for place in kills))
    for place in kills:
        begin_again()
        old = relations(ground, pipeline)
        assert kill_at(ground, lambda: make("tables"), place.number, place.moment)  # called at once
        ground.wait_until_no_task_is_connected()
        assert upgrade or old & relations(ground, pipeline) in (old, set())
        make("tables", "views")
        assert shape(ground, pipeline) == whole
        assert pipeline.rows("select count(*) from users") == [(0,)]
        assert pipeline.rows("select user_id from users_queue") == ([(1,)] if upgrade else [])
        survived(name, place.phase, "kill")
    drop_schema(ground, pipeline)
