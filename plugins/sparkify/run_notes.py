"""The note on a run of the daily DAG: what it loaded, written when the run ends.

A task cannot write its run's note, so the scheduler does, as a listener
(https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/listeners.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.listeners import hookimpl

from sparkify.addresses import DAG_ID
from sparkify.published import CHECKS, LOAD

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
    written = dag_run.dag_run_note
    if session is None or (written is not None and written.user_id != AUTHOR):
        return
    published = session.execute(
        select(XComModel.key, XComModel.value).where(
            XComModel.dag_run_id == dag_run.id, XComModel.key.in_((LOAD, CHECKS))
        )
    )
    note = text_of([(key, value) for key, value in published if isinstance(value, dict)])
    if not note:
        return
    if written is None:
        dag_run.note = (note, AUTHOR)
    else:
        written.content = note


def text_of(published: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """The note in Markdown; '' if nothing was published."""
    loads: dict[str, Mapping[str, Any]] = {}
    checks: list[Mapping[str, Any]] = []
    for key, value in published:
        if key == LOAD:
            loads[value["table"]] = value
        else:
            checks.append(value)
    lines = [*_loaded(loads), *_checked(checks)]
    return "\n\n".join(lines)[:LONGEST_NOTE]


def _loaded(loads: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    if events := loads.get("staging_events"):
        dates = events["first"] if events["first"] == events["last"] else f"{events['first']} to {events['last']}"
        refused = f", {events['rows_refused']:,} left out" if events["rows_refused"] else ""
        lines.append(
            f"**{dates}**: {events['files']:,} file(s), {events['rows_staged']:,} events{refused}"
            + (f", {plays['rows_inserted']:,} plays" if (plays := loads.get("songplays")) else "")
            + "."
        )
    changed = [
        f"{table} {words}"
        for table in ("users", "songs", "artists", "time")
        if table in loads
        and (words := ", ".join(f"{loads[table][name]:,} {verb}" for name, verb in VERBS if loads[table][name]))
    ]
    return [*lines, f"{'; '.join(changed)}."] if changed else lines


def _checked(checks: list[Mapping[str, Any]]) -> list[str]:
    passed = sum(len(names) for found in checks for names in found["passed"].values())
    broken = [check for found in checks for check in found["broken"]]
    if not passed + len(broken):
        return []
    lines = [f"{passed} of {passed + len(broken)} checks passed."]
    return lines + [
        f"* {check['check']} ({check['severity']}): "
        + ("could not run" if check["offending"] is None else f"{check['offending']:,} row(s)")
        for check in broken
    ]
