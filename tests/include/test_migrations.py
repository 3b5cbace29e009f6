"""Tables of an earlier version become this one's, hold what they held, and go on being loaded right."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from local.cli import main
from local.reference import ROW_TYPES, read_log_files, read_song_files, star_schema
from local.stack import databases
from sparkify.loading.exceptions import SettingsError
from sparkify.tables import STAR
from tests import made_schema
from tests.examples import Example, event, play, song
from tests.include import old_schema
from tests.month import month, small_month
from tests.pipeline import PROJECT, WRITING, Pipeline

FIRST, SECOND = date(2018, 11, 1), date(2018, 11, 2)
SCRIPTS = sorted(file.name for file in (PROJECT / "include" / "sql" / "migrations").glob("*.sql"))
VERSIONS = [(number, name) for number, name in enumerate(SCRIPTS, 1)]


@pytest.fixture
def pipeline(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A schema of its own, which is not made yet."""
    made = Pipeline(stack, monkeypatch.setenv)
    yield made
    made.drop()


@pytest.fixture
def role(pipeline: Pipeline) -> Iterator[str]:
    name = f"readers_{uuid.uuid4().hex[:8]}"
    yield name
    with psycopg.connect(databases.admin_dsn(pipeline.stack.home, databases.WAREHOUSE), autocommit=True) as connection:
        connection.execute(f"drop owned by {name} cascade")
        connection.execute(f"drop role {name}")


def versions(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select version, name from schema_version order by 1")


def is_empty(pipeline: Pipeline, table: str) -> bool:
    return not pipeline.rows(f"select 1 from {table} limit 1")


def shape(pipeline: Pipeline) -> made_schema.Shape:
    with psycopg.connect(databases.admin_dsn(pipeline.stack.home, databases.WAREHOUSE)) as connection:
        return made_schema.shape(connection, pipeline.schema)


def readable(pipeline: Pipeline, role: str) -> set[str]:
    """What a role may read."""
    with psycopg.connect(databases.admin_dsn(pipeline.stack.home, databases.WAREHOUSE)) as connection:
        found = connection.execute(
            "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'v')"
            " and has_table_privilege(%s, oid, 'select')",
            [pipeline.schema, role],
        )
        return {str(name) for (name,) in found}


@pytest.mark.story
def test_a_month_of_before_the_queues_is_brought_over_and_goes_on(
    pipeline: Pipeline, role: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    source = month()
    pipeline.put(source.files)
    pipeline.run(dag_id="sparkify_schema")
    pipeline.run(source.first, source.last, only=WRITING)
    old_schema.replace(pipeline)
    later = {table.name for table in STAR} - {table for table, *_ in shape(pipeline)}
    for task, context in pipeline.tasks(dag_id="sparkify_schema", only={"views"}, reader_role=role):
        task.readable = {name: columns for name, columns in task.readable.items() if name not in later}
        task.execute(context)
    granted = readable(pipeline, role)
    assert granted >= {"songs", "songplays_without_names"}
    history = pipeline.rows("select * from load_history order by started_at, table_name")
    assert history
    with pytest.raises(SettingsError, match=f"of an earlier version: {', '.join(SCRIPTS)} did not"):
        pipeline.run(source.first)
    pipeline.run(dag_id="sparkify_schema", only={"tables"})
    assert versions(pipeline) == VERSIONS
    assert pipeline.rows("select * from load_history order by started_at, table_name") == history
    assert readable(pipeline, role) == granted
    # What is new in a version, a script queues for the next run.
    if queued := [table.name for table in STAR if not is_empty(pipeline, table.queue_name)]:
        pipeline.run(source.first, only=queued)
    expected = star_schema(read_log_files(source.files), read_song_files(source.files))
    pipeline.assert_equals(expected)
    source.write_to(tmp_path)
    pipeline.set_environment("SPARKIFY_HOME", str(pipeline.stack.home.folder))
    assert main(["verify", str(tmp_path), "--schema", pipeline.schema]) == 0, capsys.readouterr().out

    # It goes on, in any order: dates again, one without its plays, one new, a song changed.
    chance = random.Random(7)
    days = [source.first + timedelta(days=day) for day in range((source.last - source.first).days + 1)]
    files = dict(source.files)
    key = next(key for key in sorted(files) if key.startswith("song_data/"))
    files[key] = files[key].replace(b'"year": ', b'"year": 1')
    lost = f"log_data/{days[3]:%Y/%m}/{days[3]}-events.json"
    files[lost] = b"\n".join(line for line in files[lost].splitlines() if b"NextSong" not in line)
    new = source.last + timedelta(days=1)
    files |= Example("", {new: [play(ts=play()["ts"] + 86_400_000 * (new - FIRST).days)]}, {}, []).files()
    pipeline.put(files)
    for day in chance.sample([days[3], days[-1], days[0], new], 4):
        pipeline.run(day, only=WRITING)
    pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))


