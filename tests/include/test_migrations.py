"""Tables of an earlier version, brought over by a script, hold what they held, and go on being loaded right."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from local.reference import read_log_files, read_song_files, star_schema
from tests.examples import Example, event, play, song
from tests.pipeline import PROJECT, Pipeline

MIGRATIONS = PROJECT / "include" / "sql" / "migrations"
FIRST, SECOND = date(2018, 11, 1), date(2018, 11, 2)
# What the version before the queues had otherwise.
BEFORE_QUEUES = """
drop table songplays_queue;
drop table users_queue;
drop table songs_queue;
drop table artists_queue;
drop table time_queue;
drop table staged_folders;
alter table staging_songs drop column folder;
alter table staged_dates drop column largest_file;
create temp table kept as select table_name, file_name, etag from staged_files;
drop table staged_files;
create table staged_files (
    table_name varchar(128) not null, file_name varchar(1024) not null, etag varchar(256) not null
) sortkey (table_name);
insert into staged_files select * from kept;
create table songplays_pending (
    songplay_id varchar(32) not null, session_id bigint, item_in_session integer, ts bigint, user_id integer
);
create table users_pending (user_id integer not null);
create table time_pending (start_time timestamp not null);
create table mutex_data_quality_results (held boolean)
"""


def run(pipeline: Pipeline, script: str) -> None:
    """Run a script's statements in one session."""
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    with pipeline.session() as warehouse:
        for statement in "\n".join(lines).split(";"):
            if statement.strip():
                warehouse.execute(statement)


def test_tables_of_before_the_queues_are_brought_over(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(stack, monkeypatch.setenv)
    songs = [song("SO1"), song("SO2", title="Late")]
    late = play(sessionId=2, song="Late", ts=play()["ts"] + 1000)
    story = Example("", {FIRST: [play(), late], SECOND: [event(userId="9", ts=play()["ts"] + 86_400_000)]}, {}, songs)
    pipeline.run(dag_id="sparkify_schema")
    pipeline.put(story.files())
    pipeline.run(FIRST, SECOND)
    run(pipeline, BEFORE_QUEUES)
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
    run(pipeline, (MIGRATIONS / "0001_queues.sql").read_text())
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
    pipeline.drop()
