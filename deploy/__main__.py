"""``python -m deploy env`` and ``python -m deploy dist``, as ``make env`` and ``make dist`` run them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy import environment
from deploy.distributions import DISTRIBUTIONS, build

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Return the exit code: 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("env", help="write the secrets that docker-compose.yaml needs into .env, if they are missing")
    commands.add_parser("dist", help=f"write the project as {' and '.join(DISTRIBUTIONS)} expect it into dist")
    try:
        if parser.parse_args().command == "env":
            _env()
        else:
            _dist()
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
    print("What to do with them: docs/deploy.md.")


if __name__ == "__main__":
    sys.exit(main())
