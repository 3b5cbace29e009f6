"""A run whose files are late: what it waits for, until when, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from sparkify.loading import arrival
from sparkify.loading.exceptions import DataError, PackageError
from sparkify.loading.wait_until import WaitUntil
from tests.examples import event
from tests.pipeline import Pipeline

DAY, NEXT = date(2018, 11, 1), date(2018, 11, 2)
MIDNIGHT = datetime(2018, 11, 2, tzinfo=UTC)
FOLDER = "log_data/2018/11/"
STAGE = {"stage_events"}
LINE = json.dumps(event()).encode()

At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Sets the clock of the task that waits for files; S3 keeps its own."""

    def set_clock(now: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return now.astimezone(tz)

        monkeypatch.setattr(arrival, "datetime", Clock)

    return set_clock


def settings(pipeline: Pipeline, **given: Any) -> None:
    pipeline.aws["extra"]["service_config"]["sparkify"] |= given
    pipeline.set_connection("aws_default", pipeline.aws)


def scheduled(pipeline: Pipeline, **params: Any) -> dict[str, Any]:
    """What a scheduled run of the day stages."""
    return dict(pipeline.run(only=STAGE, run_type="scheduled", ds=str(DAY), **params)["stage_events"])


def next_look(pipeline: Pipeline, **params: Any) -> datetime:
    """When a scheduled run of the day looks again."""
    with pytest.raises(TaskDeferred) as deferred:
        scheduled(pipeline, **params)
    assert deferred.value.method_name == "resume"
    trigger = deferred.value.trigger
    path, arguments = trigger.serialize()
    assert path == "sparkify.loading.wait_until.WaitUntil"
    return datetime.fromisoformat(WaitUntil(**arguments).moment)


def test_a_scheduled_run_looks_again_until_its_file_is_there(
    pipeline: Pipeline, at: At, capsys: pytest.CaptureFixture[str]
) -> None:
    at(MIDNIGHT)
    assert next_look(pipeline) == MIDNIGHT + timedelta(minutes=5)
    logged = capsys.readouterr().out
    assert f"No file for log date 2018-11-01: expected s3://{pipeline.bucket}/{FOLDER}2018-11-01-events.json" in logged
    assert "Waiting until 2018-11-02 12:00 UTC, without a worker; the next look is at 2018-11-02 00:05 UTC." in logged
    settings(pipeline, look_minutes=20)
    at(noon := MIDNIGHT + timedelta(hours=11, minutes=50))
    assert next_look(pipeline) == noon + timedelta(minutes=10)
    pipeline.put_events(DAY, [event()])
    assert scheduled(pipeline)["rows_inserted"] == 1


def test_a_task_that_goes_on_after_a_wait_loads_as_one_that_did_not_wait(pipeline: Pipeline, at: At) -> None:
    at(MIDNIGHT)
    ((task, context),) = pipeline.tasks(only=STAGE, run_type="scheduled", ds=str(DAY))
    with pytest.raises(TaskDeferred):
        task.execute(context)
    pipeline.put_events(DAY, [event()])
    assert task.resume_execution("resume", {"event": "2018-11-02T00:05:00+00:00"}, context)["rows_inserted"] == 1
    with pytest.raises(PackageError, match="mistake in the package"):
        task.resume_execution("resume", {"surplus": 1}, context)


def test_the_deadline_is_told_once_and_is_final(pipeline: Pipeline, at: At) -> None:
    at(MIDNIGHT + timedelta(hours=12))
    pipeline.put({FOLDER + "2018-11-01-events.jsonl": LINE})
    due = r"It was due by 2018-11-02 12:00 UTC \(sparkify\.arrive_by_hours is 12\)\. Deliver"
    with pytest.raises(DataError, match=rf"No file for log date 2018-11-01: expected .*There is .*jsonl, which.*{due}"):
        scheduled(pipeline)


def test_a_run_that_is_to_wait_for_no_hour_fails_at_once(pipeline: Pipeline, at: At) -> None:
    settings(pipeline, arrive_by_hours=0)
    at(MIDNIGHT)
    with pytest.raises(DataError, match="due by 2018-11-02 00:00 UTC"):
        scheduled(pipeline)


def test_a_file_that_came_after_the_deadline_is_loaded_by_a_run_that_is_cleared(pipeline: Pipeline) -> None:
    pipeline.put_events(DAY, [event()])
    assert scheduled(pipeline)["files"] == 1


@pytest.mark.parametrize("missing_file", ["fail", "skip"])
def test_a_run_by_hand_or_of_a_backfill_waits_for_nothing(pipeline: Pipeline, at: At, missing_file: str) -> None:
    at(MIDNIGHT)
    for run_type in ("manual", "backfill"):
        pipeline.put({FOLDER + "2018-11-01-events-1.json": LINE})
        run: Any = {"only": STAGE, "run_type": run_type, "ds": str(DAY), "missing_file": missing_file}
        assert pipeline.run(**run)["stage_events"]["files"] == 1
        pipeline.remove(FOLDER + "2018-11-01-events-1.json")
        if missing_file == "fail":
            with pytest.raises(DataError, match="Deliver the file and clear this task; give another log_date"):
                pipeline.run(**run)
        else:
            assert pipeline.run(**run)["stage_events"]["files"] == 0


def test_a_scheduled_run_that_is_to_skip_does_not_wait(pipeline: Pipeline, at: At) -> None:
    at(MIDNIGHT)
    assert scheduled(pipeline, missing_file="skip")["files"] == 0


def test_a_run_by_hand_waits_if_told_to_for_as_long_from_its_beginning(pipeline: Pipeline, at: At) -> None:
    began = datetime(2018, 12, 24, tzinfo=UTC)
    ((task, context),) = pipeline.tasks(DAY, NEXT, only=STAGE, missing_file="wait")
    context["dag_run"].start_date = began
    pipeline.put_events(DAY, [event()])
    at(began + timedelta(hours=11, minutes=59))
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    assert deferred.value.trigger.moment == "2018-12-24T12:00:00+00:00"
    at(began + timedelta(hours=12))
    with pytest.raises(DataError, match=r"No file for log date 2018-11-02: .*due by 2018-12-24 12:00 UTC"):
        task.execute(context)
    pipeline.put_events(NEXT, [event()])
    assert task.execute(context)["files"] == 2


def test_parts_are_loaded_when_none_has_changed_for_some_minutes(pipeline: Pipeline) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(1)
    run: Any = {"only": STAGE, "run_type": "scheduled", "ds": str(yesterday)}
    settings(pipeline, arrive_by_hours=48, still_minutes=3)
    pipeline.put({f"log_data/{yesterday:%Y/%m}/{yesterday}-events-{n}.json": LINE for n in (1, 2)})
    changed = max(item["LastModified"] for item in pipeline.s3.list_objects_v2(Bucket=pipeline.bucket)["Contents"])
    with pytest.raises(TaskDeferred) as deferred:
        pipeline.run(**run)
    assert datetime.fromisoformat(deferred.value.trigger.moment) == changed + timedelta(minutes=3)
    settings(pipeline, still_minutes=0)
    assert pipeline.run(**run)["stage_events"]["files"] == 2


def test_parts_that_came_after_the_deadline_and_may_not_be_all_are_not_loaded(pipeline: Pipeline) -> None:
    pipeline.put({FOLDER + "2018-11-01-events-1.json": LINE})
    with pytest.raises(
        DataError,
        match=r"^The parts of log date 2018-11-01 changed at .* UTC, and count as all there when none has changed for "
        r"5 minutes\. It was due by 2018-11-02 12:00 UTC",
    ):
        scheduled(pipeline)


def test_a_marker_says_that_the_parts_are_all_there(pipeline: Pipeline, at: At) -> None:
    settings(pipeline, marker="ready/{log_date}.done")
    at(MIDNIGHT)
    pipeline.put({FOLDER + "2018-11-01-events-1.json": LINE, "ready/2018-11-01.done.not": b""})
    assert next_look(pipeline) == MIDNIGHT + timedelta(minutes=5)
    at(MIDNIGHT + timedelta(hours=12))
    with pytest.raises(
        DataError, match=rf"Log date 2018-11-01 has parts, .*: expected s3://{pipeline.bucket}/ready/2018-11-01\.done\."
    ):
        scheduled(pipeline)
    pipeline.put({"ready/2018-11-01.done": b""})
    assert scheduled(pipeline)["files"] == 1


def test_songs_wait_for_nothing_and_fail_where_all_are_gone(pipeline: Pipeline) -> None:
    pipeline.put({"song_data/A/A/A/TR1.json": b'{"song_id": "SO1", "artist_id": "AR1"}'})
    pipeline.run(DAY, only={"stage_songs"}, missing_file="wait")
    pipeline.remove("song_data/A/A/A/TR1.json")
    with pytest.raises(DataError, match="They were there at the last load"):
        pipeline.run(DAY, only={"stage_songs"}, missing_file="wait")
