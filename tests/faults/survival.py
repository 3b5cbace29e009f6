"""What was survived: a table of task, phase and fault. A hole in it fails a run of all faults."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, NamedTuple, get_args

from sparkify.tables import STAR
from tests.faults.s3_door import KINDS as S3_FAULTS
from tests.faults.s3_door import REQUESTS
from tests.faults.s3_door import Kind as S3Fault

TASKS = (
    "tables",
    "stage_events",
    "stage_songs",
    "check_staging",
    *(table.name for table in STAR),
    "check_warehouse",
)
LOADS = tuple(task_id for task_id in TASKS if task_id != "tables")
Phase = Literal[
    "session", "read", "prepare", "copy", "create", "drop", "lock", "delete", "insert", "record",
    "before commit", "after commit", "at any time",
]  # fmt: skip
Fault = Literal["kill", "cut", "session", "backend", "stand-in", "PostgreSQL", "conflict"]
#: Its letter in the table, and what happens.
FAULTS: Mapping[Fault, tuple[str, str]] = {
    "kill": ("K", "the task's process is killed"),
    "cut": ("C", "its connection is cut"),
    "session": ("S", "the warehouse ends its session"),
    "backend": ("B", "PostgreSQL's process for its session is killed"),
    "stand-in": ("R", "the stand-in for Redshift is killed"),
    "PostgreSQL": ("P", "PostgreSQL is killed"),
    "conflict": ("X", "a foreign writer changes the same rows"),
}
#: The faults that end a session from outside: by the network, or by a server.
ENDINGS: Sequence[Fault] = ("cut", "session", "backend", "stand-in", "PostgreSQL")
SERVERS: Sequence[Fault] = ("stand-in", "PostgreSQL")
#: One of them for each table of the star.
LOAD_PHASES: Sequence[Phase] = ("prepare", "insert", "lock", "delete", "record")
#: Where each task meets every fault but a kill, which it meets in each of its phases.
STRUCK: Mapping[str, Phase] = {
    "tables": "session",
    "stage_events": "copy",
    "stage_songs": "delete",
    "check_staging": "read",
    **dict(zip((table.name for table in STAR), itertools.cycle(LOAD_PHASES), strict=False)),
    "check_warehouse": "before commit",
}
#: The making of a schema, which is a task of another DAG.
SCHEMAS = ("a new schema", "a rebuilt schema", "an upgraded schema")
#: One task of each operator: what it committed is there after the kill of a server.
COMMITTING = ("stage_events", "songplays", "users", "check_warehouse")


class Place(NamedTuple):
    """A moment of a task: its phase, the number of a statement, and whether that was asked or is answered."""

    phase: Phase
    number: int
    moment: str


# Of a statement that is no session's first and touches no temporary table.
_PHASES: Mapping[str, Phase] = {
    r"(select|set|show|with|begin)\b": "read",
    r"copy\b": "copy",
    r"lock\b": "lock",
    r"insert into load_history\b": "record",
    # The results of checks are one statement, which commits by itself.
    r"insert into data_quality_results\b": "after commit",
    r"insert\b": "insert",
    r"(delete|update)\b": "delete",
    r"(create|alter) (table|view|schema|or replace view)\b": "create",
    r"drop (table|view|schema)\b": "drop",
    r"commit\b": "after commit",
}
_CREATED = re.compile(r"create temp(?:orary)? table (?:if not exists )?(\w+)")
_WRITTEN = re.compile(r"(?:insert into|delete from|update|drop table(?: if exists)?|analyze|alter table) (\w+)")
_LAST_OF_SESSION = "select pg_backend_pid()"


def phases(statements: Sequence[str]) -> list[Phase]:
    """In which phase a task is when each of its statements is answered."""
    found: list[Phase] = []
    temporary = {name for sql in statements for name in _CREATED.findall(sql)}
    begins = next((n for n, sql in enumerate(statements, 1) if sql.startswith(_LAST_OF_SESSION)), 0)
    for number, sql in enumerate(statements, 1):
        written = _WRITTEN.match(sql)
        if number <= begins:
            found.append("session")
        elif _CREATED.match(sql) or (written and written[1] in temporary):
            found.append("prepare")
        else:
            phase = next((phase for pattern, phase in _PHASES.items() if re.match(pattern, sql)), None)
            assert phase, f"Say in tests/faults/survival.py in which phase a task is after: {sql[:80]}"
            found.append(phase)
    return found


def places(statements: Sequence[str], chance: Random, *, every: bool = False) -> list[Place]:
    """One place of each phase of a task, at random; or every statement, and the log-in before them."""
    found = [Place(phase, number, "answered") for number, phase in enumerate(phases(statements), 1)]
    commits = [Place("before commit", place.number, "asked") for place in found if place.phase == "after commit"]
    if every:
        return [Place("session", 0, "answered"), *found, *commits]
    of_phase: dict[Phase, list[Place]] = {}
    for place in [*found, *commits]:
        of_phase.setdefault(place.phase, []).append(place)
    return [chance.choice(found) for found in of_phase.values()]


def place_of(statements: Sequence[str], phase: Phase, chance: Random) -> Place:
    """A place in this phase of a task, at random."""
    found = [place for place in places(statements, chance) if place.phase == phase]
    assert found, f"The task has no phase {phase!r} any more. Give it another in STRUCK, in tests/faults/survival.py."
    return found[0]


@dataclass(frozen=True)
class Survivals:
    """The faults that one test survived; they become part of the run's table."""

    properties: list[tuple[str, object]]

    def __call__(self, task: str, phase: str, fault: Fault | S3Fault) -> None:
        """Record a fault that a task survived."""
        self.properties.append(("survived", (task, phase, fault)))

    def has(self, task: str, found: Iterable[Phase]) -> None:
        """Tell which phases a task has: it is to be killed in each."""
        self.properties.append(("has", (task, sorted(set(found)))))


