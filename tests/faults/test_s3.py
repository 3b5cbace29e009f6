"""S3 refuses, fails, dawdles or hangs up in the middle of an object: a load is whole or fails as it should."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException

from local.stack import databases
from local.stack.connections import aws_environment
from sparkify.loading.exceptions import Unavailable
from tests.examples import AT, event
from tests.faults import scenes
from tests.faults.attempts import assert_nothing_is_left, recorded
from tests.faults.ground import GIVE_UP_SECONDS, RECORDING, Ground, Records, wait_until
from tests.faults.s3_door import KINDS, REQUESTS, STALL, Fault, Kind, S3Door
from tests.faults.survival import Survivals
from tests.local.redshift.conftest import start_stand_in
from tests.pipeline import WRITING, Pipeline

pytestmark = pytest.mark.faults

# Who fails a request: S3 for lack of a right, which somebody must grant; for an object that is no longer there, which
# another try does not ask for; by itself, or the network, which pass.
FAILURES: dict[str, type[Exception] | None] = {
    "403": AirflowFailException,
    "404": Unavailable,
    "500": Unavailable,
    "cut": Unavailable,
    "slow": None,
}
# A file of which the half is so much that the warehouse has sent rows to PostgreSQL when S3 stalls.
AGENT = "Mozilla/5.0 " * 25
LONG = (*scenes.AFTER, *(event(sessionId=1000 + number, ts=AT + number, userAgent=AGENT) for number in range(10_000)))


@pytest.fixture(scope="module")
def door(ground: Ground) -> Iterator[S3Door]:
    door = S3Door(ground.running.s3.meta.endpoint_url)
    yield door
    door.close()


def stand_in(ground: Ground, door: S3Door) -> tuple[subprocess.Popen[str], int]:
    """A stand-in that reaches S3 by the door, and its port."""
    key = aws_environment(ground.running.home)
    client = boto3.client(
        "s3", endpoint_url=door.url, region_name="us-west-2", aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    return start_stand_in(databases.own_server(ground.running.home), client)


@pytest.fixture(scope="module")
def behind_the_door(ground: Ground, door: S3Door) -> Iterator[Pipeline]:
    """A pipeline whose tasks and whose warehouse reach S3 by the door."""
    env = ground.running.env
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        process, port = stand_in(ground, door)
        aws = json.loads(env["AIRFLOW_CONN_AWS_DEFAULT"])
        aws["extra"]["endpoint_url"] = door.url
        redshift = json.loads(env["AIRFLOW_CONN_REDSHIFT_DEFAULT"]) | {"port": port}
        own = {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws), "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps(redshift)}
        yield Pipeline(dataclasses.replace(ground.running, env={**env, **own}), patch.setenv)
        process.terminate()
        assert process.communicate(timeout=60)[1] == ""


@pytest.fixture(scope="module")
def loaded(ground: Ground, behind_the_door: Pipeline) -> Records:
    """What the two dates give; the first date and the songs are then delivered again. A scene is called as its task."""
    pipeline = behind_the_door
    pipeline.run(dag_id="sparkify_schema", only={"tables"})
    pipeline.put(scenes.files(scenes.BEFORE, scenes.SONGS_BEFORE))
    pipeline.run(scenes.FIRST, scenes.SECOND, only=WRITING)
    scenes.deliver(pipeline, scenes.AFTER)
    records = Records(ground, pipeline.schema)
    for task_id in WRITING[1:]:
        records.save(task_id)
        pipeline.run(scenes.FIRST, only={task_id})
    pipeline.assert_equals(scenes.expected(scenes.AFTER))
    assert_nothing_is_left(pipeline)
    return records


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_load_is_whole_or_fails_as_its_cause_deserves(
    ground: Ground,
    door: S3Door,
    behind_the_door: Pipeline,
    loaded: Records,
    survived: Survivals,
    request_name: str,
    kind: Kind,
) -> None:
    pipeline, (task_id, request) = behind_the_door, REQUESTS[request_name]
    loaded.restore(task_id)
    before = loaded.fingerprint()
    failure = FAILURES[kind]
    with door.meets(Fault(request, kind)):
        if failure:
            with pytest.raises(failure, match="S3|s3://"):
                pipeline.run(scenes.FIRST, only={task_id})
            assert loaded.fingerprint() == before
        else:
            pipeline.run(scenes.FIRST, only={task_id})
    if failure:
        pipeline.run(scenes.FIRST, only={task_id})
    assert recorded(pipeline, pipeline.run_id) == [(task_id, 1)]
    assert loaded.fingerprint(without=RECORDING) == loaded.fingerprint(
        without=RECORDING, scene=WRITING[WRITING.index(task_id) + 1]
    )
    ground.wait_until_nothing_temporary_is_left()
    survived(task_id, request_name, kind)


@pytest.fixture
def delivered_long(behind_the_door: Pipeline, loaded: Records) -> Iterator[None]:
    """The first date's file is long for the length of the test, and nothing of it is loaded yet."""
    loaded.restore("stage_events")
    scenes.deliver(behind_the_door, LONG)
    yield
    scenes.deliver(behind_the_door, scenes.AFTER)


@pytest.mark.usefixtures("delivered_long")
@pytest.mark.parametrize("program", ["redshift", "postgres"])
def test_a_server_killed_in_the_middle_of_a_copy_and_brought_back_has_nothing_of_it(
    ground: Ground,
    door: S3Door,
    behind_the_door: Pipeline,
    loaded: Records,
    survived: Survivals,
    program: str,
) -> None:
    pipeline, before = behind_the_door, loaded.fingerprint()
    redshift = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    process, port = stand_in(ground, door)
    door.stalls.clear()
    door.go_on.clear()
    door.fault = Fault(REQUESTS["COPY reads the date's file"][1], STALL)
    try:
        pipeline.set_connection("redshift_default", redshift | {"port": port})
        with ThreadPoolExecutor(1) as threads:
            task = threads.submit(pipeline.run, scenes.FIRST, only={"stage_events"})
            try:
                assert door.stalls.wait(GIVE_UP_SECONDS)
                wait_until(ground.rows_on_their_way, "no COPY is under way")
                if program == "redshift":
                    process.kill()
                else:
                    ground.kill(program)
            finally:
                door.go_on.set()
            with pytest.raises(Unavailable):
                task.result(GIVE_UP_SECONDS)
        door.fault = None
        ground.bring_back()
        if program == "redshift":
            process.wait(GIVE_UP_SECONDS)
            process, port = stand_in(ground, door)
            pipeline.set_connection("redshift_default", redshift | {"port": port})
        assert loaded.fingerprint() == before
        pipeline.run(scenes.FIRST, only=WRITING)
        pipeline.assert_equals(scenes.expected(LONG))
        assert_nothing_is_left(pipeline)
    finally:
        door.fault = None
        pipeline.connect(pipeline.set_environment)
        process.kill()
        process.communicate(timeout=60)
    survived("stage_events", "copy", "stand-in" if program == "redshift" else "PostgreSQL")
