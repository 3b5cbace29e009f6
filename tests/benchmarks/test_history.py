"""The made-up history is what loading its days would have left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.history import Days
from local.reference import Tables, read_log_files, read_song_files, star_schema
from local.stack import databases
from tests.pipeline import Pipeline

pytestmark = pytest.mark.cost

DAYS = 3


@pytest.fixture
def days(stack: Any) -> Days:
    """Few users, so that each plays in several sessions and days, and pays in some of them."""
    return Days(databases.admin_dsn(stack.home, databases.WAREHOUSE), events_per_day=90, users=4)


@pytest.fixture
def filled(stack: Any, days: Days, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A schema with the catalogue, loaded, and the history, made up."""
    pipeline = Pipeline(stack, monkeypatch.setenv)
    pipeline.run(dag_id="sparkify_schema")
    pipeline.put(days.catalogue())
    pipeline.run(days.log_date(0), only=("stage_songs", "songs", "artists"))
    days.fill(pipeline.schema, DAYS)
    yield pipeline
    pipeline.drop()


def reference(days: Days) -> Tables:
    """What the reference makes of the same days' files."""
    log_files = {key: data for day in range(DAYS) for key, data in days.file(day).items()}
    return star_schema(read_log_files(log_files), read_song_files(days.catalogue()))


def test_every_table_is_what_its_days_files_amount_to(days: Days, filled: Pipeline) -> None:
    filled.assert_equals(reference(days))


def test_the_ledger_knows_every_day(days: Days, filled: Pipeline) -> None:
    expected = [("staging_events", days.log_date(day), 1, days.events_per_day) for day in range(DAYS)]
    assert filled.rows("select table_name, log_date, files, lines_read from staged_dates order by log_date") == expected


def test_some_plays_have_a_song_and_most_have_none(days: Days) -> None:
    plays = reference(days).songplays
    matched = sum(play.song_id is not None for play in plays)
    assert 0 < matched < len(plays) / 2
