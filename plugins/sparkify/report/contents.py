"""Gathers what a report holds: its moment, its answers, and a sentence on each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sparkify.loading.shown import shown_json
from sparkify.report.findings import finding_of
from sparkify.report.questions import Question

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The rows that answer a question, and in ``finding`` what they say in one sentence; '' if there are none."""

    question: Question
    rows: Sequence[Row]
    finding: str

    @classmethod
    def of(cls, question: Question, rows: Sequence[Row]) -> Answer:
        """From the rows, in the question's order."""
        return cls(question, rows, finding_of(question, rows) if rows else "")

    @property
    def columns(self) -> list[str]:
        return list(self.rows[0]) if self.rows else []


@dataclass(frozen=True)
class Report:
    """A report, before it is drawn.

    :param made_at: in UTC, without a zone.
    :param run_id: the Airflow run that made it.
    :param loads: what changes with every load; the report covers the loads up to there.
    :param scope: the log dates, plays, listeners and matched plays there are.
    :param answers: one a question.
    :param warnings: the checks that are broken as last run.
    """

    made_at: datetime
    run_id: str
    loads: Row
    scope: Row
    answers: Sequence[Answer]
    warnings: Sequence[Row]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is loaded yet."""
        return not self.scope["plays"]

    def as_json(self) -> str:
        """All of it but the drawings."""
        text = json.dumps(
            {
                "made_at": f"{self.made_at.isoformat(timespec='seconds')}Z",
                "run_id": self.run_id,
                "loads": self.readable(self.loads),
                "scope": self.readable(self.scope),
                "answers": [
                    {
                        "name": answer.question.name,
                        "question": answer.question.words,
                        "note": answer.question.note,
                        "finding": answer.finding,
                        "rows": [self.readable(row) for row in answer.rows],
                    }
                    for answer in self.answers
                ],
                "warnings": [self.readable(row) for row in self.warnings],
            },
            ensure_ascii=False,
            indent=1,
        )
        return shown_json(text)

    @staticmethod
    def readable(row: Row) -> dict[str, Any]:
        """A row as JSON holds it: dates as ISO 8601 has them, exact numbers as numbers."""
        return {name: _readable(value) for name, value in row.items()}


def loads_told_by(data: str) -> tuple[dict[str, Any] | None, str | None]:
    """Which loads the report of this JSON covers, and which run made it; None where the JSON is not a report's."""
    try:
        report = json.loads(data)
    except ValueError:
        return None, None
    return (report.get("loads"), report.get("run_id")) if isinstance(report, dict) else (None, None)


def _readable(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
