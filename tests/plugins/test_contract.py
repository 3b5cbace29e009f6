"""The data contract, rule by rule and as a whole: what the tables hold is a function of the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.reference import ROW_TYPES, read_log_files, read_song_files, star_schema
from sparkify.tables import STAR
from tests.examples import EXAMPLES, Example, event
from tests.month import month
from tests.pipeline import WRITING, Pipeline, load_dag

MONTH = month()
EXPECTED = star_schema(read_log_files(MONTH.files), read_song_files(MONTH.files))


def loads(tables: Iterable[str]) -> set[str]:
    """The tasks that these tables come of."""
    dag = load_dag("sparkify_daily")
    of_table = {task.table.name: task for task in dag.tasks if task.task_id in WRITING and task.task_id != "tables"}
    before = {task_id for table in tables for task_id in of_table[table].get_flat_relative_ids(upstream=True)}
    return (before | {of_table[table].task_id for table in tables}) & set(WRITING) - {"tables"}


def test_a_table_comes_of_the_staging_tables_and_what_is_worked_out_of_them() -> None:
    assert loads(["staging_songs"]) == {"stage_songs"}
    assert loads(["staging_events", "songplays"]) == {"stage_events", "stage_songs", "songplays"}
    assert loads(ROW_TYPES) == set(WRITING) - {"tables"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_example_of_the_rule(example: Example, pipeline: Pipeline) -> None:
    pipeline.put(example.files())
    dates = list(example.events)
    for order in [dates, dates[::-1]] if len(dates) > 1 else [dates]:
        if order is not dates:
            pipeline.empty()
        for log_date in order:
            pipeline.run(log_date, only=loads(example.expected))
        for table, rows in example.expected.items():
            held = example.given(table, pipeline.table(table))
            assert sorted(held, key=repr) == sorted(map(tuple, rows), key=repr), (table, order)


def test_the_month_in_one_run_gives_the_known_figures(pipeline: Pipeline) -> None:
    pipeline.put(MONTH.files)
    pipeline.run(MONTH.first, MONTH.last)
    pipeline.assert_equals(EXPECTED)
    figures = MONTH.figures
    for table in ("staging_events", "songplays", "users", "songs", "artists"):
        assert pipeline.rows(f"select count(*) from {table}") == [(getattr(figures, table),)]
    assert pipeline.rows("select count(*) from time") == [(figures.times,)]
    assert pipeline.rows("select count(*) from songplays where song_id is not null") == [(figures.matched,)]
    assert pipeline.rows("select count(*) from users where level = 'paid'") == [(figures.paid,)]
    weekdays = pipeline.rows(
        "select time.weekday, count(*) from songplays join time on songplays.start_time = time.start_time"
        " group by time.weekday order by time.weekday"
    )
    assert dict(weekdays) == dict(enumerate(figures.plays_by_weekday))
    busiest = pipeline.rows(
        "select time.hour, count(*) from songplays join time on songplays.start_time = time.start_time"
        " group by time.hour order by count(*) desc, time.hour limit 1"
    )
    assert busiest == [(figures.busiest_hour, figures.plays_in_busiest_hour)]


def test_a_connection_of_type_postgres_gives_the_same(pipeline: Pipeline) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    pipeline.set_connection("redshift_default", {**connection, "conn_type": "postgres", "extra": {}})
    pipeline.put(MONTH.files)
    pipeline.run(MONTH.first, MONTH.last)
    pipeline.assert_equals(EXPECTED)


LOG_DATES = sorted(read_log_files(MONTH.files))
cuts = st.sets(st.integers(1, len(LOG_DATES) - 1), min_size=2, max_size=7).map(
    lambda inner: list(pairwise([0, *sorted(inner), len(LOG_DATES)]))
)
orders = cuts.flatmap(lambda pieces: st.tuples(st.permutations(pieces), st.lists(st.sampled_from(pieces), max_size=2)))


@pytest.mark.story
@settings(
    max_examples=max(1, settings().max_examples // 25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(order=orders, again=st.tuples(st.sampled_from(LOG_DATES), st.sampled_from(["songplays", "users", "time"])))
def test_dates_and_ranges_of_the_month_in_any_order_and_again_give_the_same(
    pipeline: Pipeline,
    count_case: Callable[[], None],
    order: tuple[list[tuple[int, int]], list[tuple[int, int]]],
    again: tuple[date, str],
) -> None:
    count_case()
    pipeline.empty()
    pipeline.put(MONTH.files)
    pieces, repeated = order
    for first, end in (*pieces, *repeated):
        pipeline.run(LOG_DATES[first], LOG_DATES[end - 1], only=WRITING)
    pipeline.run(again[0], only={again[1]})
    pipeline.assert_equals(EXPECTED)


def test_reloading_one_old_day_keeps_the_latest_level(pipeline: Pipeline) -> None:
    first, second = date(2018, 11, 1), date(2018, 11, 2)
    pipeline.put_events(first, [event(userId="7", level="free", ts=1_541_030_400_000)])
    pipeline.put_events(second, [event(userId="7", level="paid", ts=1_541_116_800_000)])
    pipeline.run(first, second)
    pipeline.run(first)
    assert pipeline.rows("select user_id, level from users") == [(7, "paid")]


def test_loading_the_same_again_writes_no_row_of_the_star(pipeline: Pipeline) -> None:
    pipeline.put(MONTH.files)
    pipeline.run(MONTH.first, MONTH.last)
    again = pipeline.run(MONTH.first, MONTH.last)
    for table in (table.name for table in STAR):
        assert {name: again[table][name] for name in ("rows_inserted", "rows_updated", "rows_deleted")} == {
            "rows_inserted": 0,
            "rows_updated": 0,
            "rows_deleted": 0,
        }, table


def play(**changes: object) -> dict[str, object]:
    return event(page="NextSong", song="A", artist="B", length=100.5, **changes)


def test_a_delivery_without_some_events_takes_them_out_everywhere(pipeline: Pipeline) -> None:
    first, second = date(2018, 11, 1), date(2018, 11, 2)
    noon = 1_541_073_600_000
    kept = play(userId="7", itemInSession=0, level="free", ts=noon)
    gone = play(userId="7", itemInSession=1, level="paid", ts=noon + 1000)
    only_here = play(userId="8", itemInSession=2, ts=noon + 2000)
    elsewhere_too = play(userId="9", itemInSession=3, ts=noon + 3000)
    pipeline.put_events(first, [kept, gone, only_here, elsewhere_too])
    pipeline.put_events(second, [elsewhere_too])
    pipeline.run(first, second)
    assert len(pipeline.table("songplays")) == 4
    pipeline.put_events(first, [kept])
    pipeline.run(first)
    files = {first: [kept], second: [elsewhere_too]}
    expected = star_schema(read_log_files(Example("redelivered", files, {}).files()), [])
    pipeline.assert_equals(expected)
    assert pipeline.rows("select user_id, level from users order by user_id") == [(7, "free"), (9, "free")]


def test_a_play_that_passes_to_another_date_before_its_time_was_loaded_keeps_its_time(pipeline: Pipeline) -> None:
    first, second = date(2018, 11, 1), date(2018, 11, 2)
    both = play(userId="7", itemInSession=0, ts=1_541_073_600_000)
    pipeline.put_events(first, [both])
    pipeline.put_events(second, [both])
    pipeline.run(first, only={"tables", "stage_events", "stage_songs", "songplays"})
    pipeline.run(second)
    pipeline.execute("delete from time")
    pipeline.put_events(first, [])
    pipeline.run(first, only=WRITING)
    expected = star_schema(read_log_files(Example("passed on", {second: [both]}, {}).files()), [])
    assert len(expected.time) == 1
    pipeline.assert_equals(expected)


def test_songs_that_come_after_the_plays_are_matched_then(pipeline: Pipeline) -> None:
    day = date(2018, 11, 1)
    pipeline.put_events(day, [play(userId="7", ts=1_541_073_600_000)])
    pipeline.run(day)
    assert [row[4] for row in pipeline.table("songplays")] == [None]
    song = {"num_songs": 1, "artist_id": "AR1", "artist_name": "B", "title": "A", "duration": 100.5, "year": 2000}
    for song_id in ("SO2", "SO1"):
        example = Example("", {}, {}, [{**song, "song_id": song_id}])
        pipeline.put({key.replace("TR", song_id): data for key, data in example.files().items()})
        later = date(2018, 11, 2)
        pipeline.put_events(later, [])
        pipeline.run(later)
        assert [row[4] for row in pipeline.table("songplays")] == [song_id]
