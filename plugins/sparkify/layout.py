"""Where files lie: the project's own in a deployment, and reports under the control prefix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

REPORTS = "reports"


def include_folder(file: str) -> Path:
    """The folder ``include`` that belongs to a DAG file or a module of the package, given its ``__file__``.

    It lies beside ``dags`` and ``plugins``, or inside ``dags`` where a service delivers nothing else.

    :raises FileNotFoundError: it lies in neither place; the message says where it belongs.
    """
    code = Path(file).resolve()
    for folder in code.parents:
        for include in (folder / "include", folder / "dags" / "include"):
            if (include / "sql").is_dir():
                return include
    room = next((parent for parent in code.parents if parent.name in ("dags", "plugins")), code.parent)
    raise FileNotFoundError(
        f"{code} finds no folder include/sql, so it has no SQL to run. Put the project's folder include beside "
        f"{room} or into the folder of the DAGs."
    )


def report_path(made_on: date | None = None, suffix: str = "html") -> str:
    """A report's path below the control prefix: of the day it was made on (UTC), or of the latest.

    :param suffix: ``html`` is the page, ``json`` its data.
    """
    return f"{REPORTS}/{made_on or 'latest'}/report.{suffix}"
