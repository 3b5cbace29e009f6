"""What a service that brings Airflow installs besides, at the versions of the lock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

AIRFLOW = "apache-airflow"
PROVIDER = "apache-airflow-providers-"
PROJECT = "sparkify-warehouse"

_PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)(?: ; ([^\\]+))?")
_HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})")
_PARENT = re.compile(r"^    #(?: via)? +([a-z0-9._-]+)")


@dataclass
class Locked:
    """A package of the lock.

    :param pins: several where they depend on the machine.
    :param parents: who requires it.
    :param hashes: the SHA-256 of each file of a version, by version.
    """

    name: str
    pins: list[str] = field(default_factory=list)
    parents: set[str] = field(default_factory=set)
    hashes: dict[str, set[str]] = field(default_factory=dict)


def read_lock(path: Path) -> dict[str, Locked]:
    """The packages of a requirements file that ``uv pip compile`` wrote."""
    packages: dict[str, Locked] = {}
    package, version = None, ""
    for line in path.read_text().splitlines():
        if pin := _PIN.match(line):
            package = packages.setdefault(pin[1], Locked(pin[1]))
            marker = f" ; {pin[3].strip()}" if pin[3] else ""
            version = pin[2]
            package.pins.append(f"{pin[1]}=={version}{marker}")
        elif package and (one := _HASH.match(line)):
            package.hashes.setdefault(version, set()).add(one[1])
        elif package and (parent := _PARENT.match(line)):
            package.parents.add(parent[1])
    if PROJECT not in {parent for one in packages.values() for parent in one.parents}:
        raise ValueError(
            f"{path} does not say what {PROJECT} itself requires, so it is not a lock that this can read. "
            "Make it again by `make lock`."
        )
    return packages


def airflow_version(packages: dict[str, Locked]) -> str:
    """The Airflow that the project is locked to."""
    return packages[AIRFLOW].pins[0].partition("==")[2]


def required(packages: dict[str, Locked]) -> list[str]:
    """Pins of what the project requires by name, Airflow left out."""
    return _pins(one for one in packages.values() if PROJECT in one.parents and one.name != AIRFLOW)


def besides_airflow(packages: dict[str, Locked]) -> list[str]:
    """Pins of what the project requires by name, and neither Airflow nor a provider of it brings."""
    brought = _below(packages, (AIRFLOW, *(name for name in packages if name.startswith(PROVIDER))))
    return _pins(one for one in packages.values() if PROJECT in one.parents and one.name not in brought)


def _below(packages: dict[str, Locked], roots: Iterable[str]) -> set[str]:
    """All that the roots require, directly or not."""
    found: set[str] = set(roots)
    while more := {one.name for one in packages.values() if one.parents & found} - found:
        found |= more
    return found


def _pins(packages: Iterable[Locked]) -> list[str]:
    return sorted(pin for one in packages for pin in one.pins)
