"""The note on a run of the daily DAG: what it loaded, written when the run ends.

A task cannot write its run's note, so the scheduler does, as a listener
(https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/listeners.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.listeners import hookimpl

from sparkify.addresses import DAG_ID
from sparkify.loading.published import (
    CHECKS,
    LOAD,
    PublishedChecks,
    PublishedLoad,
    counted,
    read_checks,
    read_load,
    unreadable,
)

#: Who wrote the note, as Airflow keeps it: a note of a person's is left alone.
AUTHOR = "sparkify"
# Airflow's column takes so many characters.
LONGEST_NOTE = 1_000
VERBS = (("rows_inserted", "added"), ("rows_updated", "changed"), ("rows_deleted", "removed"))


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    """Airflow calls this in the scheduler, or in the API server when somebody marks the run."""
    write_note(dag_run)


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Airflow calls this in the scheduler, or in the API server when somebody marks the run."""
    write_note(dag_run)


def write_note(dag_run: Any) -> None:
    """Put what the run's tasks have published into its note; it is committed with the run's new state."""
    if dag_run.dag_id != DAG_ID:
        return
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    # `dag.test` passes a run that belongs to no session, and whose note cannot be read either.
    if session is None:
        return
    written = dag_run.dag_run_note
    if written is not None and written.user_id != AUTHOR:
        return
    published = session.execute(
        select(XComModel.key, XComModel.value).where(
            XComModel.dag_run_id == dag_run.id, XComModel.key.in_((LOAD, CHECKS))
        )
    )
    note = text_of([(key, value) for key, value in published])
    if not note:
        return
    if written is None:
        dag_run.note = (note, AUTHOR)
    else:
        written.content = note


def text_of(published: Iterable[tuple[str, object]]) -> str:
    """The note in Markdown; '' if nothing was published."""
    loads: dict[str, PublishedLoad] = {}
    checks: list[PublishedChecks] = []
    unknown = 0
    for key, value in published:
        if key == LOAD and (load := read_load(value)):
            loads[load.table] = load
        elif key == CHECKS and (found := read_checks(value)):
            checks.append(found)
        else:
            unknown += 1
    # Airflow shows the first line where there is little room.
    told = [*_events(loads), *_checked(checks)]
    lines = ["; ".join(told) + ".", *_changed(loads)] if told else []
    if unknown:
        lines.append(f"{unreadable(unknown, 'task')}.")
    return "\n\n".join([*lines, *_broken(checks)])[:LONGEST_NOTE]


def _events(loads: Mapping[str, PublishedLoad]) -> list[str]:
    events, plays = loads.get("staging_events"), loads.get("songplays")
    if events is None or events.log_dates is None:
        return []
    words = [counted(events.files, "file"), counted(events.rows_staged, "event")]
    if events.rows_refused:
        words.append(f"{events.rows_refused:,} left out")
    if plays is not None:
        words.append(counted(sum(counts.rows for counts in plays.dates.values()), "play"))
    return [f"{events.log_dates}: {', '.join(words)}"]


def _changed(loads: Mapping[str, PublishedLoad]) -> list[str]:
    changed = [
        f"{table} {words}"
        for table in ("users", "songs", "artists", "time")
        if table in loads
        and (
            words := ", ".join(f"{number:,} {verb}" for name, verb in VERBS if (number := getattr(loads[table], name)))
        )
    ]
    return [f"{'; '.join(changed)}."] if changed else []


def _checked(checks: Sequence[PublishedChecks]) -> list[str]:
    passed = sum(found.number_passed for found in checks)
    number = passed + sum(len(found.broken) for found in checks)
    return [f"{passed} of {counted(number, 'check')} passed"] if number else []


def _broken(checks: Sequence[PublishedChecks]) -> list[str]:
    return [
        f"* {check.check} ({check.severity}): "
        + ("could not run" if check.offending is None else counted(check.offending, "row"))
        for found in checks
        for check in found.broken
    ]
