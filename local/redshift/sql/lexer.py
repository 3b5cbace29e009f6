"""Redshift SQL text as tokens: the only place that decides where a literal, a comment or a statement ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.redshift.sql.functions import ALLOWED
from local.redshift.sql.plan import RefusedError

_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|--[^\n]*)+)
    |(?P<string>'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w$]))
    |(?P<parameter>\$\d+(?![\w$]))
    |(?P<word>\#?[^\W\d][\w$]*)
    |(?P<operator>::|<=|>=|<>|!=|\|\||!~|[-+*/%<>=~(),.;:\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
# PostgreSQL would silently cut a longer name; Redshift keeps 127 bytes.
MAX_IDENTIFIER_BYTES = 63
RESERVED = frozenset(ALLOWED["reserved_words"].split())


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``text`` is the value for strings and names, the written text for everything else."""

    kind: str
    text: str
    start: int
    end: int
    #: A quoted name in the case it is written in.
    written: str = ""

    @property
    def upper(self) -> str:
        """The keyword this token can be, or an empty string for literals and quoted names."""
        return self.text.upper() if self.kind in ("word", "operator") else ""

    def sql(self) -> str:
        """The token written the way both sqlglot's Redshift dialect and this lexer read it."""
        if self.kind == "string":
            return "'" + self.text.replace("\\", "\\\\").replace("'", "''") + "'"
        if self.kind == "quoted" or self.text.startswith("#"):
            return quote_name(self.text)
        return self.text


def tokenize(text: str) -> list[Token]:
    """Return the tokens of *text* without blanks and comments; raise RefusedError at what is not known."""
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    position = 0
    adjoining = -1
    while position < len(text):
        if text.startswith("/*", position):
            position = _comment_end(text, position)
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            words = f'What begins at "{text[position : position + 20]}" is refused: the stand-in cannot read it.'
            raise RefusedError(words, "42601")
        kind = match.lastgroup or ""
        raw = match.group()
        start, position = match.span()
        if kind == "space":
            continue
        if kind == "string" and start == adjoining:
            raise RefusedError(f"Prefixed and adjoining literals are refused at {raw[:20]}: write one plain literal.")
        adjoining = position if kind in ("word", "string", "quoted") else -1
        written = raw[1:-1].replace('""', '"') if kind == "quoted" else ""
        yield Token(kind, _value(kind, raw), start, position, written)


def _value(kind: str, raw: str) -> str:
    if kind == "string":
        # Redshift reads a backslash in a literal as an escape; other escapes than these are not certain.
        for escaped in _ESCAPE.findall(raw[1:-1]):
            if escaped and escaped not in "\\'":
                raise RefusedError(rf"The escape \{escaped} in a literal is refused: only \\ and \' are certain.")
        return _ESCAPE.sub(lambda found: found.group(1) or "'", raw[1:-1])
    if kind == "quoted":
        raw = raw[1:-1].replace('""', '"').lower()
    if kind in ("quoted", "word") and len(raw.encode()) > MAX_IDENTIFIER_BYTES:
        words = f"longer than {MAX_IDENTIFIER_BYTES} bytes, which PostgreSQL would cut. Use a shorter name."
        raise RefusedError(f'The name "{raw}" is refused: it is {words}')
    return raw


def _comment_end(text: str, position: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise RefusedError("unterminated /* comment", "42601")


def split(tokens: list[Token]) -> list[list[Token]]:
    """Cut a list of tokens at its semicolons; empty statements vanish."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.upper == ";":
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def text_of(tokens: list[Token]) -> str:
    """The tokens as text again, comments gone and literals in one canonical form."""
    return " ".join(token.sql() for token in tokens)


def quote_name(name: str) -> str:
    """A name as a quoted, lower-case identifier."""
    return '"' + name.lower().replace('"', '""') + '"'


def quote_user(name: str) -> str:
    """The name of a user as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """A text as a PostgreSQL string literal."""
    return "'" + value.replace("'", "''") + "'"


class Cursor:
    """Reads a statement's tokens from left to right."""

    def __init__(self, tokens: list[Token], text: str = "") -> None:
        self.tokens = tokens
        self.text = text
        self.position = 0
        # How far the patterns got that did not match in the end, and why they did not.
        self.furthest = 0
        self.reason: RefusedError | None = None

    def peek(self, offset: int = 0) -> Token | None:
        index = self.position + offset
        return self.tokens[index] if index < len(self.tokens) else None

    def at(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or operators, in this order."""
        upcoming = self.tokens[self.position : self.position + len(words)]
        return len(upcoming) == len(words) and all(t.upper == w for t, w in zip(upcoming, words, strict=True))

    def accept(self, *words: str) -> bool:
        if self.at(*words):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.error()

    def error(self) -> RefusedError:
        token = self.peek()
        return RefusedError(f'syntax error at or near "{token.text}"' if token else "syntax error at the end", "42601")

    def missed(self, position: int, reason: RefusedError | None = None) -> None:
        """Remember what a pattern failed at, if none got further."""
        if position > self.furthest or (position == self.furthest and reason):
            self.furthest = position
            self.reason = reason

    def refusal(self) -> RefusedError:
        """Why no pattern matched."""
        read = self.tokens[: self.furthest + 1]
        text = " ".join([*(token.upper or token.text for token in read[:2]), *(token.text for token in read[2:])])
        words = f"{text[-80:]} is refused: the stand-in knows no statement that goes on like this."
        return self.reason or RefusedError(words)

    def next(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.error()
        self.position += 1
        return token

    def take(self, kind: str) -> str:
        token = self.peek()
        if token is None or token.kind != kind:
            raise self.error()
        return self.next().text

    def name(self) -> str:
        """One identifier, lower-cased."""
        token = self.peek()
        if token is None or token.kind not in ("word", "quoted") or token.upper in RESERVED:
            raise self.error()
        return self.next().text.lower()

    def user(self) -> str:
        """The name of a user, in lower case unless it is quoted."""
        token = self.peek()
        name = self.name()
        return (token and token.written) or name

    def qualified_name(self) -> tuple[str, ...]:
        """A name with or without its schema."""
        parts = [self.name()]
        if self.accept("."):
            parts.append(self.name())
        return tuple(parts)

    def names(self) -> list[str]:
        """A parenthesised list of identifiers."""
        self.expect("(")
        found = [self.name()]
        while self.accept(","):
            found.append(self.name())
        self.expect(")")
        return found

    def whole(self) -> int:
        """A whole number."""
        digits = self.take("number")
        if not digits.isdecimal() or len(digits) > 9:
            raise RefusedError(f'syntax error at or near "{digits}"', "42601")
        return int(digits)

    def until(self, ends: frozenset[str]) -> list[Token]:
        """The tokens up to one of these that is not inside of a parenthesis or a CASE; at least one."""
        first = self.position
        depth = 0
        while self.position == first or ((token := self.peek()) and (depth > 0 or token.upper not in ends)):
            depth += {"(": 1, "CASE": 1, ")": -1, "END": -1}.get(self.next().upper, 0)
        return self.tokens[first : self.position]

    def rest(self) -> list[Token]:
        remaining = self.tokens[self.position :]
        self.position = len(self.tokens)
        return remaining

    def end(self) -> None:
        if self.peek() is not None:
            raise self.error()


def relation(parts: tuple[str, ...]) -> str:
    """A qualified name as PostgreSQL text."""
    return ".".join(quote_name(part) for part in parts)