def test_what_was_pending_is_loaded_and_times_in_another_unit_go(pipeline: Pipeline) -> None:
    songs = [song("SO1"), song("SO2", title="Late")]
    late = play(sessionId=2, song="Late", ts=play()["ts"] + 1000)
    story = Example("", {FIRST: [play(), late], SECOND: [event(userId="9", ts=play()["ts"] + 86_400_000)]}, {}, songs)
    pipeline.run(dag_id="sparkify_schema")
    pipeline.put(story.files())
    pipeline.run(FIRST, SECOND)
    old_schema.replace(pipeline)
    # The run of the late song had staged it, and was still to load the play.
    pipeline.execute("update songplays set song_id = null, artist_id = null where session_id = 2")
    pipeline.execute(
        "insert into songplays_pending select songplay_id, session_id, 0, "
        f"{late['ts']}, user_id from songplays where session_id = 2"
    )
    # A file in microseconds was loaded twice, and fixed since: its rows stayed.
    late_start = "start_time + 49000 * interval '365 days'"
    pipeline.execute(
        f"insert into songplays select reverse(songplay_id), {late_start}, user_id, level, song_id, artist_id,"
        " session_id, location, user_agent, log_date from songplays"
    )
    pipeline.execute(f"insert into time select {late_start}, hour, day, week, month, year, weekday from time")
    pipeline.execute(
        "update users set last_seen_at = last_seen_at + 49000 * interval '365 days', level = 'old' where user_id = 9"
    )
    history = pipeline.rows("select count(*) from load_history")
    pipeline.run(dag_id="sparkify_schema")
    assert pipeline.rows("select count(*) from load_history") == history
    assert pipeline.rows("select session_id from songplays_queue") == [(2,)]
    counts = pipeline.run(SECOND)
    assert counts["stage_songs"]["files"] == len(songs)
    assert counts["songs"]["rows_inserted"] == counts["songs"]["rows_deleted"] == 0
    files = story.files()
    pipeline.assert_equals(star_schema(read_log_files(files), read_song_files(files)))
    folders = pipeline.rows("select folder, files from staged_folders")
    assert folders == [("song_data/A/A/", len(songs))]
    assert pipeline.run(SECOND)["stage_songs"]["files"] == 0


