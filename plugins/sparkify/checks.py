"""A data-quality check: a SELECT of the rows that break a rule, under a header that says which."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.exceptions import SettingsError

SEVERITIES = ("error", "warn")
SAMPLE_ROWS = 5
HEADER_LINE = re.compile(r"--\s*(\w+):\s*(.+?)\s*$")
KEYS = ("severity", "proves")


@dataclass(frozen=True)
class Check:
    """``name`` as shown, ``severity`` error or warn, ``proves`` in words, ``sql`` of the offending rows."""

    name: str
    severity: str
    proves: str
    sql: str

    @classmethod
    def parse(cls, name: str, text: str) -> Check:
        """From a file's text: header lines ``-- severity: …`` and ``-- proves: …``, then the SELECT."""
        header: dict[str, str] = {}
        lines = text.strip().splitlines()
        while lines and (match := HEADER_LINE.match(lines[0])):
            header[match[1]] = match[2]
            lines.pop(0)
        for key in header:
            if key not in KEYS:
                raise SettingsError(f"Check {name}: the header's key {key!r} is unknown. Known are {', '.join(KEYS)}.")
        for key in KEYS:
            if key not in header:
                raise SettingsError(f"Check {name}: the header lacks '-- {key}: …' in its first lines.")
        if header["severity"] not in SEVERITIES:
            raise SettingsError(
                f"Check {name}: severity {header['severity']!r} is unknown. Use one of {', '.join(SEVERITIES)}."
            )
        return cls(name, header["severity"], header["proves"], "\n".join(lines).strip().rstrip(";"))


@dataclass(frozen=True)
class CheckResult:
    """What a check found. ``offending`` is None where the check itself could not run; ``error`` then says why."""

    check: Check
    offending: int | None
    columns: Sequence[str] = ()
    sample: Sequence[Sequence[Any]] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        return self.offending == 0

    @property
    def fails_the_task(self) -> bool:
        return not self.passed and (self.check.severity == "error" or self.offending is None)

    def sample_json(self) -> str:
        """Up to five offending rows, as a JSON list of objects."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.sample]
        return json.dumps(rows, default=str, ensure_ascii=False)

    def __str__(self) -> str:
        if self.offending is None:
            return f"{self.check.name} could not run: {self.error}"
        if self.passed:
            return f"{self.check.name}: passed"
        rows = "\n    ".join(
            ", ".join(f"{column}={value}" for column, value in zip(self.columns, row, strict=True))
            for row in self.sample
        )
        broken = f"{self.check.name} ({self.check.severity}): {self.offending} row(s) against: {self.check.proves}"
        return f"{broken}\n    {rows}"
