"""The fact table: what one load replaces."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from sparkify.loading.declarations import DerivedTable
from sparkify.operators.load_fact import LoadFactOperator
from tests.examples import event
from tests.pipeline import Pipeline

DAY, NEXT = date(2018, 11, 1), date(2018, 11, 2)
NOON = 1_541_073_600_000


def test_a_load_replaces_its_dates_even_where_staging_never_knew_the_row(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON)])
    for log_date in (DAY, NEXT):
        pipeline.execute(
            "insert into songplays (songplay_id, start_time, log_date)"
            f" values ('stray-{log_date}', '2018-11-01 12:00:00', '{log_date}')"
        )
    pipeline.run(DAY)
    assert pipeline.rows("select start_time, log_date from songplays order by log_date") == [
        (datetime(2018, 11, 1, 12), DAY),  # noqa: DTZ001
        (datetime(2018, 11, 1, 12), NEXT),  # noqa: DTZ001
    ]
    assert pipeline.rows("select count(*) from songplays where songplay_id like 'stray%'") == [(1,)]


def test_a_start_time_that_nobody_plays_at_any_more_leaves_time(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON), event(page="NextSong", ts=NOON + 1, itemInSession=1)])
    pipeline.run(DAY)
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON)])
    pipeline.run(DAY)
    assert [row[0] for row in pipeline.table("time")] == [datetime(2018, 11, 1, 12)]  # noqa: DTZ001
    for table in ("songplays_queue", "users_queue", "time_queue"):
        assert pipeline.rows(f"select count(*) from {table}") == [(0,)], table


def test_what_a_task_queued_survives_a_failure_of_the_next(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON), event(page="NextSong", ts=NOON + 1, itemInSession=1)])
    pipeline.run(DAY)
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON)])
    pipeline.run(DAY, only={"stage_events"})
    pipeline.put_events(NEXT, [])
    pipeline.run(NEXT)
    assert len(pipeline.table("songplays")) == 1
    assert len(pipeline.table("time")) == 1


def test_a_reload_of_the_same_file_writes_no_row(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(page="NextSong", ts=NOON)])
    pipeline.run(DAY)
    again = pipeline.run(DAY)["songplays"]
    assert {again[name] for name in ("rows_inserted", "rows_updated", "rows_deleted")} == {0}


def test_a_fact_table_declares_the_column_of_its_log_date() -> None:
    dateless = DerivedTable("plays", key="id", queue={"id": "integer"})
    with pytest.raises(ValueError, match="plays declares no partition"):
        LoadFactOperator(task_id="x", table=dateless, sql="", keys="")