def test_an_upgraded_schema_has_the_tables_and_columns_of_a_new_one(
    pipeline: Pipeline, stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def columns(made: Pipeline) -> set[tuple[Any, ...]]:
        return {(table, column, kind) for table, _, _, column, kind, *_ in shape(made)}

    old_schema.create(pipeline)
    pipeline.run(dag_id="sparkify_schema")
    new = Pipeline(stack, monkeypatch.setenv)
    new.run(dag_id="sparkify_schema")
    assert columns(pipeline) == columns(new)
    assert versions(new) == VERSIONS
    new.drop()
    pipeline.connect(monkeypatch.setenv)


def test_a_second_run_changes_nothing(pipeline: Pipeline) -> None:
    old_schema.create(pipeline)
    pipeline.run(dag_id="sparkify_schema")
    before = shape(pipeline), pipeline.rows("select * from schema_version order by 1")
    assert pipeline.run(dag_id="sparkify_schema")["tables"] == []
    assert (shape(pipeline), pipeline.rows("select * from schema_version order by 1")) == before


def test_what_was_done_by_hand_is_recorded_and_not_done_again(pipeline: Pipeline) -> None:
    pipeline.run(dag_id="sparkify_schema")
    pipeline.execute("drop table schema_version")
    assert pipeline.run(dag_id="sparkify_schema")["tables"] == ["schema_version"]
    assert versions(pipeline) == VERSIONS


@pytest.mark.parametrize("dag_id", ["sparkify_schema", "sparkify_daily"])
def test_tables_of_a_later_version_are_refused(pipeline: Pipeline, dag_id: str) -> None:
    pipeline.run(dag_id="sparkify_schema")
    pipeline.execute(f"insert into schema_version (version, name) values ({len(SCRIPTS) + 1}, 'later.sql')")
    before = shape(pipeline)
    later = f"is of version {len(SCRIPTS) + 1}, made by a later version .* which knows {len(SCRIPTS)}"
    with pytest.raises(SettingsError, match=later):
        pipeline.run(FIRST, dag_id=dag_id, only={"tables"})
    assert shape(pipeline) == before
    # The last resort is there.
    pipeline.run(dag_id="sparkify_schema", rebuild=pipeline.schema)
    assert versions(pipeline) == VERSIONS


def test_a_dry_run_tells_the_migrations_and_changes_nothing(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    old_schema.create(pipeline)
    pipeline.execute("insert into users (user_id) values (1)")
    before = shape(pipeline)
    pushed = pipeline.run(dag_id="sparkify_schema", dry_run=True, reader_role="readers")
    assert pushed == {"tables": [], "views": []}
    assert shape(pipeline) == before
    said = capsys.readouterr().out
    assert all(re.search(rf"Would migrate schema {pipeline.schema} by {name}\. \w", said) for name in SCRIPTS)
    assert "alter table staged_dates add column largest_file bigint;" in said
    assert re.search(r"Would create in schema \w+: .*schema_version", said)
    assert "Would create or replace the views songplays_wide, songplays_without_names; role readers may read" in said
    pipeline.run(dag_id="sparkify_schema", dry_run=True, rebuild=pipeline.schema)
    assert re.search(r"Would drop in schema \w+: .*users", capsys.readouterr().out)
    assert pipeline.rows("select user_id from users") == [(1,)]


def test_a_rebuild_keeps_the_records_if_told_to(pipeline: Pipeline) -> None:
    source = small_month()
    pipeline.put(source.files)
    pipeline.run(dag_id="sparkify_schema")
    pipeline.run(source.first)
    kept = ("load_history", "data_quality_results")
    before = {name: pipeline.rows(f"select * from {name} order by 1, 2, 3, 4, 5, 6, 7") for name in kept}
    assert all(before.values())
    pipeline.run(dag_id="sparkify_schema", rebuild=pipeline.schema, keep_records=True)
    assert {name: pipeline.rows(f"select * from {name} order by 1, 2, 3, 4, 5, 6, 7") for name in kept} == before
    assert all(pipeline.rows(f"select count(*) from {name}") == [(0,)] for name in ROW_TYPES)
    pipeline.run(source.first, source.last, only=WRITING)
    pipeline.assert_equals(star_schema(read_log_files(source.files), read_song_files(source.files)))


def test_records_of_an_earlier_version_are_migrated_before_a_rebuild_keeps_them(pipeline: Pipeline) -> None:
    old_schema.create(pipeline)
    pipeline.execute("insert into users (user_id) values (1)")
    with pytest.raises(SettingsError, match="nothing was dropped. Run this DAG without rebuild first"):
        pipeline.run(dag_id="sparkify_schema", rebuild=pipeline.schema, keep_records=True)
    assert pipeline.rows("select user_id from users") == [(1,)]
    pipeline.run(dag_id="sparkify_schema", rebuild=pipeline.schema)
    assert versions(pipeline) == VERSIONS
