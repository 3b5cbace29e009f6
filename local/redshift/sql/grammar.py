"""A statement's forms as patterns over tokens, written as Amazon's reference writes them.

``WORD``, ``[optional]``, ``{this | that}``, ``<reader>`` or ``<reader:label>``, ``<reader, ...>`` for a list. A word in
small letters is read and left out of what is sent to PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.redshift.sql.lexer import Cursor
from local.redshift.sql.plan import RefusedError

Reader = Callable[[Cursor], str]
_Parts = tuple[tuple[str, str], ...]
_Found = Iterator[tuple[int, _Parts]]
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
        self._compiled: dict[str, list[list[Any]]] = {}

    def read(self, pattern: str, cursor: Cursor, *, whole: bool = False) -> Match | None:
        """Match from the cursor on and move it; *whole*: to the statement's end. None leaves it where it was."""
        start = cursor.position
        for end, parts in self._any(self._choices(pattern), cursor, start):
            if not whole or end == len(cursor.tokens):
                cursor.position = end
                return Match(parts)
            cursor.missed(end)
        cursor.position = start
        return None

    def _choices(self, pattern: str) -> list[list[Any]]:
        """A pattern as choices, each a list of words (text), of what is read (a match) and of choices (a list)."""
        if pattern not in self._compiled:
            self._compiled[pattern] = _parsed(list(_ELEMENT.finditer(pattern)))
        return self._compiled[pattern]

    def _any(self, choices: list[list[Any]], cursor: Cursor, at: int) -> _Found:
        for elements in choices:
            yield from self._sequence(elements, cursor, at)

    def _sequence(self, elements: list[Any], cursor: Cursor, at: int) -> _Found:
        if not elements:
            yield at, ()
            return
        for middle, parts in self._element(elements[0], cursor, at):
            for end, more in self._sequence(elements[1:], cursor, middle):
                yield end, parts + more

    def _element(self, element: Any, cursor: Cursor, at: int) -> _Found:
        if isinstance(element, list):
            yield from self._any(element, cursor, at)
        elif isinstance(element, re.Match):
            yield from (self._list if element["list"] else self._part)(element, cursor, at)
        elif at < len(cursor.tokens) and cursor.tokens[at].upper == element.upper():
            yield at + 1, () if element.islower() else (("", element),)
        else:
            cursor.missed(at)

    def _part(self, element: re.Match[str], cursor: Cursor, at: int) -> _Found:
        reader = self._readers[element["reader"]]
        if isinstance(reader, str):
            yield from self._any(self._choices(reader), cursor, at)
            return
        cursor.position = at
        try:
            text = reader(cursor)
        except RefusedError as refused:
            cursor.missed(cursor.position, refused if cursor.position > at else None)
            if refused.code != _SYNTAX_ERROR:
                raise
        else:
            yield cursor.position, ((element["label"] or element["reader"], text),)

    def _list(self, element: re.Match[str], cursor: Cursor, at: int) -> _Found:
        found: _Parts = ()
        while one := next(self._part(element, cursor, at), None):
            at = one[0]
            found += one[1]
            if at == len(cursor.tokens) or cursor.tokens[at].upper != ",":
                yield at, found
                return
            at += 1
            found = (*found, ("", ","))


def _parsed(elements: list[re.Match[str]]) -> list[list[Any]]:
    choices: list[list[Any]] = [[]]
    while elements and (text := (element := elements.pop(0)).group()) not in ("]", "}"):
        if text == "|":
            choices.append([])
        elif text == "{":
            choices[-1].append(_parsed(elements))
        elif text == "[":
            # What is optional may also be nothing.
            choices[-1].append([*_parsed(elements), []])
        else:
            choices[-1].append(element if element["reader"] else text)
    return choices
