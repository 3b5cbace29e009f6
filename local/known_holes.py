"""`python -m local.known_holes [LOCK …]`: fail if a locked package has a known hole that has a fix.

pip-audit asks the advisory database; but where it cannot, it passes, and none is not a pass. Here the exit code is 0 if
every package was looked up and none has a hole with a fix, 1 if one has or could not be looked up, and 3 if there is no
database to be reached.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

SECONDS = 20
OSV = "https://api.osv.dev/v1/query"
PYPI = "https://pypi.org/pypi/{name}/{version}/json"
PINNED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
HOLE, UNREACHABLE = 1, 3
# Production's, requirements.txt, is part of both.
LOCKS = ("requirements-dev.txt", "requirements-container.txt")


class NotAuditedError(Exception):
    """A package was not looked up."""


@dataclass(frozen=True)
class Hole:
    """A known hole of a locked package; `fixes` are the versions without it, none if there is no fix yet."""

    package: str
    version: str
    name: str
    fixes: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixes)}" if self.fixes else "no version is without it yet"
        return f"{self.package} {self.version}: {self.name}, {remedy}"


@dataclass(frozen=True)
class Service:
    """An advisory database: pip-audit's arguments for it, and a question that it must be able to answer."""

    address: str
    arguments: Sequence[str]
    ask: Callable[[str, str], requests.Response]

    def unreachable(self, name: str, version: str) -> str | None:
        """Return why it cannot be asked about this version of a package, or None if it can."""
        try:
            answer = self.ask(name, version)
        except requests.RequestException as error:
            return f"{self.address} does not answer ({type(error).__name__})"
        if answer.status_code != requests.codes.ok:
            return f"{self.address} answers {answer.status_code} when asked about {name} {version}"
        return None


def osv(address: str) -> Service:
    """A database that speaks OSV's protocol."""

    def ask(name: str, version: str) -> requests.Response:
        question = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        return requests.post(address, json=question, timeout=SECONDS)

    return Service(address, ("-s", "osv", "--osv-url", address), ask)


def pypi() -> Service:
    """PyPI's own."""

    def ask(name: str, version: str) -> requests.Response:
        return requests.get(PYPI.format(name=name, version=version), timeout=SECONDS)

    return Service("https://pypi.org", ("-s", "pypi"), ask)


def holes(lock: Path, service: Service) -> list[Hole]:
    """The known holes of what a lock file holds.

    :raises NotAuditedError: if any of it could not be looked up.
    """
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes",
        "--format", "json", "--desc", "off", "--progress-spinner", "off", *service.arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotAuditedError(f"pip-audit gave no report on {lock}:\n{done.stderr.strip()}") from None
    skipped = [f"{one['name']} ({one['skip_reason']})" for one in found if "skip_reason" in one]
    if skipped or not found:
        raise NotAuditedError(f"In {lock} not looked up: {', '.join(skipped) or 'anything'}.")
    return [
        Hole(one["name"], one["version"], hole["id"], tuple(hole["fix_versions"]))
        for one in found
        for hole in one["vulns"]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser("python -m local.known_holes", description=__doc__.partition("\n")[0])
    option = parser.add_argument
    option("locks", metavar="LOCK", type=Path, nargs="*", default=list(map(Path, LOCKS)))
    option("--osv-url", metavar="URL", help="a database of one's own that speaks OSV's protocol")
    option("--unreachable-passes", action="store_true", help="say so and pass where no database can be reached")
    options = parser.parse_args(arguments)
    services = [osv(options.osv_url)] if options.osv_url else [pypi(), osv(OSV)]
    pinned = PINNED.search(options.locks[0].read_text())
    if pinned is None:
        print(f"{options.locks[0]} pins no package: nothing can be looked up.", file=sys.stderr)
        return HOLE
    why = {service.address: service.unreachable(*pinned.groups()) for service in services}
    reached = next((service for service in services if why[service.address] is None), None)
    if reached is None:
        reasons = "; ".join(str(reason) for reason in why.values())
        print(
            f"NOT AUDITED. No database of known holes can be reached: {reasons}. Whether the locked packages have any "
            'is not known. Run `make audit` where one can be, or give yours by ARGS="--osv-url URL".',
            file=sys.stderr,
        )
        return 0 if options.unreachable_passes else UNREACHABLE
    return _report(options.locks, reached)


def _report(locks: Sequence[Path], service: Service) -> int:
    code = 0
    for lock in locks:
        try:
            found = holes(lock, service)
        except NotAuditedError as error:
            print(error, file=sys.stderr)
            code = HOLE
            continue
        for hole in found:
            print(hole, file=sys.stderr)
        fixed = sorted({hole.package for hole in found if hole.fixes})
        print(f"{lock}, by {service.address}: {len(found)} known holes, of which {len(fixed)} packages have a fix.")
        if fixed:
            print(f"Raise {', '.join(fixed)} in pyproject.toml and run `make lock`.", file=sys.stderr)
            code = HOLE
    return code


if __name__ == "__main__":
    sys.exit(main())
