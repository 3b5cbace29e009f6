"""Staging: what is copied, what is refused, what stays."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date
from typing import Any

import pytest

from sparkify.loading import staging
from sparkify.loading.catalogue import CatalogueLedger
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.history import RunId
from sparkify.loading.staging import path_of
from sparkify.loading.warehouse import Warehouse
from sparkify.operators.s3_to_redshift import S3ToRedshiftOperator
from tests.examples import event
from tests.pipeline import Pipeline

DAY, NEXT = date(2018, 11, 1), date(2018, 11, 2)
NOON = 1_541_073_600_000
FOLDER = "log_data/2018/11/"
STAGE = {"stage_events"}


def line(**changes: object) -> bytes:
    return json.dumps(event(**changes)).encode()


def test_a_date_is_all_its_parts_plain_and_gzipped_and_no_other_files(pipeline: Pipeline) -> None:
    pipeline.put(
        {
            FOLDER + "2018-11-01-events.json": line(itemInSession=1),
            FOLDER + "2018-11-01-events-b.json": line(itemInSession=2),
            FOLDER + "2018-11-01-events-c.json.gz": gzip.compress(line(itemInSession=3)),
            FOLDER + "2018-11-01-events.json.bak": line(itemInSession=4),
            FOLDER + "2018-11-01-events/x.json": line(itemInSession=5),
            FOLDER + "2018-11-010-events.json": line(itemInSession=6),
            "log_data_bkp/2018/11/2018-11-01-events.json": line(itemInSession=7),
        }
    )
    counts = pipeline.run(DAY, only=STAGE)["stage_events"]
    assert counts["files"] == 3
    assert counts["rows_staged"] == counts["rows_inserted"] == 3
    assert pipeline.rows("select item_in_session, log_date from staging_events order by 1") == [
        (1, DAY),
        (2, DAY),
        (3, DAY),
    ]


def test_loading_a_date_replaces_that_date_and_nothing_else(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(itemInSession=1), event(itemInSession=2)])
    pipeline.put_events(NEXT, [event(itemInSession=3)])
    pipeline.run(DAY, NEXT, only=STAGE)
    pipeline.put_events(DAY, [event(itemInSession=4)])
    counts = pipeline.run(DAY, only=STAGE)["stage_events"]
    assert (counts["rows_deleted"], counts["rows_inserted"]) == (2, 1)
    assert pipeline.rows("select item_in_session, log_date from staging_events order by 1") == [(3, NEXT), (4, DAY)]


def test_an_empty_file_is_an_empty_day(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event()])
    pipeline.run(DAY, only=STAGE)
    pipeline.put_events(DAY, [])
    counts = pipeline.run(DAY, only=STAGE)["stage_events"]
    assert (counts["files"], counts["rows_deleted"], counts["rows_inserted"]) == (1, 1, 0)


def test_a_missing_file_fails_naming_the_dates_and_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event()])
    pipeline.run(DAY, only=STAGE)
    with pytest.raises(
        DataError, match=r"No file for log date 2018-11-02, 2018-11-03: expected s3://.*2018-11-02-events"
    ):
        pipeline.run(DAY, "2018-11-03", only=STAGE)
    assert pipeline.rows("select count(*) from staging_events") == [(1,)]


def test_a_missing_file_may_be_skipped_and_leaves_what_was_loaded(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.put_events(DAY, [event()])
    pipeline.run(DAY, only=STAGE)
    pipeline.remove(FOLDER + "2018-11-01-events.json")
    pipeline.put_events(NEXT, [event(itemInSession=9)])
    pipeline.run(DAY, NEXT, only=STAGE, missing_file="skip")
    assert "No file for log date 2018-11-01" in capsys.readouterr().out
    assert pipeline.rows("select log_date from staging_events order by 1") == [(DAY,), (NEXT,)]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (b'{"ts": "yesterday", "page": "Home"}', r'events\.json, line 2, column ts, value "yesterday"'),
        (b'{"ts": 1, "level": "' + b"x" * 17 + b'"}', r'line 2, column level, value "x{17}": String length'),
        (b'{"ts": oops}', r'line 2, value \{"ts": oops\}: Invalid'),
    ],
    ids=["text in ts", "too long", "no JSON"],
)
def test_a_bad_line_fails_naming_it_and_changes_nothing(pipeline: Pipeline, bad: bytes, sentence: str) -> None:
    pipeline.put_events(DAY, [event(itemInSession=1)])
    pipeline.run(DAY, only=STAGE)
    pipeline.put({FOLDER + "2018-11-01-events.json": b"\n".join([line(itemInSession=2), bad, line(itemInSession=3)])})
    with pytest.raises(DataError, match=sentence):
        pipeline.run(DAY, only=STAGE)
    assert pipeline.rows("select item_in_session from staging_events") == [(1,)]


def test_max_bad_lines_loads_the_rest_and_says_what_it_left_out(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line(itemInSession=1), b'{"ts": "x"}', line(itemInSession=2), b'{"ts": "y"}']
    pipeline.put({FOLDER + "2018-11-01-events.json": b"\n".join(lines)})
    with pytest.raises(DataError):
        pipeline.run(DAY, only=STAGE, max_bad_lines=1)
    counts = pipeline.run(DAY, only=STAGE, max_bad_lines=2)["stage_events"]
    assert (counts["rows_staged"], counts["rows_refused"]) == (2, 2)
    logged = capsys.readouterr().out
    assert "line 2, column ts" in logged
    assert "line 4, column ts" in logged
    file = f"s3://{pipeline.bucket}/{FOLDER}2018-11-01-events.json"
    rejects = "select log_date, file_name, line_number, column_name, value, line from staging_rejects order by 3"
    assert pipeline.rows(rejects) == [
        (DAY, file, 2, "ts", '"x"', '{"ts": "x"}'),
        (DAY, file, 4, "ts", '"y"', '{"ts": "y"}'),
    ]
    reasons = {why for (why,) in pipeline.rows("select reason from staging_rejects")}
    assert all("Invalid digit" in why for why in reasons)


def test_rejects_are_replaced_with_their_date_and_kept_whole(pipeline: Pipeline) -> None:
    long = json.dumps({"ts": "x", "song": "é" * 5000}, ensure_ascii=False)
    pipeline.put({FOLDER + "2018-11-01-events.json": long.encode(), FOLDER + "2018-11-02-events.json": b'{"ts": "y"}'})
    pipeline.run(DAY, NEXT, only=STAGE, max_bad_lines=2)
    assert pipeline.rows(f"select line from staging_rejects where log_date = '{DAY}'") == [(long,)]
    pipeline.put_events(DAY, [event()])
    pipeline.run(DAY, only=STAGE)
    assert pipeline.rows("select log_date, line from staging_rejects") == [(NEXT, '{"ts": "y"}')]


def test_a_rejected_value_is_kept_as_it_is_written_and_as_far_as_it_is_text(pipeline: Pipeline) -> None:
    pipeline.put({FOLDER + "2018-11-01-events.json": b'{"ts": "\\ud800"}\n{"ts": "\xff"}'})
    pipeline.run(DAY, only=STAGE, max_bad_lines=2)
    kept = pipeline.rows("select value, line from staging_rejects order by line_number")
    assert kept[0] == ('"\\ud800"', '{"ts": "\\ud800"}')
    assert kept[1][1] == '{"ts": "\ufffd"}'


def test_bad_lines_are_counted_over_all_files_of_the_run(pipeline: Pipeline) -> None:
    for log_date in (DAY, NEXT):
        pipeline.put({f"{FOLDER}{log_date}-events.json": line() + b'\n{"ts": "x"}'})
    with pytest.raises(DataError, match=r"2 line\(s\) were refused, more than max_bad_lines=1"):
        pipeline.run(DAY, NEXT, only=STAGE, max_bad_lines=1)
    assert pipeline.rows("select count(*) from staging_events") == [(0,)]


def test_an_unchanged_catalogue_issues_no_copy(pipeline: Pipeline) -> None:
    pipeline.put({"song_data/A/A/A/TR1.json": b'{"song_id": "SO1", "artist_id": "AR1"}'})
    assert pipeline.run(DAY, only={"stage_songs"})["stage_songs"]["rows_inserted"] == 1
    again = pipeline.run(DAY, only={"stage_songs"})["stage_songs"]
    assert (again["files"], again["rows_staged"]) == (0, 0)


def test_a_song_file_may_be_pretty_printed_or_newline_delimited(pipeline: Pipeline) -> None:
    songs = [{"song_id": f"SO{n}", "artist_id": "AR1", "title": f"{{{n}}}"} for n in range(3)]
    pipeline.put(
        {
            "song_data/A/A/A/TR1.json": json.dumps(songs[0], indent=4).encode(),
            "song_data/A/A/A/TR2.json": b"\n".join(json.dumps(song).encode() for song in songs[1:]),
        }
    )
    pipeline.run(DAY, only={"stage_songs"})
    assert pipeline.rows("select song_id, title from staging_songs order by 1") == [
        ("SO0", "{0}"),
        ("SO1", "{1}"),
        ("SO2", "{2}"),
    ]


def test_a_changed_song_file_replaces_what_it_gave_before(pipeline: Pipeline) -> None:
    pipeline.put({f"song_data/A/A/A/TR{n}.json": b'{"song_id": "SO%d"}' % n for n in (1, 2)})
    pipeline.run(DAY, only={"stage_songs"})
    pipeline.put({"song_data/A/A/A/TR2.json": b'{"song_id": "SO3"}'})
    pipeline.run(DAY, only={"stage_songs"})
    assert pipeline.rows("select song_id from staging_songs order by 1") == [("SO1",), ("SO3",)]


def test_a_changed_or_vanished_song_file_costs_its_folder_and_no_other(pipeline: Pipeline) -> None:
    """Also if a folder's name has what SQL or a pattern reads in another way."""
    odd = "it's 100%\\n_"
    folders = ("song_data/A/A/", f"song_data/A/{odd}/", "song_data/", "song_data/A/")
    names = {n: f"{folder}{deeper}TR{n}.json" for n, (folder, deeper) in enumerate(
        [(folders[0], ""), (folders[0], "C/D/"), (folders[1], ""), (folders[2], ""), (folders[3], "")]
    )}  # fmt: skip
    pipeline.put({name: b'{"song_id": "SO%d"}' % n for n, name in names.items()})
    assert pipeline.run(DAY, only={"stage_songs"})["stage_songs"]["files"] == 5
    staged = "select song_id, folder from staging_songs order by song_id"
    told = [(f"SO{n}", folders[max(0, n - 1)]) for n in names]
    assert pipeline.rows(staged) == told
    assert pipeline.run(DAY, only={"stage_songs"})["stage_songs"]["files"] == 0
    pipeline.put({names[2]: b'{"song_id": "SO2", "year": 2000}', names[3]: b"{oops"})
    counts = pipeline.run(DAY, only={"stage_songs"}, max_bad_lines=1)["stage_songs"]
    assert (counts["files"], counts["rows_inserted"], counts["rows_deleted"], counts["rows_refused"]) == (2, 1, 2, 1)
    assert pipeline.rows("select song_id from staging_songs where year = 2000") == [("SO2",)]
    assert len(pipeline.rows("select * from staging_rejects")) == 1
    pipeline.put({names[3]: b'{"song_id": "SO3"}', f"{folders[0]}TR9.json": b'{"song_id": "SO9"}'})
    counts = pipeline.run(DAY, only={"stage_songs"})["stage_songs"]
    assert (counts["files"], counts["rows_inserted"], counts["rows_deleted"]) == (2, 2, 0)
    assert pipeline.rows("select * from staging_rejects") == []
    assert pipeline.rows(staged) == [*told, ("SO9", folders[0])]
    for n in (1, 2):
        pipeline.remove(names[n])
    counts = pipeline.run(DAY, only={"stage_songs"})["stage_songs"]
    assert (counts["files"], counts["rows_inserted"], counts["rows_deleted"]) == (2, 2, 4)
    assert pipeline.rows(staged) == [told[0], told[3], told[4], ("SO9", folders[0])]
    files = pipeline.rows("select folder, count(*) from staged_files group by folder order by folder")
    assert files == [("song_data/", 1), ("song_data/A/", 1), ("song_data/A/A/", 2)]
    assert pipeline.rows("select folder, files from staged_folders order by folder") == files
    assert pipeline.run(DAY, only={"stage_songs"})["stage_songs"]["files"] == 0


