"""A writer that is not ours, and takes no mutex, comes between: error 1023, and another try."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.loading.exceptions import Unavailable
from tests.faults import scenes
from tests.faults.attempts import Attempts, Stage, assert_recorded
from tests.faults.ground import PROGRAMS, Ground
from tests.faults.survival import Survivals
from tests.faults.wire import Connection

pytestmark = pytest.mark.faults


@pytest.fixture(params=["serializable", "snapshot"])
def isolation(ground: Ground, request: pytest.FixtureRequest) -> Iterator[None]:
    """The warehouse isolates transactions so for the length of the test."""
    ground.stack.up(PROGRAMS, isolation=request.param)
    yield
    ground.stack.up(PROGRAMS, isolation="snapshot")


@pytest.mark.usefixtures("isolation")
def test_a_conflict_with_a_foreign_writer_is_tried_again(ground: Ground, stage: Stage, survived: Survivals) -> None:
    pipeline, records, statements = stage
    delete = next(n for n, sql in enumerate(statements["users"], start=1) if sql.startswith("delete from users where"))
    records.restore("users")

    def change_the_same_rows(_: Connection) -> None:
        with ground.postgres() as connection:
            connection.execute(f'update "{pipeline.schema}".users set level = level'.encode())

    run = Attempts(ground, pipeline, scenes.FIRST)
    task, context = run.prepare("users")
    ground.wire.arm(delete, "asked", change_the_same_rows)
    with pytest.raises(Unavailable, match=r"1023 Serializable isolation violation on table.*SQLSTATE XX000") as caught:
        task.execute(context)
    assert ground.wire.settle()
    assert not isinstance(caught.value, AirflowFailException), "Airflow would not try it again"
    assert task.retries

    run.finish("users")
    assert ("users", 2) in run.committed
    pipeline.assert_equals(scenes.expected(scenes.AFTER))
    assert_recorded(run)
    survived("users", "delete", "conflict")
