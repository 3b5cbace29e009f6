"""Cases from the field: files that people of this trade met, a folder a case, ``NN-what-it-does``.

A case holds one or more deliveries: folders that each hold ``log_data`` or ``song_data``, in the order in which they
come. The cases that lie beside the project are tried where they are there; the project's own inputs of the same kind,
below ``inputs``, always are. `make test` leaves the former to `make test-all`: they are of the same kinds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

GIVEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "field"
OWN = Path(__file__).resolve().parent / "inputs"
_LOG_DATE = re.compile(r"log_data/.*?(\d{4}-\d{2}-\d{2})-events[^/]*$")


@dataclass(frozen=True)
class Case:
    """The inputs of one case."""

    folder: Path

    def delivery(self, name: str = "in") -> Path:
        """The folder of one delivery, which holds ``log_data`` and ``song_data``, whichever it has."""
        return self.folder / name

    def files(self, delivery: str = "in") -> dict[str, bytes]:
        """The files of one delivery by key, the hidden ones too."""
        folder = self.delivery(delivery)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def log_dates(self, delivery: str = "in") -> list[date]:
        """The log dates of one delivery, in order."""
        found = (_LOG_DATE.search(key) for key in self.files(delivery))
        return sorted({date.fromisoformat(match[1]) for match in found if match})

    def __str__(self) -> str:
        return f"{'given' if self.folder.parent == GIVEN else 'own'}-{self.folder.name}"


def cases(number: int) -> list[Case]:
    """Every case of this number: the project's own, and the given one where it is there.

    :raises FileNotFoundError: the project has no inputs of its own for it.
    """
    own, given = ([Case(path) for path in folder.glob(f"{number:02}-*")] for folder in (OWN, GIVEN))
    if not own:
        raise FileNotFoundError(f"Case {number} has no inputs of its own. Put them into {OWN}/{number:02}-….")
    return own + given


def marks_of(case: Case) -> list[pytest.MarkDecorator]:
    """The marks of a test of this case."""
    return [pytest.mark.story] if case.folder.parent == GIVEN else []


def tried(number: int) -> list[ParameterSet]:
    """Every case of this number, for ``pytest.mark.parametrize("case", tried(7))``."""
    return [pytest.param(case, id=str(case), marks=marks_of(case)) for case in cases(number)]