def test_songs_that_another_run_copies_meanwhile_are_neither_lost_nor_copied_twice(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put({"song_data/A/A/A/TR1.json": b'{"song_id": "SO1"}'})
    read_ledger = CatalogueLedger.fingerprints
    others: list[str] = ["run"]

    def another_run_follows(ledger: CatalogueLedger, warehouse: Warehouse) -> dict[str, str]:
        known = read_ledger(ledger, warehouse)
        if others:
            others.pop()
            pipeline.put({"song_data/A/A/A/TR2.json": b'{"song_id": "SO2"}'})
            pipeline.run(DAY, only={"stage_songs"})
        return known

    monkeypatch.setattr(CatalogueLedger, "fingerprints", another_run_follows)
    pipeline.run(DAY, only={"stage_songs"})
    assert pipeline.rows("select song_id from staging_songs order by 1") == [("SO1",), ("SO2",)]


def test_a_file_delivered_and_loaded_while_it_was_copied_is_not_replaced_by_what_it_was(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put_events(DAY, [event(level="free")])
    begin_to_write = S3ToRedshiftOperator._writing
    others: list[str] = ["run"]

    def another_run_is_first(operator: S3ToRedshiftOperator, warehouse: Warehouse) -> Any:
        if others:
            others.pop()
            pipeline.put_events(DAY, [event(level="paid")])
            pipeline.run(DAY, only={"stage_events"})
        return begin_to_write(operator, warehouse)

    monkeypatch.setattr(S3ToRedshiftOperator, "_writing", another_run_is_first)
    with pytest.raises(Unavailable, match=f"The files of log date {DAY} changed while they were copied, and nothing"):
        pipeline.run(DAY, only={"stage_events"})
    assert pipeline.rows("select level from staging_events") == [("paid",)]
    pipeline.run(DAY, only={"stage_events"})
    assert pipeline.rows("select level from staging_events") == [("paid",)]


def test_many_files_are_copied_in_parts(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "FILES_A_COPY", 2)
    songs = [f'{{"song_id": "SO{number}"}}'.encode() for number in range(7)]
    names = [f"song_data/A/A/A/TR{number}.json" for number in range(7)]
    pipeline.put(dict(zip(names[:5], songs[:5], strict=True)))
    pipeline.put({f"{name}.gz": gzip.compress(song) for name, song in zip(names[5:], songs[5:], strict=True)})
    counts = pipeline.run(DAY, only={"stage_songs"})["stage_songs"]
    assert (counts["files"], counts["rows_staged"], counts["rows_inserted"]) == (7, 7, 7)
    assert len(pipeline.rows("select distinct song_id from staging_songs")) == 7
    kept = pipeline.s3.list_objects_v2(Bucket=pipeline.control_bucket)["Contents"]
    manifests = sorted(item["Key"].rpartition("/")[2] for item in kept if item["Key"].endswith(".manifest"))
    assert manifests == [f"folder-0-1{part}.manifest" for part in ("-2", "-4", ".gz", "")]


def test_bad_lines_count_over_all_parts(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "FILES_A_COPY", 1)
    pipeline.put({f"{FOLDER}2018-11-01-events-{part}.json": line(itemInSession=part) + b"\n{x" for part in range(3)})
    with pytest.raises(DataError, match=r"3 line\(s\) were refused, more than max_bad_lines=2"):
        pipeline.run(DAY, only=STAGE, max_bad_lines=2)
    assert not pipeline.rows("select * from staging_events")
    counts = pipeline.run(DAY, only=STAGE, max_bad_lines=3)["stage_events"]
    assert (counts["rows_staged"], counts["rows_refused"]) == (3, 3)


def test_no_two_tries_write_to_one_place() -> None:
    names = ["manual__2018-11-01", "manual:2018-11-01", "manual_2018-11-01", "manual/2018-11-01", "manual 2018-11-01"]
    paths = {path_of(RunId("dag", name, "stage", number)) for name in names for number in (1, 2)}
    assert len(paths) == 2 * len(names)
    assert "dag/manual__2018-11-01/stage/try-1" in paths
    assert all(re.fullmatch(r"dag/[\w.-]+/stage/try-\d", path, re.ASCII) for path in paths)


def test_a_catalogue_that_vanished_fails_unless_it_may_be_skipped(pipeline: Pipeline) -> None:
    pipeline.put({"song_data/A/A/A/TR1.json": b'{"song_id": "SO1"}'})
    pipeline.run(DAY, only={"stage_songs"})
    pipeline.remove("song_data/A/A/A/TR1.json")
    with pytest.raises(DataError, match="There are no files under s3://.*They were there at the last load"):
        pipeline.run(DAY, only={"stage_songs"})
    pipeline.run(DAY, only={"stage_songs"}, missing_file="skip")
    assert pipeline.rows("select song_id from staging_songs") == [("SO1",)]


def test_the_load_is_recorded_in_its_own_transaction(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(itemInSession=1), event(itemInSession=2)])
    pipeline.run(DAY, only=STAGE)
    size = len(pipeline.s3.get_object(Bucket=pipeline.bucket, Key=FOLDER + "2018-11-01-events.json")["Body"].read())
    assert pipeline.rows(
        "select table_name, first_log_date, last_log_date, dag_id, task_id, try_number, files, bytes, rows_staged,"
        " rows_refused, rows_deleted, rows_inserted, rows_updated from load_history"
    ) == [("staging_events", DAY, DAY, "sparkify_daily", "stage_events", 1, 1, size, 2, 0, 0, 2, 0)]


def test_the_source_bucket_is_only_read(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event()])
    pipeline.run(DAY, only=STAGE)
    keys = [item["Key"] for item in pipeline.s3.list_objects_v2(Bucket=pipeline.bucket)["Contents"]]
    assert keys == [FOLDER + "2018-11-01-events.json"]


