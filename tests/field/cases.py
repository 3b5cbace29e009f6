"""Cases from the field: files that people of this trade met, a folder a case, ``NN-what-it-does``.

A case holds one or more deliveries: folders that each hold ``log_data`` or ``song_data``, in the order in which they
come. The cases that lie beside the project are tried where they are there; the project's own inputs of the same kind,
below ``inputs``, always are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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

    For ``pytest.mark.parametrize("case", cases(7), ids=str)``.

    :raises FileNotFoundError: the project has no inputs of its own for it.
    """
    own, given = ([Case(path) for path in folder.glob(f"{number:02}-*")] for folder in (OWN, GIVEN))
    if not own:
        raise FileNotFoundError(f"Case {number} has no inputs of its own. Put them into {OWN}/{number:02}-….")
    return own + given