@dataclass
class Table:
    """What the tests of a run have told: the phases that each task has, and what it survived in each of them."""

    has: dict[str, list[str]] = field(default_factory=dict)
    survived: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @classmethod
    def from_properties(cls, properties: Iterable[tuple[str, str, Any]]) -> Table:
        """The table of what tests have told: a test's name, and a property's name and value."""
        table = cls()
        for _, name, value in properties:
            if name == "has":
                task, found = value
                table.has[task] = list(found)
            elif name == "survived":
                table.survived[tuple(value)] += 1
        return table

    def holes(self) -> list[str]:
        """What was to be survived and was not."""
        lacking = dict.fromkeys(one for one in self._wanted() if not self.survived[one])
        return [f"{task}, {phase}: {fault}" for task, phase, fault in lacking]

    def lines(self) -> Iterator[str]:
        """The table, as text."""
        known = [phase for phase in get_args(Phase) if any(phase == of for _, of, _ in self.survived)]
        tasks = [[task, *(self._cell(task, phase) for phase in known)] for task in (*TASKS, *SCHEMAS)]
        yield from _aligned([["", *known], *tasks])
        yield from (f"{letter}  {what}" for letter, what in FAULTS.values())
        yield "?  the task has the phase, and nothing was survived there"
        requests = [
            [request, *("yes" if self.survived[task, request, fault] else "?" for fault in S3_FAULTS)]
            for request, (task, _) in REQUESTS.items()
        ]
        if any("yes" in row for row in requests):
            yield from _aligned([["requests to S3", *S3_FAULTS], *requests])

    def _cell(self, task: str, phase: str) -> str:
        letters = [letter for fault, (letter, _) in FAULTS.items() if self.survived[task, phase, fault]]
        return "".join(letters) or ("?" if phase in self.has.get(task, ()) else "-")

    def _wanted(self) -> Iterator[tuple[str, str, str]]:
        for task in (*TASKS, *SCHEMAS):
            # A task of which no phase is known was never killed.
            yield from ((task, phase, "kill") for phase in self.has.get(task, ["session"]))
        for task, phase in STRUCK.items():
            yield from ((task, phase, fault) for fault in ENDINGS)
        for task in LOADS:
            yield task, "at any time", "kill"
            yield from ((task, phase, "cut") for phase in ("before commit", "after commit"))
        for task in COMMITTING:
            yield from ((task, "after commit", fault) for fault in SERVERS)
        yield "users", "delete", "conflict"
        for request, (task, _) in REQUESTS.items():
            yield from ((task, request, kind) for kind in S3_FAULTS)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
