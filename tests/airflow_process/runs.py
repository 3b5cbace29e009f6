"""Runs DAGs one after the other, by ``dag.test()``: real DAG runs and task instances in a metadata database.

``python -c "import runs; runs.main()"`` reads a JSON object a line from standard input, each a run, and answers each
with a line on its standard output. Airflow's logs go to standard error, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

#: A wait is to be shown, not to be sat through.
POKE_SECONDS = 0.1


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise RuntimeError(str(bag.import_errors))
    for request in sys.stdin:
        wanted = json.loads(request)
        answers.write(json.dumps(run(bag.dags[wanted["dag_id"]], wanted["conf"])) + "\n")
        answers.flush()


def run(dag: Any, conf: dict[str, Any]) -> dict[str, Any]:
    """One run, to its end."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    for task in dag.tasks:
        if hasattr(task, "poke_interval"):
            task.poke_interval = POKE_SECONDS
    done = dag.test(run_conf=conf)
    with create_session() as session:
        xcoms = session.query(XComModel).filter_by(run_id=done.run_id).all()
        pushed = json.dumps({f"{xcom.task_id}.{xcom.key}": xcom.value for xcom in xcoms}, default=str)
    return {
        "state": str(done.state),
        "tasks": {ti.task_id: str(ti.state) for ti in done.get_task_instances()},
        "xcoms": pushed,
    }