def test_missing_file_takes_fail_or_skip(pipeline: Pipeline) -> None:
    with pytest.raises(SettingsError, match="missing_file='ignore' is unknown. Use one of fail, skip"):
        pipeline.run(DAY, only=STAGE, missing_file="ignore")


def test_the_driver_keeps_what_copy_says_of_lines_left_out(pipeline: Pipeline) -> None:
    pipeline.put({"lines.json": b'{"user_id": 1}\n{"user_id": "x"}\n{"user_id": "y"}'})
    with pipeline.session() as warehouse:
        warehouse.execute("create temp table incoming (user_id integer)")
        copy = f"copy incoming from 's3://{pipeline.bucket}/lines.json' iam_role default format as json 'auto'"
        warehouse.execute(f"{copy} maxerror 3")
        said = " ".join(warehouse.notices())
        assert "1 record(s) loaded successfully" in said
        assert "2 record(s) could not be loaded" in said
        assert warehouse.notices() == []


@pytest.mark.parametrize("conn_type", ["redshift", "postgres"])
def test_lines_left_out_are_counted_with_either_driver(pipeline: Pipeline, conn_type: str) -> None:
    connection = json.loads(pipeline.stack.env["AIRFLOW_CONN_REDSHIFT_DEFAULT"])
    extra = connection["extra"] if conn_type == "redshift" else {}
    pipeline.set_connection("redshift_default", {**connection, "conn_type": conn_type, "extra": extra})
    pipeline.put(
        {FOLDER + "2018-11-01-events.json": b"\n".join([line(), b'{"ts": "x"}', b"{oops}", line(ts=NOON * 1000)])}
    )
    counts = pipeline.run(DAY, only=STAGE, max_bad_lines=3)["stage_events"]
    assert (counts["rows_staged"], counts["rows_refused"]) == (1, 3)
    assert pipeline.rows("select line_number from staging_rejects order by 1") == [(2,), (3,), (4,)]


