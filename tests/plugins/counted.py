"""What a run's tasks send to the warehouse, task by task."""

from __future__ import annotations

import re

WRITES = re.compile(r"(insert|delete|update|copy|create|drop)\b", re.IGNORECASE)


class Statements:
    """The statements of each task, as they were sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[str]] = {}
        self.task = ""

    def note(self, sql: str) -> None:
        self.sent.setdefault(self.task, []).append(sql)

    def commits(self, task: str) -> int:
        """How often a task's writes were committed: its transactions, and each write outside of one."""
        number, is_open = 0, False
        for sql in self.sent.get(task, []):
            if sql == "begin":
                is_open = True
            elif sql in ("commit", "rollback"):
                number += sql == "commit"
                is_open = False
            elif not is_open and WRITES.match(sql):
                number += 1
        return number

    def lines(self) -> list[str]:
        """The page's table: a line a task, and the sum."""
        lines = [f"| {task} | {len(sent)} | {self.commits(task)} |" for task, sent in self.sent.items()]
        return [*lines, f"| **all tasks** | **{self.number}** | **{self.all_commits}** |"]

    @property
    def number(self) -> int:
        return sum(map(len, self.sent.values()))

    @property
    def all_commits(self) -> int:
        return sum(map(self.commits, self.sent))
