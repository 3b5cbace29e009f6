"""A statement's forms as patterns over tokens, written as Amazon's reference writes them.

``WORD``, ``[optional]``, ``{this | that}``, ``<reader>`` or ``<reader:label>``, ``<reader, ...>`` for a list. A word in
small letters is read and left out of what is sent to PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import RefusedError

Reader = Callable[[Cursor], str]
_Parts = tuple[tuple[str, str], ...]
_Step = Callable[[Cursor, int], Iterator[tuple[int, _Parts]]]
_SYNTAX_ERROR = "42601"
_ELEMENT = re.compile(r"<(?P<reader>\w+)(?::(?P<label>\w+))?(?P<list>, \.\.\.)?>|[\[\]{}|]|[^\s\[\]{}|<]+")


class Match:
    """What a pattern found: the text under each label, an empty text for what was not there."""

    def __init__(self, parts: _Parts) -> None:
        self._parts = parts

    def all(self, label: str) -> list[str]:
        """Every text found under this label."""
        return [text for name, text in self._parts if name == label]

    def sql(self) -> str:
        """All that was found and is not left out."""
        return "".join(text if text == "," else f" {text}" for _, text in self._parts).strip()

    def fill(self, template: str) -> str:
        """The template with its labels replaced; ``{*}`` is all that was found."""
        return re.sub(r"\{([\w*]+)\}", lambda label: self[label[1]], template).strip()

    def __getitem__(self, label: str) -> str:
        return self.sql() if label == "*" else ", ".join(self.all(label))


class Grammar:
    """Patterns with the readers they name; a reader given as text is a pattern itself."""

    def __init__(self, readers: Mapping[str, Reader | str]) -> None:
        self._readers = readers
        self._compiled = lru_cache(maxsize=None)(self._compile)

    def read(self, pattern: str, cursor: Cursor, *, whole: bool = False) -> Match | None:
        """Match from the cursor on and move it; *whole*: to the statement's end. None leaves it where it was."""
        start = cursor.position
        for end, parts in self._compiled(pattern)(cursor, start):
            if not whole or end == len(cursor.tokens):
                cursor.position = end
                return Match(parts)
            cursor.missed(end)
        cursor.position = start
        return None

    def _compile(self, pattern: str) -> _Step:
        return self._choice(list(_ELEMENT.finditer(pattern)))

    def _choice(self, elements: list[re.Match[str]]) -> _Step:
        choices: list[list[_Step]] = [[]]
        while elements:
            element = elements.pop(0)
            text = element.group()
            if text in ("]", "}"):
                break
            if text == "|":
                choices.append([])
            elif text in ("[", "{"):
                inner = self._choice(elements)
                choices[-1].append(_either([inner, _sequence([])]) if text == "[" else inner)
            elif name := element["reader"]:
                reader = self._readers[name]
                step = self._compiled(reader) if isinstance(reader, str) else _read(reader, element["label"] or name)
                choices[-1].append(_listed(step) if element["list"] else step)
            else:
                choices[-1].append(_word(text))
        return _either([_sequence(steps) for steps in choices])


def _word(word: str) -> _Step:
    kept: _Parts = () if word.islower() else (("", word),)

    def step(cursor: Cursor, at: int) -> Iterator[tuple[int, _Parts]]:
        if at < len(cursor.tokens) and cursor.tokens[at].upper == word.upper():
            yield at + 1, kept
        else:
            cursor.missed(at)

    return step


def _read(reader: Reader, label: str) -> _Step:
    def step(cursor: Cursor, at: int) -> Iterator[tuple[int, _Parts]]:
        cursor.position = at
        try:
            text = reader(cursor)
        except RefusedError as refused:
            cursor.missed(cursor.position, refused if cursor.position > at else None)
            if refused.code != _SYNTAX_ERROR:
                raise
        else:
            yield cursor.position, ((label, text),)

    return step


def _sequence(steps: list[_Step]) -> _Step:
    def step(cursor: Cursor, at: int, first: int = 0) -> Iterator[tuple[int, _Parts]]:
        if first == len(steps):
            yield at, ()
            return
        for middle, parts in steps[first](cursor, at):
            for end, more in step(cursor, middle, first + 1):
                yield end, parts + more

    return step


def _either(steps: list[_Step]) -> _Step:
    def step(cursor: Cursor, at: int) -> Iterator[tuple[int, _Parts]]:
        for choice in steps:
            yield from choice(cursor, at)

    return step


def _listed(element: _Step) -> _Step:
    def step(cursor: Cursor, at: int) -> Iterator[tuple[int, _Parts]]:
        found: _Parts = ()
        while one := next(element(cursor, at), None):
            at, found = one[0], found + one[1]
            if at == len(cursor.tokens) or cursor.tokens[at].upper != ",":
                yield at, found
                return
            at, found = at + 1, (*found, ("", ","))

    return step
