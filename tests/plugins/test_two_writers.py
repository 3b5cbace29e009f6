"""Two runs write at the same moment, in a database of each isolation: no error 1023, and the rows of the files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest

from local.reference import read_log_files, read_song_files, star_schema
from tests.month import month
from tests.own_stand_in import own_stand_in
from tests.pipeline import WRITING, Pipeline

pytestmark = pytest.mark.story

MONTH = month()
DAYS = [MONTH.first + timedelta(number) for number in range(4)]
FILES = {
    key: data
    for key, data in MONTH.files.items()
    if key.startswith("song_data") or any(f"{day}-events" in key for day in DAYS)
}


@pytest.fixture(params=["snapshot", "serializable"])
def isolation(request: pytest.FixtureRequest) -> str:
    """How the database isolates transactions."""
    return str(request.param)


@pytest.fixture
def isolated(pipeline: Pipeline, stack: Any, isolation: str) -> Iterator[Pipeline]:
    """The pipeline at a stand-in of its own before the same PostgreSQL."""
    with own_stand_in(stack, "--isolation", isolation) as port:
        redshift = json.loads(stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
        pipeline.set_connection("redshift_default", redshift | {"port": port})
        yield pipeline


def prepared(pipeline: Pipeline, log_date: date) -> list[tuple[Any, Any]]:
    """The tasks of a date's run that write."""
    return list(pipeline.tasks(log_date, only=WRITING))


def at_once(runs: Sequence[Sequence[tuple[Any, Any]]]) -> None:
    """Each run's tasks in their order, all runs beginning each task at the same moment."""
    moment = Barrier(len(runs))

    def run(tasks: Sequence[tuple[Any, Any]]) -> None:
        for task, context in tasks:
            moment.wait(timeout=60)
            task.execute(context)

    with ThreadPoolExecutor(len(runs)) as threads:
        for done in [threads.submit(run, tasks) for tasks in runs]:
            done.result()


def test_two_runs_at_once_meet_no_conflict_and_load_what_the_files_say(isolated: Pipeline) -> None:
    expected = star_schema(read_log_files(FILES), read_song_files(FILES))
    isolated.run(DAYS[0], only=["tables"])
    songs = sorted(key for key in FILES if key.startswith("song_data"))
    late = {key: FILES[key] for key in songs[::2]}
    isolated.put({key: data for key, data in FILES.items() if key not in late})
    at_once([prepared(isolated, day) for day in DAYS[:2]])
    # The other songs come while the next dates are loaded, and the first dates again: old plays are matched by either.
    isolated.put(late)
    at_once([prepared(isolated, day) for day in (DAYS[2], DAYS[0])])
    at_once([prepared(isolated, day) for day in (DAYS[3], DAYS[3])])
    isolated.assert_equals(expected)


def test_two_runs_in_opposite_order_meet_no_conflict(isolated: Pipeline) -> None:
    expected = star_schema(read_log_files(FILES), read_song_files(FILES))
    isolated.put(FILES)
    isolated.run(DAYS[0], DAYS[3], only=WRITING)
    first, second = prepared(isolated, DAYS[0]), prepared(isolated, DAYS[1])
    dimensions = 4
    at_once([first, [*second[:-dimensions], *second[: -dimensions - 1 : -1]]])
    isolated.assert_equals(expected)


def test_the_warehouse_isolates_as_it_was_asked_to(isolated: Pipeline, isolation: str) -> None:
    with isolated.session() as warehouse:
        warehouse.execute("begin")
        (found,) = warehouse.rows("show transaction_isolation")
        warehouse.execute("rollback")
    assert found == ({"snapshot": "repeatable read", "serializable": "serializable"}[isolation],)
