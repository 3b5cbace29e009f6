"""Looks every locked package up in a database of known vulnerabilities: ``python -m local.audit``.

pip-audit does the work. Where no database answers it would fail like any other audit, so this asks first whether one
does. The exit code is 0 if every package was looked up and none is vulnerable, 3 if no database can be reached, else 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[1]
SECONDS = 20
OSV = "https://api.osv.dev/v1/query"
PYPI = "https://pypi.org"
PINNED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
FAILED, UNREACHABLE = 1, 3


def unreachable(address: str, name: str, version: str) -> str | None:
    """Return why a database cannot be asked about this version of a package, or None if it can."""
    try:
        if address == PYPI:
            answer = requests.get(f"{PYPI}/pypi/{name}/{version}/json", timeout=SECONDS)
        else:
            question = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            answer = requests.post(address, json=question, timeout=SECONDS)
    except requests.RequestException as error:
        return f"{address} does not answer ({type(error).__name__})"
    if answer.status_code != requests.codes.ok:
        return f"{address} answers {answer.status_code} when asked about {name} {version}"
    return None


def is_sound(lock: Path, address: str, ignored: Sequence[str]) -> bool:
    """Whether pip-audit looked every package of a lock up, and none is vulnerable; it prints what it found."""
    print(f"{lock.name}, by {address}:", flush=True)
    service = ["pypi"] if address == PYPI else ["osv", "--osv-url", address]
    command = [
        *(sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes"),
        *("--desc", "off", "--progress-spinner", "off", "--vulnerability-service", *service),
        *("--requirement", str(lock)),
        *(part for vulnerability in ignored for part in ("--ignore-vuln", vulnerability)),
    ]
    return subprocess.run(command, check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser("python -m local.audit", description=__doc__.partition("\n")[0])
    option = parser.add_argument
    option("locks", metavar="LOCK", type=Path, nargs="*", help="default: every requirements file of the project")
    option("--osv-url", metavar="URL", help="your own database, which speaks OSV's protocol")
    option(
        "--ignore-vuln", metavar="ID", action="append", default=[], help="a vulnerability that is known and accepted"
    )
    option("--unreachable-passes", action="store_true", help="say so and pass where no database can be reached")
    options = parser.parse_args(arguments)
    locks = options.locks or sorted(PROJECT.glob("requirements*.txt"))
    pinned = PINNED.search(locks[0].read_text())
    if pinned is None:
        print(f"{locks[0]} pins no package. Run `make lock`, which writes it.", file=sys.stderr)
        return FAILED
    addresses = [options.osv_url] if options.osv_url else [PYPI, OSV]
    reasons = []
    for address in addresses:
        reason = unreachable(address, *pinned.groups())
        if reason is None:
            sound = [lock for lock in locks if is_sound(lock, address, options.ignore_vuln)]
            return 0 if sound == list(locks) else FAILED
        reasons.append(reason)
    print(
        f"NOT AUDITED. No database of known vulnerabilities can be reached: {'; '.join(reasons)}. Whether the locked "
        'packages have any is not known. Run `make audit` where one can be, or give yours by ARGS="--osv-url URL".',
        file=sys.stderr,
    )
    return 0 if options.unreachable_passes else UNREACHABLE


if __name__ == "__main__":
    sys.exit(main())
