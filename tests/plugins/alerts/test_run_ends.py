"""The messages about a run and a backfill, from what Airflow's metadata database has of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from airflow.models.backfill import Backfill
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sparkify.alerts import run_ends
from sparkify.alerts.wording import LONGEST_SUBJECT, LONGEST_TEXT, Message
from sparkify.loading.exceptions import DataError, PackageError, Unavailable
from sparkify.loading.published import FAILURE, VERSION
from tests.plugins.ui.metadata import BROKEN, Made, Metadata

FIRST = date(2018, 11, 1)
DAY = timedelta(1)
Told = list[tuple[str, Message]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The runs that would be triggered: id and message. tests/e2e/test_alerts.py triggers them."""
    found: Told = []
    monkeypatch.setattr(run_ends, "_trigger", lambda run_id, message: found.append((run_id, message)))
    return found


def failed(log_date: date = FIRST, error: Any = None, **more: Any) -> Made:
    """A run whose first task failed with this error, or died without a word."""
    said = {} if error is None else {"version": VERSION, "kind": type(error).__name__, "told": error.told}
    published = {("stage_events", FAILURE): said} if said else {}
    return Made(log_date, state="failed", failed_task="stage_events", has_told=False, told=published, **more)


def end(metadata: Metadata, number: int = -1) -> None:
    """Let a run end; without a number the last."""
    with Session(metadata.engine) as session:
        runs = session.scalars(select(DagRun).order_by(DagRun.id)).all()
        run_ends.tell(runs[number])


def backfilled(metadata: Metadata, runs: Sequence[Made]) -> None:
    """These runs, a date after the other, are a backfill."""
    metadata.add(*runs)
    with Session(metadata.engine) as session:
        backfill = Backfill(
            dag_id="sparkify_daily",
            from_date=datetime(2018, 11, 1, tzinfo=UTC),
            to_date=datetime(2018, 12, 1, tzinfo=UTC),
        )
        session.add(backfill)
        session.flush()
        for number, run in enumerate(session.scalars(select(DagRun).order_by(DagRun.id)).all()):
            session.execute(
                update(DagRun)
                .where(DagRun.id == run.id)
                .values(
                    backfill_id=backfill.id,
                    run_type="backfill",
                    conf={},
                    logical_date=datetime(2018, 11, 1, tzinfo=UTC) + number * DAY,
                )
            )
        session.commit()


def test_a_failed_run_tells_the_sentence_and_the_cure(metadata: Metadata, told: Told) -> None:
    metadata.add(failed(error=DataError("a line is bad")))
    end(metadata)
    ((run_id, message),) = told
    assert run_id.startswith("told__run_1_")
    assert message.subject == "sparkify_daily: the manual run of 2018-11-01 failed in stage_events"
    assert (
        "2018-11-01: stage_events failed after 1 try.\n  a line is bad\n  What to do: Fix what it names" in message.text
    )


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (Unavailable("S3 is away"), "Wait until what it names answers again"),
        (PackageError("KeyError: 'x'"), "Report it with the task's log"),
        (None, "its process was killed, its machine was lost"),
    ],
)
def test_what_is_to_be_done_depends_on_the_error(metadata: Metadata, told: Told, error: Any, cure: str) -> None:
    metadata.add(failed(error=error))
    end(metadata)
    assert cure in told[0][1].text


def test_a_run_that_was_marked_as_failed_says_so(metadata: Metadata, told: Told) -> None:
    metadata.add(Made(FIRST, state="failed"))
    end(metadata)
    assert "None of its tasks failed: it was marked as failed, or reached a time limit." in told[0][1].text


def test_a_warning_is_told_without_its_rows_and_a_sound_run_not_at_all(metadata: Metadata, told: Told) -> None:
    metadata.add(Made(FIRST))
    end(metadata)
    assert told == []
    metadata.add(Made(FIRST, broken=[BROKEN]))
    end(metadata)
    ((_, message),) = told
    assert message.subject == "sparkify_daily: 1 check warned of 2018-11-01"
    assert "staging_events.page_is_known: 7 rows against: every page is a known one" in message.text
    assert "Podcast" not in message.text