def test_a_plain_file_with_the_name_of_a_packed_one_is_named(pipeline: Pipeline) -> None:
    pipeline.put(
        {
            FOLDER + "2018-11-01-events-1.json.gz": gzip.compress(line()),
            FOLDER + "2018-11-01-events-2.json.gz": line(itemInSession=1),
        }
    )
    with pytest.raises(DataError, match=r"2018-11-01-events-2\.json\.gz is no gzip, as its name says: name it \.json"):
        pipeline.run(DAY, only=STAGE)


@pytest.mark.parametrize("data", [gzip.compress(line()), line().decode().encode("utf-16")], ids=["gzip", "UTF-16"])
def test_a_file_of_other_bytes_is_called_by_their_name(pipeline: Pipeline, data: bytes) -> None:
    pipeline.put({FOLDER + "2018-11-01-events.json": data})
    with pytest.raises(DataError, match=r"2018-11-01-events\.json.*The bytes look like (gzip|UTF-16)\. ") as refused:
        pipeline.run(DAY, only=STAGE)
    assert str(refused.value).replace("\n", "").isprintable()


PACKED = gzip.compress(line())


@pytest.mark.parametrize(
    "data",
    [
        PACKED[:-8],
        PACKED[:-1],
        PACKED[:9],
        PACKED[:-8] + bytes(8),
        PACKED + b"\n",
        PACKED + b"{}",
        PACKED + PACKED[:12],
    ],
    ids=["no end", "cut at its end", "cut at once", "checksum", "line feed after it", "text after it", "second member"],
)
def test_a_gzip_file_that_is_not_whole_is_named_with_its_cure(pipeline: Pipeline, data: bytes) -> None:
    pipeline.put({FOLDER + "2018-11-01-events-1.json.gz": PACKED, FOLDER + "2018-11-01-events-2.json.gz": data})
    with pytest.raises(
        DataError, match=r"2018-11-01-events-2\.json\.gz is no whole gzip file \(.+\): deliver it again"
    ):
        pipeline.run(DAY, only=STAGE, max_bad_lines=9)
    assert pipeline.rows("select * from staging_events") == []


