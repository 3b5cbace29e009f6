"""Airflow in a process of its own, to which one DAG run after the other is given."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pipeline import PROJECT

OPERATORS = "airflow.task.operators.sparkify."
OF_EVERY_SENSOR = "Success criteria met. Exiting."


@dataclass(frozen=True)
class DagRun:
    """What came of a run.

    :param state: the run's.
    :param tasks: each task's state.
    :param xcoms: all that the tasks pushed, as JSON text.
    :param lines: what the package's operators said in their logs, or failed with: task, and line.
    """

    state: str
    tasks: dict[str, str]
    xcoms: str
    lines: list[tuple[str, str]]

    def said(self, task_id: str) -> str:
        """What a task said, line by line."""
        return "\n".join(line for of_task, line in self.lines if of_task == task_id)

    def ended_as(self, state: str) -> list[str]:
        """The tasks that ended in this state, by name."""
        return sorted(task for task, ended in self.tasks.items() if ended == state)


class AirflowProcess:
    """The running process."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self.log = log

    def run(self, dag_id: str, conf: Mapping[str, Any]) -> DagRun:
        """Run a DAG to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        read = self.log.stat().st_size
        self._process.stdin.write(json.dumps({"dag_id": dag_id, "conf": conf}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"Airflow ended:\n{self.log.read_text()[-4000:]}"
        return DagRun(**json.loads(answer), lines=list(_said(self.log.read_bytes()[read:].decode().splitlines())))


@contextmanager
def running_airflow(home: Path, environment: Mapping[str, str]) -> Iterator[AirflowProcess]:
    """An Airflow with the project's DAGs and its database in *home*, which inherits no settings of Airflow or AWS."""
    foreign = ("AIRFLOW", "AWS_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    log = home / "airflow.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "import runs; runs.main()"],
            cwd=home,
            env={
                **inherited,
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__LOGGING__JSON_LOGS": "True",
                "PYTHONPATH": str(Path(__file__).parent),
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        with process:
            yield AirflowProcess(process, log)


def _said(log: list[str]) -> Iterator[tuple[str, str]]:
    task_id = ""
    for line in log:
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        event = str(entry["event"])
        if started := re.match(r"\[DAG TEST\] starting task_id=(\w+)", event):
            task_id = started[1]
        elif str(entry.get("logger")).startswith(OPERATORS) and event != OF_EVERY_SENSOR:
            yield task_id, event
        elif entry.get("exception"):
            yield task_id, " ".join(str(error["exc_value"]) for error in entry["exception"][:1])