def test_a_failed_run_that_warned_too_is_one_message(metadata: Metadata, told: Told) -> None:
    metadata.add(Made(FIRST, state="failed", failed_task="songplays", broken=[BROKEN]))
    end(metadata)
    ((_, message),) = told
    assert "songplays failed" in message.text
    assert "staging_events.page_is_known: 7 rows" in message.text


def test_another_dags_run_is_not_told_of(metadata: Metadata, told: Told) -> None:
    metadata.add(failed())
    for dag_id in ("other", "sparkify_alerts"):
        with Session(metadata.engine) as session:
            session.execute(update(DagRun).values(dag_id=dag_id))
            session.commit()
        end(metadata)
    assert told == []


def test_a_run_of_the_packages_other_dags_is_told_of_without_a_log_date(metadata: Metadata, told: Told) -> None:
    metadata.add(failed())
    with Session(metadata.engine) as session:
        session.execute(update(DagRun).values(dag_id="sparkify_warehouse"))
        session.commit()
    end(metadata)
    assert told[0][1].subject == "sparkify_warehouse: the manual run failed"


def test_a_backfill_is_told_of_by_its_last_run_alone(metadata: Metadata, told: Told) -> None:
    runs = [
        failed(error=DataError("no file")),
        Made(FIRST + DAY, broken=[BROKEN]),
        Made(FIRST + 2 * DAY, state="running"),
    ]
    backfilled(metadata, runs)
    end(metadata, 0)
    end(metadata, 1)
    assert told == []
    with Session(metadata.engine) as session:
        session.execute(update(DagRun).where(DagRun.id == 3).values(state="failed"))
        session.commit()
    end(metadata, 2)
    ((run_id, message),) = told
    assert run_id == "told__backfill_1"
    assert message.text.startswith(
        "sparkify_daily: the backfill of 2018-11-01 to 2018-11-03 has ended, 2 of 3 runs failed."
    )
    assert "2018-11-01: stage_events failed after 1 try.\n  no file" in message.text
    assert "2018-11-03: no task failed; the run was cancelled, or marked as failed." in message.text
    assert "staging_events.page_is_known: 7 rows against" in message.text


def test_a_run_of_a_backfill_that_is_cleared_afterwards_is_told_of_by_itself(
    metadata: Metadata, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfilled(metadata, [failed()])
    monkeypatch.setattr(run_ends, "_is_triggered", lambda session, run_id: run_id == "told__backfill_1")
    end(metadata)
    assert [message.subject for _, message in told] == [
        "sparkify_daily: the backfill run of 2018-11-01 failed in stage_events"
    ]


def test_a_sound_backfill_is_not_told_of(metadata: Metadata, told: Told) -> None:
    backfilled(metadata, [Made(FIRST), Made(FIRST + DAY)])
    end(metadata)
    assert told == []


def test_a_long_backfill_is_a_message_that_can_be_sent(metadata: Metadata, told: Told) -> None:
    backfilled(metadata, [failed(FIRST + number * DAY, DataError("x" * 3_000)) for number in range(30)])
    end(metadata)
    ((_, message),) = told
    assert "30 of 30 runs failed" in message.text
    assert len(message.text) <= LONGEST_TEXT
    assert len(message.subject) <= LONGEST_SUBJECT
    assert message.subject.isascii()


def test_while_the_dag_that_sends_is_paused_nothing_is_kept_for_later(metadata: Metadata, told: Told) -> None:
    metadata.add(failed())
    with Session(metadata.engine) as session:
        session.add(DagModel(dag_id="sparkify_alerts", is_paused=True, bundle_name="dags"))
        session.commit()
    end(metadata)
    assert told == []


def test_a_message_that_cannot_be_triggered_changes_nothing(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(run_id: str, message: Message) -> None:
        raise RuntimeError("away")

    monkeypatch.setattr(run_ends, "_trigger", refuse)
    metadata.add(failed())
    end(metadata)
    assert "Nobody is told of manual__" in caplog.text