def test_a_file_of_other_bytes_is_named_where_nothing_stands_on_the_line(pipeline: Pipeline) -> None:
    pipeline.put({FOLDER + "2018-11-01-events.json": ("\n" + line().decode()).encode("utf-16-le")})
    with pytest.raises(DataError, match=r"2018-11-01-events\.json, line 1: .*The bytes look like UTF-16\. "):
        pipeline.run(DAY, only=STAGE)


def test_events_of_another_day_are_kept_and_reported(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event(ts=NOON), event(ts=NOON + 86_400_000, itemInSession=1)])
    pipeline.run(DAY, only={"stage_events", "check_staging"})
    assert pipeline.rows("select ts, log_date from staging_events order by 1") == [
        (NOON, DAY),
        (NOON + 86_400_000, DAY),
    ]
    assert pipeline.rows(
        "select severity, offending, passed from data_quality_results"
        " where check_name = 'staging_events.time_is_within_log_date'"
    ) == [("warn", 1, False)]


def test_lines_left_out_are_reported_by_a_check(pipeline: Pipeline) -> None:
    pipeline.put({FOLDER + "2018-11-01-events.json": line() + b'\n{"ts": "x"}'})
    pipeline.run(DAY, only={"stage_events", "check_staging"}, max_bad_lines=1)
    assert pipeline.rows(
        "select severity, offending, passed from data_quality_results where check_name = 'staging_events.line_was_read'"
    ) == [("warn", 1, False)]
