"""Another Airflow is refused in a sentence, by whatever of the package is imported first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparkify.airflow_versions import SUPPORTED, UnsupportedAirflowError, refuse_others
from tests.pipeline import PROJECT

OTHERS = ["2.11.2", "3.2.0", "3.2.2", "3.3.0", "3.3.3", "3.3.1rc1", "4.0.0", "3.3.20"]
IMPORTED = ["plugins/sparkify_plugin.py", *sorted(str(file.relative_to(PROJECT)) for file in PROJECT.glob("dags/*.py"))]

# Runs a file under the name of another version, which has no Task SDK.
RUN = """\
import runpy, sys
import airflow
airflow.__version__ = "2.11.2"
sys.modules["airflow.sdk"] = None
runpy.run_path(sys.argv[1])
"""


@pytest.mark.parametrize("version", [*SUPPORTED, *(f"{version}+astro.1" for version in SUPPORTED)])
def test_a_supported_version_is_taken_with_what_a_service_adds_to_its_name(version: str) -> None:
    refuse_others(version)


@pytest.mark.parametrize("version", OTHERS)
def test_another_is_refused_with_what_to_install(version: str) -> None:
    with pytest.raises(UnsupportedAirflowError) as caught:
        refuse_others(version)
    assert str(caught.value) == (
        f"This release of sparkify runs on Airflow 3.2.1, 3.3.1 and 3.3.2, and this is Airflow {version}. Install one "
        "of these, or a release of sparkify whose docs/compatibility.md lists it."
    )


@pytest.mark.parametrize("file", IMPORTED)
def test_it_is_refused_before_a_name_is_missing(file: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(PROJECT / file)],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT / "plugins")},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "sparkify.airflow_versions.UnsupportedAirflowError: This release of sparkify runs on Airflow"
    ), done.stderr
