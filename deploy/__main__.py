"""``python -m deploy``, as ``make env``, ``make dist``, ``make sbom`` and ``make lock`` run it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from deploy import environment
from deploy.bill_of_materials import write_bill
from deploy.distributions import DISTRIBUTIONS, build
from deploy.images import FILES, digest, pin
from deploy.wheel import build_wheel

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Return the exit code: 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("env", help="write the secrets that docker-compose.yaml needs into .env, if they are missing")
    commands.add_parser(
        "dist", help=f"write the project as {' and '.join(DISTRIBUTIONS)} expect it, and a wheel, into dist"
    )
    commands.add_parser("sbom", help="write what the image of docker-compose.yaml holds into dist, as CycloneDX has it")
    commands.add_parser("pin", help=f"write the digest of each image into {' and '.join(FILES)}")
    try:
        {"env": _env, "dist": _dist, "sbom": _sbom, "pin": _pin}[parser.parse_args().command]()
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _env() -> None:
    path = PROJECT / ".env"
    made = environment.complete(path)
    if made:
        print(f"Wrote {', '.join(made)} into {path}, which only you may read. Git ignores it: keep a copy elsewhere.")
    else:
        print(f"{path} has everything already; nothing was changed.")


def _dist() -> None:
    for name in DISTRIBUTIONS:
        print(f"Wrote {build(PROJECT, name, PROJECT / 'dist')}.")
    print(f"Wrote {build_wheel(PROJECT, PROJECT / 'dist')}.")
    print("What to do with them: docs/deploy.md.")


def _sbom() -> None:
    print(f"Wrote {write_bill(PROJECT, PROJECT / 'dist')}.")


def _pin() -> None:
    print(pinned(PROJECT))


def pinned(project: Path, digest_of: Callable[[str, str], str] = digest) -> str:
    """Pin the images of a project; returns what to say of it."""
    try:
        return f"Pinned {', '.join(pin(project, digest_of))}."
    except OSError as error:
        return (
            f"NOT PINNED. No registry of images can be reached ({error}); {' and '.join(FILES)} name them as before. "
            "Run `make lock` where one can be."
        )


if __name__ == "__main__":
    sys.exit(main())
