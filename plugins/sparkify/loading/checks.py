"""A data-quality check: a SELECT of the rows that break a rule, under a header that says which."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sparkify.loading.exceptions import SettingsError
from sparkify.loading.shown import shown

SEVERITIES = ("error", "warn")
SAMPLE_ROWS = 5
CHARACTERS_SHOWN = 200
LONGEST_SAMPLE = 65_535  # bytes; the column's
TABLE = re.compile(r"[a-z_]\w*", re.ASCII)
HEADER_LINE = re.compile(r"--\s*(\w+):\s*(.+?)\s*$")
KEYS = ("name", "severity", "proves")
OPTIONAL_KEYS = ("if_written",)
# Remarks, the template's own and SQL's; and what may hold any word: texts, quoted names, what a template fills in.
REMARK = r"\{#.*?#\}|\{%.*?%\}|--[^\n]*|/\*.*?\*/"
OPAQUE = re.compile(rf"(?P<remark>{REMARK})|'(?:[^'\\]|\\.)*'|\"[^\"]*\"|(?P<filled>\{{\{{.*?\}}\}})", re.DOTALL)
# What a macro fills in is looked at once it is rendered.
FILLED_IN = "MACRO"
FIRST_WORDS = ("SELECT", "WITH", FILLED_IN)
# SELECT … INTO makes a table.
WRITING_WORDS = ("INSERT", "UPDATE", "DELETE", "MERGE", "INTO")
EXPECTED = "Write one SELECT of the rows that break the rule."


@dataclass(frozen=True)
class Check:
    """``name`` as shown, ``severity`` error or warn, ``proves`` in words, ``sql`` of the offending rows.

    ``if_written`` is the table of a check that looks at all of it, and is due when the table was written.
    """

    name: str
    severity: str
    proves: str
    sql: str
    if_written: str | None = None

    @classmethod
    def parse(cls, file: str, text: str) -> Check:
        """From a file's text, rendered or not: the header ``-- name: …``, ``-- severity: …``, ``-- proves: …``, if it
        has one ``-- if_written: …``, and one SELECT.

        :param file: its path; ``quality/songs/id_is_unique.sql`` must hold the check ``songs.id_is_unique``.
        :raises SettingsError: if it is anything else, naming the file.
        """
        header: dict[str, str] = {}
        lines = text.strip().splitlines()
        while lines and (match := HEADER_LINE.match(lines[0])):
            if match[1] not in (known := (*KEYS, *OPTIONAL_KEYS)):
                raise SettingsError(
                    f"Check {file}: the header's key {match[1]!r} is unknown. Known are {', '.join(known)}."
                )
            if match[1] in header:
                raise SettingsError(f"Check {file}: the header has '-- {match[1]}: …' twice. Leave one.")
            header[match[1]] = match[2]
            lines.pop(0)
        for key in KEYS:
            if key not in header:
                raise SettingsError(f"Check {file}: the header lacks '-- {key}: …'. Add it to the file's first lines.")
        name = name_of(file)
        if header["name"] != name:
            raise SettingsError(
                f"Check {file}: its header names it {header['name']!r}. Name it {name!r}, as the file is."
            )
        if header["severity"] not in SEVERITIES:
            raise SettingsError(
                f"Check {file}: severity {header['severity']!r} is unknown. Use one of {', '.join(SEVERITIES)}."
            )
        sql = "\n".join(lines).strip().rstrip(";")
        _refuse_other_than_one_select(file, sql)
        if_written = header.get("if_written")
        if if_written and not TABLE.fullmatch(if_written):
            raise SettingsError(
                f"Check {file}: if_written {if_written!r} is no name of a table. Give one, such as songs."
            )
        return cls(name, header["severity"], header["proves"], sql, if_written)


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
        """Up to five offending rows, as a JSON list of objects; as many of them as the column holds."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.shown_sample()]
        while len((text := json.dumps(rows, default=str, ensure_ascii=False)).encode()) > LONGEST_SAMPLE:
            rows.pop()
        return text

    def shown_sample(self) -> list[list[object]]:
        """The sample's rows, each long text cut to what a reader needs."""
        return [[_cut(value) for value in row] for row in self.sample]

    def __str__(self) -> str:
        if self.passed:
            return f"{self.check.name}: passed"
        if self.offending is None:
            return f"{self.without_rows()}: {shown(self.error)}"
        rows = "\n    ".join(
            ", ".join(shown(f"{column}={_cut(value)}") for column, value in zip(self.columns, row, strict=True))
            for row in self.sample
        )
        return f"{self.without_rows()}\n    {rows}"

    def without_rows(self) -> str:
        """What a check that did not pass says to those who may not see the rows."""
        named = f"{self.check.name} ({self.check.severity})"
        if self.offending is None:
            return f"{named} could not run"
        return f"{named}: {self.offending} row(s) against: {self.check.proves}"


def name_of(file: str) -> str:
    """``quality/songplays/id_is_unique.sql`` is the check ``songplays.id_is_unique``."""
    path = PurePosixPath(file)
    return f"{path.parent.name}.{path.stem}"


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > CHARACTERS_SHOWN:
        return f"{value[:CHARACTERS_SHOWN]}… ({len(value)} characters)"
    return value


def _refuse_other_than_one_select(file: str, sql: str) -> None:
    plain = OPAQUE.sub(lambda found: " " if found["remark"] else f" {FILLED_IN} " if found["filled"] else " ? ", sql)
    words = [word.upper() for word in re.findall(r"\w+|[;?]", plain)]
    if not words:
        raise SettingsError(f"Check {file}: no statement follows the header. {EXPECTED}")
    if words[0] not in FIRST_WORDS:
        raise SettingsError(f"Check {file}: its statement begins with {words[0]}. {EXPECTED}")
    if ";" in words:
        raise SettingsError(f"Check {file}: it holds several statements. {EXPECTED}")
    for word in WRITING_WORDS:
        if word in words:
            raise SettingsError(f"Check {file}: {word} stands in its statement, and a check only reads. {EXPECTED}")
