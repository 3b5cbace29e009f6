"""What the tasks talk to goes away at one statement or another: they fail so that they are tried again, and recover."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping

import pytest

from sparkify.loading.exceptions import Unavailable
from tests.faults import scenes
from tests.faults.attempts import Attempts, Stage, after, assert_recorded
from tests.faults.ground import RECORDING, Ground
from tests.faults.survival import COMMITTING, LOADS, SERVERS, STRUCK, TASKS, Fault, Place, Survivals, place_of, places
from tests.faults.wire import MOMENTS, Blow, Connection

pytestmark = pytest.mark.faults

SEED = 9


def suffers(ground: Ground, stage: Stage, task_id: str, place: Place, blow: Blow) -> None:
    """A task is struck at a place and fails; its next try leaves what it leaves when nothing goes wrong."""
    pipeline, records, _ = stage
    records.restore(task_id)
    before = records.fingerprint()
    run = Attempts(ground, pipeline, scenes.FIRST)
    assert run.strike(task_id, place.number, place.moment, blow), f"{task_id} did not notice the end of its connection"
    ground.bring_back()
    assert (records.fingerprint() != before) == bool(run.committed) == (place.phase == "after commit")
    run.work(task_id)
    assert records.fingerprint(without=RECORDING) == records.fingerprint(without=RECORDING, scene=after(task_id))
    assert_recorded(run)


def where(stage: Stage, task_id: str, fault: Fault, *, every_statement: bool) -> list[Place]:
    """Where a task is struck: in the phase of :data:`STRUCK`, or in each."""
    chance, statements = random.Random(f"{SEED} {task_id} {fault}"), stage.statements[task_id]
    if not every_statement:
        return [place_of(statements, STRUCK[task_id], chance)]
    # A task that has heard that its commit is done does not mind the end of its session alone.
    over = {"after commit"} if fault in ("session", "backend") else set()
    return [place for place in places(statements, chance) if place.phase not in over]


def blows(ground: Ground) -> Mapping[Fault, Blow]:
    """What ends a task's session from outside, by the fault's name."""

    def terminate(_: Connection) -> None:
        with ground.postgres() as connection:
            connection.execute("select pg_terminate_backend(%s, 60000)", [ground.backend(connection)])

    def kill_backend(_: Connection) -> None:
        with ground.postgres() as connection:
            os.kill(int(str(ground.backend(connection))), signal.SIGKILL)

    def kill_stand_in(connection: Connection) -> None:
        ground.kill("redshift")
        connection.drop()

    def kill_postgres(connection: Connection) -> None:
        ground.kill("postgres")
        connection.drop()

    return {
        "cut": Connection.drop,
        "session": terminate,
        "backend": kill_backend,
        "stand-in": kill_stand_in,
        "PostgreSQL": kill_postgres,
    }


def test_a_blow_that_fails_fails_the_test_and_keeps_nobody_waiting(ground: Ground, stage: Stage) -> None:
    def miss(_: Connection) -> None:
        raise AssertionError("there is nobody to strike")

    stage.records.restore("users")
    with pytest.raises(AssertionError, match="there is nobody to strike"):
        Attempts(ground, stage.pipeline, scenes.FIRST).strike("users", 3, "asked", miss)


@pytest.mark.parametrize("moment", ["asked", "answered"])
def test_a_connection_cut_at_the_log_in_is_made_again_at_once(ground: Ground, stage: Stage, moment: str) -> None:
    ground.wire.arm(0, moment)
    assert stage.pipeline.rows("select 1") == [(1,)]
    assert ground.wire.struck.is_set()


def test_an_answer_torn_at_any_byte_is_tried_again(ground: Ground, stage: Stage) -> None:
    kept, torn, struck = 0, 0, True
    while struck:
        # The log-in, the statement that begins the session, and the query.
        ground.wire.arm(2, "torn", kept=kept)
        try:
            with stage.pipeline.session() as warehouse:
                assert warehouse.rows("select 1 as number, 'one' as name") == [(1, "one")]
        except Unavailable:
            torn += 1
        kept, struck = kept + 1, ground.wire.struck.is_set()
    assert torn > 30


@pytest.mark.parametrize("task_id", LOADS)
def test_a_connection_cut_at_the_commit_loses_nothing_and_loads_nothing_twice(
    ground: Ground, stage: Stage, survived: Survivals, task_id: str
) -> None:
    number = place_of(stage.statements[task_id], "after commit", random.Random(SEED)).number
    for moment in MOMENTS:
        place = Place("before commit" if moment == "asked" else "after commit", number, moment)
        suffers(ground, stage, task_id, place, Connection.drop)
        survived(task_id, place.phase, "cut")


@pytest.mark.parametrize("fault", ["cut", "session", "backend"])
@pytest.mark.parametrize("task_id", TASKS)
def test_a_session_that_ends_is_made_again_by_the_next_try(
    ground: Ground, stage: Stage, survived: Survivals, task_id: str, fault: Fault, *, every_statement: bool
) -> None:
    for place in where(stage, task_id, fault, every_statement=every_statement):
        suffers(ground, stage, task_id, place, blows(ground)[fault])
        survived(task_id, place.phase, fault)


@pytest.mark.parametrize("fault", SERVERS)
@pytest.mark.parametrize("task_id", TASKS)
def test_a_server_killed_in_a_task_and_brought_back_has_all_or_nothing(
    ground: Ground, stage: Stage, survived: Survivals, task_id: str, fault: Fault, *, every_statement: bool
) -> None:
    struck = where(stage, task_id, fault, every_statement=every_statement)
    if task_id in COMMITTING and not every_statement:
        struck.append(place_of(stage.statements[task_id], "after commit", random.Random(SEED)))
    for place in struck:
        suffers(ground, stage, task_id, place, blows(ground)[fault])
        survived(task_id, place.phase, fault)


@pytest.mark.parametrize("task_id", LOADS)
def test_a_task_killed_at_any_time_is_completed_by_its_next_try(
    ground: Ground, stage: Stage, survived: Survivals, task_id: str
) -> None:
    pipeline, records, _ = stage
    records.restore(task_id)
    seconds = Attempts(ground, pipeline, scenes.FIRST).seconds_of(task_id)
    killed, moment = False, seconds * random.Random(f"{SEED} {task_id}").random()
    while not killed:
        records.restore(task_id)
        run = Attempts(ground, pipeline, scenes.FIRST)
        killed = run.kill_task_after(task_id, moment)
        # It may be quicker than when it was measured.
        moment /= 2
    scene = after(task_id) if run.committed else task_id
    assert records.fingerprint(without=RECORDING) == records.fingerprint(without=RECORDING, scene=scene)
    run.work(task_id)
    assert records.fingerprint(without=RECORDING) == records.fingerprint(without=RECORDING, scene=after(task_id))
    assert_recorded(run)
    survived(task_id, "at any time", "kill")
