"""A question of ``include/sql/analytics``: one SELECT, under a header that says what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

HEADER_LINE = re.compile(r"-- (question|note|bar): (.+)")


@dataclass(frozen=True)
class Question:
    """A question, in words and in SQL.

    ``name`` is the file's; ``note`` says what is counted, where that is not plain; ``bar`` is the column that bars are
    drawn of.
    """

    name: str
    words: str
    note: str
    bar: str
    sql: str

    @classmethod
    def parse(cls, file: str, text: str) -> Question:
        """From a file's text, rendered or not: ``-- question: …``, ``-- note: …``, ``-- bar: …``, then the SELECT.

        A header of several lines of one kind is one text.
        """
        said: dict[str, list[str]] = {"question": [], "note": [], "bar": []}
        lines = text.strip().splitlines()
        while lines and (header := HEADER_LINE.fullmatch(lines[0])):
            said[header[1]].append(header[2])
            lines.pop(0)
        words, note, bar = (" ".join(texts) for texts in said.values())
        return cls(PurePosixPath(file).stem, words, note, bar, "\n".join(lines).strip().rstrip(";").strip())
