"""What the image of docker-compose.yaml holds, as CycloneDX has it (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from deploy.requirements import PROJECT, Locked, read_lock
from deploy.wheel import read_project

LOCKS = ("requirements.txt", "requirements-container.txt")
IMAGE = "sparkify-airflow"
# The image's Python and system, as the markers of packages name them.
MACHINE = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
}


def write_bill(project: Path, dist: Path) -> Path:
    """Write the bill of materials into ``dist``; return it. The same locks make the same bytes."""
    path = dist / f"{IMAGE}.cdx.json"
    dist.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill(project), indent=2) + "\n")
    return path


def bill(project: Path) -> dict[str, Any]:
    """The image, the one it is made from, and each Python package with its hashes and what it requires."""
    base = re.search(r"^FROM (\S+:(\S+?)-python([\d.]+)\S*)", (project / "Dockerfile").read_text(), re.MULTILINE)
    if base is None:
        raise ValueError(f"{project / 'Dockerfile'} names no image of Airflow and Python that it is made from.")
    packages: dict[str, Locked] = {}
    for lock in LOCKS:
        for name, one in read_lock(project / lock).items():
            known = packages.setdefault(name, Locked(name))
            known.pins += [pin for pin in one.pins if pin not in known.pins]
            known.parents |= one.parents
            known.hashes |= one.hashes
    found = {name: version for name, one in packages.items() if (version := _version(one, base[3]))}
    version = read_project(project)["version"]
    image = {"type": "container", "bom-ref": IMAGE, "name": IMAGE, "version": version}
    name, _, tag = base[1].partition(":")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": image},
        "components": [
            {"type": "container", "bom-ref": base[1], "name": name, "version": tag},
            *(_component(packages[name], version) for name, version in sorted(found.items())),
        ],
        "dependencies": [
            {"ref": IMAGE, "dependsOn": [base[1], *_below(PROJECT, packages, found)]},
            *({"ref": _purl(name, found[name]), "dependsOn": _below(name, packages, found)} for name in sorted(found)),
        ],
    }


def _component(package: Locked, version: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _purl(package.name, version),
        "name": package.name,
        "version": version,
        "purl": _purl(package.name, version),
        "hashes": [{"alg": "SHA-256", "content": one} for one in sorted(package.hashes[version])],
    }


def _below(parent: str, packages: dict[str, Locked], found: dict[str, str]) -> list[str]:
    return [_purl(name, found[name]) for name in sorted(found) if parent in packages[name].parents]


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _version(package: Locked, python: str) -> str | None:
    """The version that the image gets, of several or of none."""
    # Not of Python's library, but of the environment that `make` has made.
    from packaging.requirements import Requirement

    environment = MACHINE | {"python_version": python, "python_full_version": f"{python}.99"}
    for requirement in map(Requirement, package.pins):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            return str(requirement.specifier).removeprefix("==")
    return None
