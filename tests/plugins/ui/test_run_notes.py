"""The note on a run: what it loaded, in few words, and never in place of a person's."""

from __future__ import annotations

from datetime import date
from typing import Any

from airflow.models.dagrun import DagRun
from sqlalchemy import select
from sqlalchemy.orm import Session

from sparkify.loading.published import CHECKS, VERSION
from sparkify.ui.run_notes import AUTHOR, LONGEST_NOTE, on_dag_run_failed, on_dag_run_success, text_of
from tests.plugins.ui.metadata import BROKEN, Made, Metadata

FIRST = date(2018, 11, 1)


def end(metadata: Metadata, *, by_hand: str = "", dag_id: str = "sparkify_daily") -> str | None:
    """Let the last run end; returns its note."""
    with Session(metadata.engine) as session:
        run: Any = session.scalars(select(DagRun).order_by(DagRun.id.desc())).first()
        run.dag_id = dag_id
        if by_hand:
            run.note = (by_hand, "somebody")
        on_dag_run_failed(run, "")
        on_dag_run_success(run, "")
        session.commit()
        return str(run.note) if run.note else None


def test_a_run_that_ends_has_its_counts_in_a_note(metadata: Metadata) -> None:
    metadata.add(Made(FIRST, broken=[BROKEN], dates={"2018-11-01": {"files": 2, "lines": 1_495, "refused": 3}}))
    note = end(metadata)
    assert note is not None
    assert note.splitlines()[0] == "2018-11-01: 2 files, 1,495 events, 3 left out, 463 plays; 34 of 35 checks passed."
    assert "users 463 added" in note
    assert "* staging_events.page_is_known (warn): 7 rows" in note


def test_a_run_that_ends_again_has_its_note_written_anew(metadata: Metadata) -> None:
    metadata.add(Made(FIRST))
    first = end(metadata)
    assert end(metadata) == first
    with Session(metadata.engine) as session:
        run: Any = session.scalars(select(DagRun)).one()
        assert run.dag_run_note.user_id == AUTHOR


def test_a_persons_note_stays(metadata: Metadata) -> None:
    metadata.add(Made(FIRST))
    assert end(metadata, by_hand="asked the sender") == "asked the sender"


def test_a_run_that_told_of_nothing_and_another_dags_get_none(metadata: Metadata) -> None:
    metadata.add(Made(FIRST, has_told=False))
    assert end(metadata) is None
    metadata.add(Made(FIRST))
    assert end(metadata, dag_id="other") is None


def test_a_run_of_no_session_is_left_alone(metadata: Metadata) -> None:
    metadata.add(Made(FIRST))
    with Session(metadata.engine) as session:
        run: Any = session.scalars(select(DagRun)).one()
    on_dag_run_success(run, "")


def test_a_note_is_no_longer_than_airflow_keeps() -> None:
    broken = [{**BROKEN, "check": f"{'long' * 20}.{n}"} for n in range(50)]
    found = {
        "version": VERSION, "first": "2018-11-01", "last": "2018-11-01", "checked_at": "2018-11-02T00:00:00Z",
        "passed": {}, "broken": broken,
    }  # fmt: skip
    assert len(text_of([(CHECKS, found)])) == LONGEST_NOTE
