"""What the tasks talk to goes away at one statement or another: they fail so that they are tried again, and recover."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable

import pytest

from sparkify.loading.exceptions import Unavailable
from tests.conftest import FaultKind
from tests.faults import scenes
from tests.faults.attempts import TASKS, Attempts, after, assert_nothing_is_left, assert_recorded
from tests.faults.ground import RECORDING, Ground, Records
from tests.faults.wire import MOMENTS, Blow, Connection
from tests.pipeline import Pipeline

pytestmark = pytest.mark.faults

SEED = 9
LOADS = tuple(task_id for task_id in TASKS if task_id != "tables")


def suffers(
    ground: Ground, stage: tuple[Pipeline, Records], task_id: str, number: int, moment: str, blow: Blow
) -> Attempts:
    """A task is struck at its n-th statement and fails; then the run goes on, to what the files say."""
    pipeline, records = stage
    records.restore(task_id)
    before = records.fingerprint()
    run = Attempts(ground, pipeline, scenes.FIRST)
    assert run.strike(task_id, number, moment, blow), f"{task_id} did not notice the end of its connection"
    ground.bring_back()
    assert (records.fingerprint() != before) == bool(run.committed)
    run.finish(task_id)
    pipeline.assert_equals(scenes.expected(scenes.AFTER))
    assert_nothing_is_left(pipeline)
    assert_recorded(run)
    return run


def statements(ground: Ground, stage: tuple[Pipeline, Records], task_id: str) -> list[str]:
    """What a task asks of the warehouse when nothing goes wrong."""
    pipeline, records = stage
    records.restore(task_id)
    Attempts(ground, pipeline, scenes.FIRST).work(task_id)
    return list(ground.wire.answered)


def test_a_blow_that_fails_fails_the_test_and_keeps_nobody_waiting(
    ground: Ground, stage: tuple[Pipeline, Records]
) -> None:
    pipeline, records = stage

    def miss(_: Connection) -> None:
        raise AssertionError("there is nobody to strike")

    records.restore("users")
    with pytest.raises(AssertionError, match="there is nobody to strike"):
        Attempts(ground, pipeline, scenes.FIRST).strike("users", 3, "asked", miss)


@pytest.mark.parametrize("moment", ["asked", "answered"])
def test_a_connection_cut_at_the_log_in_is_made_anew_at_once(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], moment: str
) -> None:
    pipeline, _ = stage
    ground.wire.arm(0, moment)
    assert pipeline.rows("select 1") == [(1,)]
    assert ground.wire.struck.is_set()
    survived("cut")


def test_an_answer_torn_at_any_byte_is_tried_again(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None]
) -> None:
    pipeline, _ = stage
    kept, struck = 0, True
    while struck:
        # The log-in, five statements of the session's own, and the query.
        ground.wire.arm(6, "torn", kept=kept)
        try:
            with pipeline.session() as warehouse:
                assert warehouse.rows("select 1 as number, 'one' as name") == [(1, "one")]
        except Unavailable:
            survived("cut")
        kept, struck = kept + 1, ground.wire.struck.is_set()
    assert kept > 30


@pytest.mark.parametrize("task_id", LOADS)
def test_a_connection_cut_at_the_commit_loses_nothing_and_loads_nothing_twice(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], task_id: str
) -> None:
    commit = statements(ground, stage, task_id).index("commit") + 1
    for moment in MOMENTS:
        run = suffers(ground, stage, task_id, commit, moment, Connection.drop)
        assert run.committed[0] == (task_id, 1) if moment != "asked" else run.committed[0] == (task_id, 2)
        survived("cut")


@pytest.mark.parametrize("task_id", TASKS)
def test_a_connection_cut_at_a_statement_is_made_anew_by_the_next_try(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], task_id: str
) -> None:
    chance = random.Random(f"{SEED} {task_id}")
    last = len(statements(ground, stage, task_id)) - 1
    for moment in chance.sample(MOMENTS, 2):
        suffers(ground, stage, task_id, chance.randint(1, last), moment, Connection.drop)
        survived("cut")


@pytest.mark.parametrize("task_id", TASKS)
def test_a_session_that_the_warehouse_ends_is_made_anew_by_the_next_try(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], task_id: str
) -> None:
    def terminate(_: Connection) -> None:
        with ground.postgres() as connection:
            connection.execute("select pg_terminate_backend(%s, 60000)", [ground.backend(connection)])

    chance = random.Random(f"{SEED} {task_id}")
    last = len(statements(ground, stage, task_id)) - 1
    suffers(ground, stage, task_id, chance.randint(1, last), "asked", terminate)
    survived("server")


@pytest.mark.parametrize("task_id", TASKS)
def test_postgresql_recovers_from_the_kill_of_a_sessions_process(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], task_id: str
) -> None:
    def kill(_: Connection) -> None:
        with ground.postgres() as connection:
            os.kill(int(str(ground.backend(connection))), signal.SIGKILL)

    chance = random.Random(f"{SEED} {task_id}")
    last = len(statements(ground, stage, task_id)) - 1
    suffers(ground, stage, task_id, chance.randint(1, last), "asked", kill)
    survived("server")


@pytest.mark.parametrize("program", ["redshift", "postgres"])
@pytest.mark.parametrize("task_id", TASKS)
def test_a_server_killed_in_a_task_and_after_its_commit_and_brought_back_has_all_or_nothing(
    ground: Ground, stage: tuple[Pipeline, Records], survived: Callable[[FaultKind], None], task_id: str, program: str
) -> None:
    asked = statements(ground, stage, task_id)
    chance = random.Random(f"{SEED} {task_id} {program}")
    moments = [(chance.randint(1, len(asked) - 1), "asked")]
    if task_id in LOADS:
        moments.append((asked.index("commit") + 1, "answered"))

    def kill(connection: Connection) -> None:
        ground.kill(program)
        connection.drop()

    for number, moment in moments:
        suffers(ground, stage, task_id, number, moment, kill)
        survived("server")


@pytest.fixture(scope="module")
def durations() -> dict[str, float]:
    """How many seconds each task takes, as far as that was measured."""
    return {}


@pytest.mark.parametrize("number", range(18))
def test_a_task_killed_at_any_moment_is_made_good_by_its_next_try(
    ground: Ground,
    stage: tuple[Pipeline, Records],
    survived: Callable[[FaultKind], None],
    durations: dict[str, float],
    number: int,
) -> None:
    pipeline, records = stage
    chance = random.Random(f"{SEED} {number}")
    task_id = LOADS[number % len(LOADS)]
    if task_id not in durations:
        records.restore(task_id)
        durations[task_id] = Attempts(ground, pipeline, scenes.FIRST).seconds_of(task_id)
    killed, moment = False, durations[task_id] * chance.random()
    while not killed:
        records.restore(task_id)
        run = Attempts(ground, pipeline, scenes.FIRST)
        killed = run.kill_task_after(task_id, moment)
        # It may be quicker than when it was measured.
        moment /= 2
    scene = after(task_id) if run.committed else task_id
    assert records.fingerprint(without=RECORDING) == records.fingerprint(without=RECORDING, scene=scene)
    run.finish(task_id)
    pipeline.assert_equals(scenes.expected(scenes.AFTER))
    assert_nothing_is_left(pipeline)
    assert_recorded(run)
    survived("kill")
