"""Sends a message when a run has failed or warned, by triggering a run of the DAG that sends it.

Airflow calls a listener when a run has ended, after the last try of each task, whatever ended it: an error, a kill, a
time limit, a person. The process that calls it, the scheduler, is not the one to wait for a server, nor has it the
rights of a worker. So it only writes the words and triggers a run of :data:`TELLING`, which is kept, tried again and
shown like any other.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from sparkify.addresses import DAG_ID

if TYPE_CHECKING:
    from sparkify.alerts.wording import Message

#: The DAG that sends the messages.
TELLING = "sparkify_alerts"
#: The DAGs whose runs send messages.
TOLD_OF = (DAG_ID, "sparkify_schema", "sparkify_report", "sparkify_warehouse")

TRIGGER_SECONDS = 10

logger = logging.getLogger(__name__)


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    """Airflow calls this in the scheduler, or in the API server when somebody marks the run."""
    tell(dag_run)


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Airflow calls this in the scheduler, or in the API server when somebody marks the run."""
    tell(dag_run)


def tell(dag_run: Any) -> None:
    """Trigger a run that sends a message, if the run failed or warned. A failure to do so changes nothing."""
    if dag_run.dag_id not in TOLD_OF:
        return
    from airflow.exceptions import DagRunAlreadyExists
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    # `dag.test` passes a run that belongs to no session.
    if session is None:
        return
    try:
        of_backfill = dag_run.backfill_id is not None and not _is_triggered(session, _digest_id(dag_run))
        run_id = _digest_id(dag_run) if of_backfill else _message_id(dag_run)
        message = _digest(session, dag_run) if of_backfill else _message(session, dag_run)
        if message is None:
            return
        if _is_muted(session):
            logger.info("%s is paused: nobody is told of %s of %s.", TELLING, dag_run.run_id, dag_run.dag_id)
            return
        _trigger(run_id, message)
    except DagRunAlreadyExists:
        # The scheduler had to decide on this run once more.
        logger.info("The message %s is under way.", run_id)
    except Exception:
        logger.exception("Nobody is told of %s of %s.", dag_run.run_id, dag_run.dag_id)


def _message(session: Any, dag_run: Any) -> Message | None:
    from sparkify.alerts.outcomes import read_outcome
    from sparkify.alerts.wording import message_of_run

    return message_of_run(read_outcome(session, dag_run, has_log_date=dag_run.dag_id == DAG_ID))


def _digest(session: Any, dag_run: Any) -> Message | None:
    """The message of the whole backfill, when its last run ends; None before."""
    from sparkify.alerts.outcomes import is_last_of_backfill, read_backfill
    from sparkify.alerts.wording import message_of_backfill

    if not is_last_of_backfill(session, dag_run):
        return None
    return message_of_backfill(read_backfill(session, dag_run))


def _digest_id(dag_run: Any) -> str:
    """One a backfill: a run of it that is cleared later sends a message of its own."""
    return f"told__backfill_{dag_run.backfill_id}"


def _message_id(dag_run: Any) -> str:
    """One each time that the run is sent on its way."""
    moved = dag_run.start_date or dag_run.queued_at
    return f"told__run_{dag_run.id}_{moved:%Y%m%dT%H%M%S}" if moved else f"told__run_{dag_run.id}"


def _is_triggered(session: Any, run_id: str) -> bool:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    return session.scalar(select(DagRun.id).where(DagRun.dag_id == TELLING, DagRun.run_id == run_id)) is not None


def _is_muted(session: Any) -> bool:
    """Whether the DAG that sends is paused. Its runs would wait, and be sent together one day."""
    from airflow.models.dag import DagModel
    from sqlalchemy import select

    return bool(session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == TELLING)))


def _trigger(run_id: str, message: Message) -> None:
    """Trigger the run that sends the message, in a thread of its own.

    Airflow's sessions are those of a thread. In the scheduler's own thread this would commit and close the session that
    the scheduler is still using, which ends it.
    """
    raised: list[Exception] = []

    def trigger() -> None:
        from airflow.api.common.trigger_dag import trigger_dag
        from airflow.utils.types import DagRunTriggeredByType

        try:
            trigger_dag(TELLING, triggered_by=DagRunTriggeredByType.OPERATOR, run_id=run_id, conf=asdict(message))
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=trigger, name=run_id, daemon=True)
    thread.start()
    # Waited for, since the scheduler may fork as soon as it goes on; a lock that it holds itself must not hold it up.
    thread.join(TRIGGER_SECONDS)
    if thread.is_alive():
        raise TimeoutError(f"Airflow's database did not take {run_id} within {TRIGGER_SECONDS} seconds.")
    if raised:
        raise raised[0]
