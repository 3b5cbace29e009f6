"""The schema: created where missing, rebuilt only if its name is typed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sparkify.loading.exceptions import SettingsError
from sparkify.tables import STAR
from tests.pipeline import Pipeline

TABLES = {
    *("staging_events", "staging_songs", "staging_rejects", "staging_unknown_fields"),
    *("load_history", "data_quality_results", "staged_dates", "staged_files", "staged_folders", "schema_version"),
    *(table.name for table in STAR),
    *(table.queue_name for table in STAR),
}


def created(pipeline: Pipeline, **params: str) -> set[str]:
    return set(pipeline.run(dag_id="sparkify_schema", only={"tables"}, **params)["tables"])


@pytest.fixture
def empty(stack: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A pipeline whose schema does not exist yet."""
    made = Pipeline(stack, monkeypatch.setenv)
    yield made
    made.drop()


def test_everything_is_created_once_and_then_nothing(empty: Pipeline) -> None:
    first = created(empty)
    assert {name for name in first if not name.startswith("mutex_")} == TABLES
    assert created(empty) == set()


def test_only_what_is_missing_is_created(pipeline: Pipeline) -> None:
    pipeline.execute("insert into users (user_id) values (1)")
    pipeline.execute("drop table songs")
    assert created(pipeline) == {"songs"}
    assert pipeline.rows("select user_id from users") == [(1,)]


def test_every_table_that_is_loaded_has_a_mutex(pipeline: Pipeline) -> None:
    names = {
        name
        for (name,) in pipeline.rows(
            "select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
            f" where n.nspname = '{pipeline.schema}' and c.relname like 'mutex%'"
        )
    }
    loaded = {"staging_events", "staging_songs", *(table.name for table in STAR)}
    assert names == {f"mutex_{table}" for table in loaded}


def test_rebuild_needs_the_schema_typed(pipeline: Pipeline) -> None:
    pipeline.execute("insert into users (user_id) values (1)")
    with pytest.raises(SettingsError, match="rebuild='yes' is not the schema's name"):
        created(pipeline, rebuild="yes")
    assert pipeline.rows("select user_id from users") == [(1,)]


def test_rebuild_empties_every_table(pipeline: Pipeline) -> None:
    pipeline.execute("insert into users (user_id) values (1)")
    assert created(pipeline, rebuild=pipeline.schema) > TABLES
    assert pipeline.rows("select user_id from users") == []


def test_runs_that_start_at_once_do_not_trip_over_each_other(empty: Pipeline) -> None:
    failures: list[BaseException] = []

    def create() -> None:
        try:
            created(empty)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert created(empty) == set()
