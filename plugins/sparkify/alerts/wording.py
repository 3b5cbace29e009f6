"""The messages, as text. None of them holds a value of a file or of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sparkify.addresses import airflow_url, date_path, framed, run_path
from sparkify.alerts.outcomes import BackfillOutcome, FailedTask, Outcome, Warned
from sparkify.loading.exceptions import (
    DataError,
    OverdueError,
    PackageError,
    SettingsError,
    TimeLimitError,
    Unavailable,
)
from sparkify.loading.published import counted
from sparkify.loading.shown import shown

# Amazon SNS takes a subject of at most 100 characters of ASCII
# (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
LONGEST_SUBJECT = 100
# A message of SNS may have 256 KiB, and one of Slack 40,000 characters.
LONGEST_TEXT = 20_000
LONGEST_SENTENCE = 1_500

CLEAR = "then clear the failed task: the run goes on from there."
CURES = {
    OverdueError.__name__: f"Deliver the file, {CLEAR}",
    DataError.__name__: f"Fix what it names, {CLEAR}",
    SettingsError.__name__: f"Correct what it names, {CLEAR}",
    Unavailable.__name__: f"Wait until what it names answers again, {CLEAR}",
    TimeLimitError.__name__: f"Look at the last lines of the log, at the driver and at the network, {CLEAR}",
    PackageError.__name__: "Report it with the task's log. Nothing is half-written.",
}
SILENT = "It did not say why: its process was killed, its machine was lost, or the error is Airflow's own."
SILENT_CURE = f"Look at the task's log and at the worker's, {CLEAR}"
NO_TASK = "None of its tasks failed: it was marked as failed, or reached a time limit. To load it, clear the run."
LOOK = "The rows that were found are on the page and in data_quality_results, and in no message."


@dataclass(frozen=True)
class Message:
    """What is sent. The subject has at most 100 characters of ASCII."""

    subject: str
    text: str


def message_of_run(run: Outcome) -> Message | None:
    """The message about a run; None if it neither failed nor warned."""
    of_dates = f" of {run.dates}" if run.dates else ""
    if run.failed and any(task.failure and task.failure.kind == OverdueError.__name__ for task in run.tasks):
        subject = f"{run.dag_id}: {run.dates} was not loaded by its deadline"
    elif run.failed:
        where = run.tasks[0].task_id if len(run.tasks) == 1 else counted(len(run.tasks), "task")
        subject = f"{run.dag_id}: the {run.kind} run{of_dates} failed" + (f" in {where}" if run.tasks else "")
    elif run.warned:
        subject = f"{run.dag_id}: {counted(len(run.warned), 'check')} warned of {run.dates}"
    else:
        return None
    lines = [f"{subject}."]
    for task in run.tasks:
        lines += ["", *_of_task(run, task)]
    if run.failed and not run.tasks:
        lines += ["", NO_TASK]
    lines += _of_checks(run.warned)
    links = [f"Log date: {framed(date_path(run.dates.first))}"] if run.dates else []
    return _message(subject, [*lines, *_links([*links, f"Run: {airflow_url()}{run_path(run.dag_id, run.run_id)}"])])


def message_of_backfill(backfill: BackfillOutcome) -> Message | None:
    """The message about a backfill; None if no run of it failed or warned."""
    if not backfill.failed and not backfill.warned:
        return None
    span = f"the backfill of {backfill.first} to {backfill.last}"
    what = f"{backfill.failed} of {counted(backfill.runs, 'run')} failed" if backfill.failed else "with warnings"
    subject = f"{backfill.dag_id}: {span} has ended, {what}"
    lines = [f"{subject}."]
    for run in backfill.shown:
        for task in run.tasks:
            lines += ["", *_of_task(run, task)]
        if not run.tasks:
            lines += ["", f"{run.dates}: no task failed; the run was cancelled, or marked as failed."]
    if backfill.failed > len(backfill.shown):
        lines += ["", f"… and {counted(backfill.failed - len(backfill.shown), 'further run')}, which the page shows."]
    lines += _of_checks(backfill.warned)
    if backfill.failed:
        lines += ["", "To load them again: clear their failed tasks, or make the backfill again with failed runs."]
    return _message(subject, [*lines, *_links([f"Log dates: {framed('')}"])])


def _of_task(run: Outcome, task: FailedTask) -> Iterator[str]:
    of_dates = f"{run.dates}: " if run.dates else ""
    yield f"{of_dates}{task.task_id} failed after {counted(task.tries, 'try').replace('trys', 'tries')}."
    failure = task.failure
    sentence = failure.told if failure else SILENT
    if len(sentence) > LONGEST_SENTENCE:
        sentence = f"{sentence[:LONGEST_SENTENCE]}…"
    yield from (f"  {line}" for line in sentence.splitlines())
    yield f"  What to do: {CURES.get(failure.kind, SILENT_CURE) if failure else SILENT_CURE}"
    if airflow_url():
        yield (
            f"  Log: {airflow_url()}{run_path(run.dag_id, run.run_id)}/tasks/{quote(task.task_id, safe='')}"
            f"?try_number={task.tries}"
        )


def _of_checks(warned: Sequence[Warned]) -> Iterator[str]:
    if not warned:
        return
    yield ""
    yield "Checks that warned:"
    for check in warned:
        in_runs = f" in {counted(check.runs, 'run')}" if check.runs > 1 else ""
        yield f"  {check.check}: {counted(check.rows, 'row')}{in_runs} against: {check.proves}"
    yield f"What to do: nothing was held back. {LOOK}"


def _links(links: Sequence[str]) -> list[str]:
    return ["", *links] if airflow_url() else []


def _message(subject: str, lines: Sequence[str]) -> Message:
    ascii_subject = shown(subject).encode("ascii", "replace").decode()
    return Message(ascii_subject[:LONGEST_SUBJECT], shown("\n".join(lines), keep="\n")[:LONGEST_TEXT])
