"""A time that no line can mean makes its line a bad one: found, kept, counted and named as any other."""

from __future__ import annotations

import gzip
import json
from datetime import date
from typing import Any

import pytest

from sparkify.loading.epoch_times import END, FIRST, count_outside, why_outside
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.source import Source
from sparkify.loading.warehouse import Warehouse
from sparkify.operators.s3_to_redshift import S3ToRedshiftOperator
from sparkify.tables import STAGING_SONGS
from tests.examples import event, play
from tests.pipeline import Pipeline
from tests.security.hostile import ODD_TIMES

DAY, NEXT = date(2018, 11, 1), date(2018, 11, 2)
NOON = 1_541_073_600_000
FOLDER = "log_data/2018/11/"
STAGE = ("tables", "stage_events")
REJECTS = "select line_number, value, reason from staging_rejects order by file_name, line_number"
CHECKED = "select passed from data_quality_results where check_name = 'staging_events.rows_are_lines_read'"


def line(ts: object, item: int = 0) -> bytes:
    return json.dumps(event(ts=ts, itemInSession=item)).encode()


def put(pipeline: Pipeline, *times: object, name: str = "2018-11-01-events.json") -> None:
    data = b"\n".join(line(ts, item) for item, ts in enumerate(times))
    pipeline.put({FOLDER + name: gzip.compress(data) if name.endswith(".gz") else data})


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (1_543_660_000, "ts 1543660000 looks like seconds"),
        (1_543_660_000_000_000, "ts 1543660000000000 looks like microseconds"),
        (1_543_660_000_000_000_000, "ts 1543660000000000000 looks like nanoseconds"),
        (0, "ts 0 lies outside 2000-01-01 to 2100-01-01 UTC"),
        (-62_135_596_800_000, "ts -62135596800000 lies outside 2000-01-01 to 2100-01-01 UTC"),
        (END, f"ts {END} lies outside 2000-01-01 to 2100-01-01 UTC"),
    ],
)
def test_the_reason_names_the_unit_that_a_time_looks_like(time: int, words: str) -> None:
    assert why_outside("ts", time) == words


@pytest.mark.parametrize("ts", ODD_TIMES)
def test_a_time_outside_the_range_fails_naming_file_line_and_value(pipeline: Pipeline, ts: int) -> None:
    put(pipeline, NOON)
    pipeline.run(DAY, only=STAGE)
    put(pipeline, NOON, NOON, ts, NOON)
    with pytest.raises(DataError) as refused:
        pipeline.run(DAY, only=STAGE)
    told = str(refused.value)
    assert "1 line(s) have a ts outside 2000-01-01 to 2100-01-01 UTC: more than max_bad_lines=0." in told
    assert f"{FOLDER}2018-11-01-events.json, line 3, column ts, value {ts}: {why_outside('ts', ts)}" in told
    assert "Fix the file and clear this task" in told
    assert pipeline.rows("select count(*) from staging_events") == [(1,)]


@pytest.mark.parametrize("ts", [FIRST, END - 1, NOON, None, str(NOON)])
def test_a_time_within_it_or_null_is_loaded(pipeline: Pipeline, ts: object) -> None:
    put(pipeline, ts)
    counts = pipeline.run(DAY, only=STAGE)["stage_events"]
    assert (counts["rows_inserted"], counts["rows_refused"]) == (1, 0)


