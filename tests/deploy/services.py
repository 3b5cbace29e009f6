"""An Airflow as a service has it: its packages in a fresh environment, and the project as the service delivers it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.distributions import ASTRO_RUNTIMES, build
from tests.pipeline import PROJECT

#: Where the constraint files of MWAA's images lie, a folder a version.
CONSTRAINTS = Path(os.environ.get("MWAA_CONSTRAINTS") or PROJECT.parent / "shared" / "data" / "mwaa")
ESSENTIAL, REST = "mwaa_essential_constraints.txt", "airflow_constraints.txt"
# What MWAA's image has: images/airflow/<version>/bootstrap/02-airflow in github.com/aws/amazon-mwaa-docker-images.
MWAA_IMAGE = (
    "apache-airflow[celery,statsd]", "apache-airflow-providers-amazon", "apache-airflow-providers-postgres",
    "apache-airflow-providers-fab", "apache-airflow-providers-standard", "psycopg2-binary", "watchtower",
)  # fmt: skip
# Of MWAA and of Astro Runtime.
PYTHON = "3.12"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Service:
    """A version of Airflow at a service."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"


def services() -> Iterator[Service]:
    """MWAA's versions of which there are constraint files, the oldest first, and Astronomer's."""
    if CONSTRAINTS.is_dir():
        yield from (Service("mwaa", path.name) for path in sorted(CONSTRAINTS.iterdir()) if path.is_dir())
    yield from (Service("astronomer", version) for version in ASTRO_RUNTIMES)


@dataclass(frozen=True)
class Installed:
    """A service's Airflow with the project in it.

    :param python: its interpreter.
    :param folder: what the service makes of the distribution: ``dags`` and ``plugins``.
    """

    service: Service
    python: Path
    folder: Path

    def versions(self) -> dict[str, str]:
        """The version of every package, by name, and Python's."""
        return _versions(self.python) | {"python": _run(self.python, "-V").split()[1]}


def install(service: Service, folder: Path) -> Installed:
    """Make the environment as the service does; its own packages must stay as they are."""
    python = _environment(folder / "venv")
    built = build(PROJECT, service.name, folder / "dist")
    home = folder / "delivered"
    {"mwaa": _install_mwaa, "astronomer": _install_astronomer}[service.name](service, python, built, home)
    return Installed(service, python, home)


def _environment(folder: Path) -> Path:
    _run(UV, "venv", "--quiet", "--seed", "--no-python-downloads", "--python", _interpreter(), folder)
    return folder / "bin" / "python"


def _interpreter() -> Path:
    """One of the service's version, or else the tests' own."""
    found = Path(shutil.which(f"python{PYTHON}") or sys.executable)
    # Where pyenv manages versions, the one on the PATH may be a name without an interpreter.
    for candidate in (found, *sorted(found.parents[1].glob(f"versions/{PYTHON}.*/bin/python{PYTHON}"))):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return Path(sys.executable)


def _install_mwaa(service: Service, python: Path, built: Path, home: Path) -> None:
    """As its image is made, and as it installs what a user requires beside it."""
    constraints = CONSTRAINTS / service.version
    essential, rest = ("--constraint", constraints / ESSENTIAL), ("--constraint", constraints / REST)
    _run(UV, "pip", "install", "--quiet", "--python", python, *essential, *rest, *MWAA_IMAGE)
    before = _versions(python)
    required = built / "requirements.txt"
    # MWAA adds the second file only where the user names no constraints.
    added = () if "--constraint" in required.read_text() else rest
    _run(python, "-m", "pip", "install", "--quiet", *essential, *added, "--requirement", required)
    after = _versions(python)
    assert after.items() >= before.items(), "the requirements moved a package of MWAA's image"
    assert after["apache-airflow"] == service.version
    shutil.copytree(built / "dags", home / "dags")
    with zipfile.ZipFile(built / "plugins.zip") as archive:
        archive.extractall(home / "plugins")


def _install_astronomer(service: Service, python: Path, built: Path, home: Path) -> None:
    """As the runtime's image copies the whole project into its home; Airflow is that of the lock."""
    _run(
        UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--only-binary", ":all:",
        "--requirement", PROJECT / "requirements.txt",
    )  # fmt: skip
    before = _versions(python)
    _run(python, "-m", "pip", "install", "--quiet", "--requirement", built / "requirements.txt")
    assert _versions(python) == before, "the requirements moved a package of the lock"
    assert before["apache-airflow"] == service.version
    shutil.copytree(built, home)


def _versions(python: Path) -> dict[str, str]:
    listed = json.loads(_run(UV, "pip", "list", "--python", python, "--format", "json"))
    return {package["name"].replace("_", "-"): package["version"] for package in listed}


def _run(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout
