"""A stack to be killed, and a warehouse schema in it at the moments before each task of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import connections
from local.stack.stack import temporary
from tests.conftest import RunningStack
from tests.faults import scenes
from tests.faults.attempts import Attempts, Stage, assert_nothing_is_left
from tests.faults.ground import PROGRAMS, Ground, Records
from tests.faults.survival import TASKS, Survivals
from tests.pipeline import Pipeline


@pytest.fixture
def survived(request: pytest.FixtureRequest) -> Survivals:
    """Call it once a fault that was survived: the table of all is shown at the end of the run."""
    return Survivals(request.node.user_properties)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A stack of its own, since it is killed."""
    with temporary(tmp_path_factory.mktemp("faults") / "home", PROGRAMS) as stack:
        running = RunningStack(
            home=stack.home,
            env=connections.environment(stack.home),
            s3=connections.s3_client(stack.home),
            redshift=connections.redshift_arguments(stack.home),
            bucket=connections.SOURCE_BUCKET,
            control_bucket=connections.CONTROL_BUCKET,
        )
        ground = Ground(stack, running)
        ground.clean_up_at_once()
        yield ground
        ground.wire.close()


@pytest.fixture(scope="session")
def recorded(ground: Ground) -> Iterator[Stage]:
    """A schema, and its rows as they are before each task of the run that loads the first date again.

    The scene is called as the task.
    """
    with pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline(ground.running, patch.setenv)
        pipeline.run(dag_id="sparkify_schema", only={"tables"})
        records = Records(ground, pipeline.schema)
        pipeline.put(scenes.files(scenes.BEFORE, scenes.SONGS_BEFORE))
        for log_date in (scenes.FIRST, scenes.SECOND):
            Attempts(ground, pipeline, log_date).finish("tables")
        scenes.deliver(pipeline, scenes.AFTER)
        run = Attempts(ground, pipeline, scenes.FIRST)
        statements = {}
        for task_id in TASKS:
            records.save(task_id)
            run.work(task_id)
            statements[task_id] = list(ground.wire.answered)
        records.save("end")
        pipeline.assert_equals(scenes.expected(scenes.AFTER))
        assert_nothing_is_left(pipeline)
        yield Stage(pipeline, records, statements)


@pytest.fixture
def stage(ground: Ground, recorded: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """That schema, with this process's connections led to it: other tests' pipelines may live as long as this one.

    Whatever happens there, nothing temporary must be left of it.
    """
    recorded.pipeline.connect(monkeypatch.setenv)
    yield recorded
    ground.wait_until_nothing_temporary_is_left()