def test_lines_outside_are_kept_counted_and_never_staged(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("2018-11-01-events-1.json", "2018-11-01-events-2.json.gz"):
        put(pipeline, NOON, NOON * 1000, NOON, f" {NOON // 1000} ", name=name)
    put(pipeline, NOON, name="2018-11-02-events.json")
    counts = pipeline.run(DAY, NEXT, only=(*STAGE, "check_staging"), max_bad_lines=4)["stage_events"]
    assert (counts["rows_staged"], counts["rows_refused"], counts["rows_inserted"]) == (5, 4, 5)
    assert (
        pipeline.rows(REJECTS)
        == [
            (2, str(NOON * 1000), f"ts {NOON * 1000} looks like microseconds"),
            (4, f'" {NOON // 1000} "', f"ts {NOON // 1000} looks like seconds"),
        ]
        * 2
    )
    assert pipeline.rows("select line from staging_rejects order by line_number limit 1") == [
        (line(NOON * 1000, 1).decode(),)
    ]
    assert pipeline.rows(f"select count(*) from staging_events where ts not between {FIRST} and {END}") == [(0,)]
    assert pipeline.rows("select log_date, lines_read from staged_dates order by 1") == [(DAY, 8), (NEXT, 1)]
    assert pipeline.rows(CHECKED) == [(True,)]
    assert pipeline.published["stage_events", "sparkify_load"]["dates"][str(DAY)]["refused"] == 4
    assert "Left out: " in capsys.readouterr().out
    put(pipeline, NOON, name="2018-11-01-events-1.json")
    pipeline.remove(FOLDER + "2018-11-01-events-2.json.gz")
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows(REJECTS) == []


def test_refused_lines_of_either_kind_count_together_and_once(pipeline: Pipeline) -> None:
    lines = [
        line(NOON),
        line(NOON // 1000, 1),
        b'{"ts": %d, "userId": "x"}' % (NOON // 1000),
        b'{"ts": "x"}',
        b'{"ts": oops}',
        json.dumps(event(ts=1, itemInSession=2), indent=2).encode(),
    ]
    pipeline.put({FOLDER + "2018-11-01-events.json": b"\n".join(lines)})
    with pytest.raises(DataError, match=r"2 line\(s\) have a ts outside .*; COPY refused 3 more: .*max_bad_lines=4"):
        pipeline.run(DAY, only=STAGE, max_bad_lines=4)
    counts = pipeline.run(DAY, only=(*STAGE, "check_staging"), max_bad_lines=5)["stage_events"]
    assert (counts["rows_staged"], counts["rows_refused"]) == (1, 5)
    kept = pipeline.rows("select line, column_name from staging_rejects order by line_number")
    assert [text for text, _ in kept] == [one.decode() for one in lines[1:]]
    assert [column for _, column in kept] == ["ts", "user_id", "ts", "", "ts"]
    assert pipeline.rows(CHECKED) == [(True,)]


def test_of_many_only_the_first_are_named_and_the_rest_of_the_file_is_not_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pipeline, *[NOON // 1000] * 30_000)
    read: list[int] = []
    pieces = Source.pieces

    def counted(source: Source, url: str) -> Any:
        for piece in pieces(source, url):
            read.append(len(piece))
            yield piece

    monkeypatch.setattr(Source, "pieces", counted)
    with pytest.raises(DataError, match=r"30000 line\(s\) have a ts outside(?s:.*) … and 29990 more\n") as refused:
        pipeline.run(DAY, only=STAGE)
    assert str(refused.value).count("looks like seconds") == 10
    assert len(read) == 1


def test_a_load_without_such_lines_asks_once_and_reads_no_file(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pipeline, NOON)
    put(pipeline, NOON, name="2018-11-02-events.json")
    asked: list[str] = []
    rows = Warehouse.rows

    def listen(warehouse: Warehouse, sql: str, parameters: Any = None) -> Any:
        asked.append(sql)
        return rows(warehouse, sql, parameters)

    monkeypatch.setattr(Warehouse, "rows", listen)
    monkeypatch.setattr(Source, "pieces", None)
    pipeline.run(DAY, NEXT, only=STAGE)
    assert sum(str(FIRST) in sql for sql in asked) == 1


def test_rows_whose_lines_are_not_in_the_files_any_more_fail_the_load(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pipeline, NOON, NOON // 1000)

    def another_file_comes(*arguments: Any) -> dict[str, int]:
        counted = count_outside(*arguments)
        put(pipeline, NOON)
        return counted

    monkeypatch.setattr("sparkify.loading.staging.count_outside", another_file_comes)
    with pytest.raises(
        Unavailable, match=r"1 row\(s\) of log date 2018-11-01 have a ts .* 0 of their lines were found"
    ):
        pipeline.run(DAY, only=STAGE, max_bad_lines=1)
    assert pipeline.rows("select count(*) from staging_events") == [(0,)]


def test_a_date_with_such_a_line_stops_no_other_and_loads_once_it_is_fixed(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [play()])
    pipeline.put_events(NEXT, [play(ts=NOON * 1_000_000, itemInSession=1)])
    with pytest.raises(DataError, match="looks like nanoseconds"):
        pipeline.run(NEXT)
    pipeline.run(DAY)
    pipeline.put_events(NEXT, [play(ts=NOON + 86_400_000, itemInSession=1)])
    pipeline.run(NEXT)
    assert pipeline.rows("select count(*) from songplays") == [(2,)]


def test_the_rule_is_of_a_column_that_is_copied_and_of_log_files(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="epoch_ms='ts' is of dated files, and staging_songs has others. Leave it out"):
        S3ToRedshiftOperator(task_id="x", table=STAGING_SONGS, jsonpaths="x.json", epoch_ms="ts")
    put(pipeline, NOON)
    for task, context in pipeline.tasks(DAY, only=("stage_events",)):
        task.epoch_ms = "time"
        with pytest.raises(SettingsError, match="epoch_ms='time' is no column of staging_events that a file"):
            task.execute(context)
