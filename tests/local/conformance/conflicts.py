"""Which transactions Redshift could refuse to run side by side, by the tables that they read and write.

Under SERIALIZABLE isolation Redshift looks at whole tables where PostgreSQL looks at rows: of two transactions that run
at once, each reading a table that the other writes, one ends with error 1023
(https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html). So the stand-in cannot show it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

SESSION = re.compile(r"select pg_backend_pid\(\), .*set_config\('query_group', '([^']*)'")
# A query group is a log date, if the task has one, then task, DAG and run.
TASK = re.compile(r"(?:\d{4}-\d\d-\d\d\.)?(\w+\.sparkify_\w+)\.")
TABLE = re.compile(r'create table if not exists (?:"?\w+"?\.)?"?(\w+)', re.IGNORECASE)
LOCK = re.compile(r"lock (.+)", re.IGNORECASE)
USES_TABLES = ("insert", "delete", "update", "select", "with", "create temp table")


@dataclass(frozen=True)
class Transaction:
    """What one transaction of a task touches of the permanent tables.

    :param mutexes: the tables that it locks before it reads or writes anything. A lock taken later does not count: the
        snapshot is taken by then.
    """

    task: str
    mutexes: frozenset[str]
    reads: frozenset[str]
    writes: frozenset[str]

    def waits_for(self, other: Transaction) -> bool:
        """Whether the two never run at once."""
        return bool(self.mutexes & other.mutexes)

    def reads_before(self, other: Transaction) -> frozenset[str]:
        """The tables by which it has to come before the other, if they run at once."""
        return frozenset() if self.waits_for(other) else self.reads & other.writes


@dataclass
class _Open:
    task: str
    mutexes: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)

    def closed(self) -> Transaction:
        return Transaction(self.task, frozenset(self.mutexes), frozenset(self.reads), frozenset(self.writes))


def transactions(statements: Sequence[str]) -> set[Transaction]:
    """The tasks' transactions that write a table, from a statement log; a statement outside of one is its own.

    A session's first statement names its task, as a query group; sessions of no task are left out.
    """
    permanent = {found[1].lower() for statement in statements if (found := TABLE.match(statement))}
    return {one for one in _transactions(statements, permanent) if one.task and one.writes}


def _transactions(statements: Iterable[str], permanent: Collection[str]) -> Iterator[Transaction]:
    task, is_open = "", False
    current = _Open(task)
    for statement in statements:
        word = statement.lower()
        if begins := SESSION.match(statement):
            named = TASK.match(begins[1])
            task, is_open = named[1] if named else "", False
            current = _Open(task)
        elif word == "begin":
            is_open, current = True, _Open(task)
        elif word in ("commit", "rollback"):
            yield current.closed()
            is_open, current = False, _Open(task)
        elif locks := LOCK.match(statement):
            if not (current.reads or current.writes):
                current.mutexes |= {name.strip() for name in locks[1].split(",")}
        elif word.lstrip("(-").startswith(USES_TABLES):
            reads, writes = touched(statement)
            current.reads |= reads & set(permanent)
            current.writes |= writes & set(permanent)
            if not is_open:
                yield current.closed()
                current = _Open(task)


@functools.cache
def touched(statement: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the tables that a statement reads and of the one that it writes.

    DELETE and UPDATE also read what they write; INSERT does not. A name that WITH defines counts as a table's.
    """
    tree = sqlglot.parse_one(statement, dialect="redshift")
    if isinstance(tree, exp.Insert | exp.Delete | exp.Update):
        target = tree.this.find(exp.Table) if tree.this else tree.find(exp.Table)
        written = frozenset({target.name.lower()})
        read = tree.expression if isinstance(tree, exp.Insert) else tree
        return _named(read), written
    return _named(tree.expression if isinstance(tree, exp.Create) else tree), frozenset()


def _named(tree: exp.Expr | None) -> frozenset[str]:
    return frozenset(table.name.lower() for table in tree.find_all(exp.Table)) if tree else frozenset()


def cycles(found: Iterable[Transaction]) -> list[str]:
    """A sentence for each circle of transactions of which every one has to come before the next.

    Two runs of one task count. Circles of any length are found; of those through one step only the shortest.
    """
    nodes = sorted(found, key=repr)
    before = {
        number: [other for other, second in enumerate(nodes) if first.reads_before(second)]
        for number, first in enumerate(nodes)
    }
    circles = [
        circle for start, following in before.items() for step in following if (circle := _circle(before, start, step))
    ]
    # One circle is found from each of its steps.
    rotated = (circle[(first := circle.index(min(circle))) :] + circle[:first] for circle in circles)
    return sorted({_sentence([nodes[number] for number in circle]) for circle in rotated})


def _circle(before: Mapping[int, Sequence[int]], start: int, step: int) -> list[int]:
    """The shortest way from the start by this step back to the start, or nothing."""
    if step == start:
        return [start]
    ways, seen = [[start, step]], {step}
    while ways:
        longer = []
        for way in ways:
            for after in before[way[-1]]:
                if after == start:
                    return way
                if after not in seen:
                    seen.add(after)
                    longer.append([*way, after])
        ways = longer
    return []


def _sentence(circle: Sequence[Transaction]) -> str:
    steps = [
        f"{first.task} reads {', '.join(sorted(first.reads_before(second)))}, which {second.task} writes"
        for first, second in itertools.pairwise([*circle, circle[0]])
    ]
    return "; ".join(steps)
