"""The project in the layouts that Amazon MWAA and Astronomer deploy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from deploy.files import files, write_zip
from deploy.requirements import airflow_version, besides_airflow, read_lock, required

# https://www.astronomer.io/docs/runtime/runtime-release-notes
ASTRO_RUNTIMES = {"3.3.2": "3.3-8"}
ASTRO_IMAGE = "astrocrpublic.azurecr.io/runtime"
# The test of an Astro project, and where the commands `astro dev parse` and `astro dev pytest` look for it:
# https://www.astronomer.io/docs/astro/cli/test-your-astro-project-locally
ASTRO_TEST = Path(__file__).parent / "dag_integrity.py"
ASTRO_TESTS = (".astro/test_dag_integrity_default.py", "tests/dags/test_dag_integrity.py")


def mwaa(project: Path, folder: Path) -> None:
    """A folder to sync to the environment's bucket: ``dags`` with all that is read, ``plugins.zip``, requirements.

    MWAA's image has Airflow, its Amazon provider and the driver, and its constraints hold their versions. It applies
    all of them only where the requirements name no constraints file of their own.
    """
    _copy(project / "dags", folder / "dags")
    _copy(project / "include", folder / "dags" / "include")
    _zip(project / "plugins", folder / "plugins.zip")
    _write(folder / "requirements.txt", besides_airflow(read_lock(project / "requirements.txt")))


def astronomer(project: Path, folder: Path) -> None:
    """An Astro project, to be deployed by ``astro deploy``."""
    lock = read_lock(project / "requirements.txt")
    version = airflow_version(lock)
    if version not in ASTRO_RUNTIMES:
        raise ValueError(
            f"No Astro Runtime is known for Airflow {version}. Look it up in Astronomer's release notes, and add it "
            "to ASTRO_RUNTIMES in deploy/distributions.py."
        )
    for room in ("dags", "plugins", "include"):
        _copy(project / room, folder / room)
    _write(folder / "Dockerfile", [f"FROM {ASTRO_IMAGE}:{ASTRO_RUNTIMES[version]}"])
    _write(folder / "requirements.txt", required(lock))
    # The image's build copies it, and fails without it.
    _write(folder / "packages.txt", [])
    _write(folder / ".astro" / "config.yaml", ["project:", "  name: sparkify-warehouse"])
    for name in ASTRO_TESTS:
        _write(folder / name, ASTRO_TEST.read_text().splitlines())


DISTRIBUTIONS: dict[str, Callable[[Path, Path], None]] = {"mwaa": mwaa, "astronomer": astronomer}


def build(project: Path, name: str, dist: Path) -> Path:
    """Write a distribution into a folder of its name below ``dist``, in place of an older one; return that folder."""
    folder = dist / name
    unfinished = dist / f".{name}.unfinished"
    for old in (unfinished, folder):
        if old.exists():
            shutil.rmtree(old)
    unfinished.mkdir(parents=True)
    DISTRIBUTIONS[name](project, unfinished)
    return unfinished.rename(folder)


def _copy(room: Path, target: Path) -> None:
    for path in files(room):
        copy = target / path.relative_to(room)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def _zip(room: Path, target: Path) -> None:
    write_zip({path.relative_to(room).as_posix(): path.read_bytes() for path in files(room)}, target)


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
