"""What the project costs to run, measured: `make bench`."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

# Airflow puts its plugins folder on the path before it parses a DAG; so must code that runs a DAG's tasks without it.
if str(PROJECT / "plugins") not in sys.path:
    sys.path.append(str(PROJECT / "plugins"))
