"""Parses a project's DAGs as Airflow does, in a process of its own, and says what they are and what parsing touched.

``python parsed_dags.py FOLDER`` prints a JSON object; FOLDER holds ``dags``, ``plugins`` and ``include``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASKED_FOR = "sparkify.asked_for"
"""The audit event of :mod:`noted_secrets`."""


@dataclass(frozen=True)
class Parsed:
    """What a project's DAGs are.

    :param dags: for each DAG its attributes, by DAG id.
    :param import_errors: what went wrong, by DAG file.
    :param touched: what parsing opened or asked for besides Python's own imports, in words.
    """

    dags: dict[str, dict[str, Any]]
    import_errors: dict[str, str]
    touched: list[str]


def parse(project: Path, airflow_home: Path) -> Parsed:
    """Parse the DAGs of *project* with a fresh Airflow in *airflow_home*."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "PYTHON"))}
    environment |= {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Connections and Variables are looked for here first, and each look-up is noted.
        "AIRFLOW__SECRETS__BACKEND": "noted_secrets.NotedSecrets",
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import parsed_dags; parsed_dags.main()", str(project)],
        env=environment,
        cwd=airflow_home,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(f"The DAGs of {project} could not be parsed:\n{done.stdout}\n{done.stderr}")
    return Parsed(**json.loads(done.stdout.splitlines()[-1]))


class Touched:
    """Notes what is opened and asked for between :meth:`start` and :meth:`stop`."""

    def __init__(self, project: Path) -> None:
        self.notes: list[str] = []
        self._noting = False
        paths = sysconfig.get_paths()
        python = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        self._python = tuple(f"{Path(path).resolve()}{os.sep}" for path in python)
        self._code = tuple(f"{project / folder}{os.sep}" for folder in ("dags", "plugins"))
        self._include = f"{project / 'include'}{os.sep}"

    def start(self) -> None:
        """Begin to note."""
        self._noting = True
        sys.addaudithook(self._hear)

    def stop(self) -> None:
        """Stop noting; an audit hook itself cannot be removed."""
        self._noting = False

    def _hear(self, happening: str, arguments: tuple[Any, ...]) -> None:
        if not self._noting:
            return
        if happening == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not self._may_be_read(path) or self._writes(arguments):
                self.notes.append(f"opened {path}")
        elif happening in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "sqlite3.connect"):
            self.notes.append(f"{happening} {arguments[-1] if happening == 'socket.connect' else arguments[0]}")
        elif happening in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            self.notes.append(f"started {arguments[0]}")
        elif happening == ASKED_FOR:
            self.notes.append(f"asked for the {arguments[0]} {arguments[1]}")

    def _may_be_read(self, path: str) -> bool:
        # The import system looks into every entry of sys.path, which may be a zip file.
        if path.startswith((*self._python, self._include)) or path in sys.path:
            return True
        return path.startswith(self._code) and path.endswith((".py", ".pyc", ".airflowignore"))

    @staticmethod
    def _writes(arguments: tuple[Any, ...]) -> bool:
        flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
        return bool(flags & (os.O_WRONLY | os.O_RDWR))


WARM_UP = """\
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param
from airflow.providers.standard.operators.empty import EmptyOperator
with DAG("warm_up", schedule=CronDataIntervalTimetable("@daily", timezone="UTC"), params={"a": Param("")}):
    EmptyOperator(task_id="nothing", outlets=[Asset("nothing")])
"""


def main() -> None:
    """Parse the project named on the command line; the last line of standard output is the result."""
    project = Path(sys.argv[1]).resolve()

    from airflow.dag_processing.dagbag import BundleDagBag

    # What Airflow itself opens the first time it parses anything is not the project's doing.
    first = Path.cwd() / "warm_up"
    first.mkdir()
    (first / "warm_up.py").write_text(WARM_UP)
    warm_up = BundleDagBag(first, bundle_path=first, bundle_name="warm_up")
    if warm_up.import_errors:
        raise RuntimeError(f"Airflow could not parse the DAG that warms it up: {warm_up.import_errors}")

    touched = Touched(project)
    touched.start()
    bag = BundleDagBag(project / "dags", bundle_path=project / "dags", bundle_name="dags")
    touched.stop()
    print(
        json.dumps(
            {
                "dags": {dag_id: description(dag) for dag_id, dag in bag.dags.items()},
                "import_errors": bag.import_errors,
                "touched": touched.notes,
            }
        )
    )


def description(dag: Any) -> dict[str, Any]:
    """What the tests ask of a DAG."""
    return {
        "file": Path(dag.fileloc).name,
        "doc_md": dag.doc_md,
        "tags": sorted(dag.tags),
        "owner": dag.owner,
        "catchup": dag.catchup,
        "schedule": repr(dag.schedule),
        "start_date": dag.start_date.isoformat() if dag.start_date else None,
        "tasks": {
            task.task_id: {"doc_md": task.doc_md, "owner": task.owner, "type": task.task_type} for task in dag.tasks
        },
    }
