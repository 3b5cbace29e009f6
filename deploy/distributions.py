"""The project in the layouts that Amazon MWAA and Astronomer deploy."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.requirements import airflow_version, constraints, read_lock, required

# https://www.astronomer.io/docs/runtime/runtime-release-notes
ASTRO_RUNTIMES = {"3.3.2": "3.3-8"}
ASTRO_IMAGE = "astrocrpublic.azurecr.io/runtime"
# Where MWAA puts the DAGs: https://docs.aws.amazon.com/mwaa/latest/userguide/working-dags-dependencies.html
MWAA_DAGS = "/usr/local/airflow/dags"
CONSTRAINTS = "constraints.txt"

# The oldest that a zip file can tell, so that the same files make the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_UNIX = 3


def mwaa(project: Path, folder: Path) -> None:
    """A folder to sync to the environment's bucket: ``dags`` with all that is read, ``plugins.zip``, requirements."""
    lock = read_lock(project / "requirements.txt")
    _copy(project / "dags", folder / "dags")
    _copy(project / "include", folder / "dags" / "include")
    _zip(project / "plugins", folder / "plugins.zip")
    # MWAA adds a constraints file of its own to requirements that name none.
    _write(folder / "dags" / CONSTRAINTS, constraints(lock))
    _write(folder / "requirements.txt", [f'--constraint "{MWAA_DAGS}/{CONSTRAINTS}"', *required(lock)])


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


def _files(room: Path) -> Iterator[Path]:
    """The files below a folder that somebody wrote, in an order that is always the same."""
    for path in sorted(room.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".DS_Store":
            yield path


def _copy(room: Path, target: Path) -> None:
    for path in _files(room):
        copy = target / path.relative_to(room)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def _zip(room: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(room):
            entry = zipfile.ZipInfo(path.relative_to(room).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            archive.writestr(entry, path.read_bytes())


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
