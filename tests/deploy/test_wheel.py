"""The wheel brings the operators and the plugin to an Airflow that has no folder of plugins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.wheel import build_wheel
from sparkify.airflow_versions import SUPPORTED
from tests.pipeline import PROJECT
from tests.plugins.test_airflow_versions import OTHERS

pytestmark = pytest.mark.deployment

DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
REQUIRED = {one.name: one for one in map(Requirement, DECLARED["dependencies"])}

# What an Airflow finds: its plugins, its DAGs, and where the package came from.
LOOK = """\
import json
from pathlib import Path
from airflow import plugins_manager, settings
from airflow.configuration import AIRFLOW_HOME
from airflow.dag_processing.dagbag import DagBag
import sparkify

settings.initialize()
bag = DagBag(Path(AIRFLOW_HOME) / "dags")
plugins = {plugin["name"]: str(plugin["source"]) for plugin in plugins_manager.get_plugin_info()}
found = {"plugins": plugins, "dags": sorted(bag.dags), "errors": bag.import_errors, "from": sparkify.__file__}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages into which pip has installed the wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(PROJECT, folder / "dist")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    done = subprocess.run([*install, folder / "site", wheel], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_an_airflow_without_a_plugins_folder_has_the_plugin_and_the_dags(site: Path, tmp_path: Path) -> None:
    for room in ("dags", "include"):
        shutil.copytree(PROJECT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW__"))}
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=inherited | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(site)},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert DECLARED["name"] in found["plugins"]["sparkify"], "it was not loaded by its entry point"
    assert found["errors"] == {}
    assert found["dags"] == sorted(path.stem for path in (PROJECT / "dags").glob("*.py"))
    assert found["from"] == str(site / "sparkify" / "__init__.py")


def test_its_metadata_is_what_pyproject_declares(site: Path) -> None:
    (info,) = site.glob("*.dist-info")
    distribution = PathDistribution(info)
    assert (distribution.metadata["Name"], distribution.version) == (DECLARED["name"], DECLARED["version"])
    assert distribution.requires == DECLARED["dependencies"]
    assert (info / "licenses" / "LICENSE").read_bytes() == (PROJECT / "LICENSE").read_bytes()


def test_it_has_every_file_of_the_package_and_no_other(site: Path) -> None:
    installed = {path for path in _files(site) if not path.parts[0].endswith(".dist-info")}
    assert installed == _files(PROJECT / "plugins")


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_the_same_files_make_the_same_bytes_in_place_of_an_older_wheel(tmp_path: Path) -> None:
    tmp_path.joinpath("sparkify_warehouse-0.9-py3-none-any.whl").touch()
    wheel = build_wheel(PROJECT, tmp_path)
    assert list(tmp_path.iterdir()) == [wheel]
    assert build_wheel(PROJECT, tmp_path / "other").read_bytes() == wheel.read_bytes()


def test_it_lets_pip_install_beside_each_supported_airflow_and_no_other() -> None:
    airflows = REQUIRED["apache-airflow"].specifier
    assert all(airflows.contains(version) for version in SUPPORTED)
    assert not any(airflows.contains(version, prereleases=False) for version in OTHERS)
