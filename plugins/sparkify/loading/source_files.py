"""Declares where source files lie, and which objects of a bucket are source files."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath

_FIELD = re.compile(r"\{log_date(?::([^{}]*))?\}")
_ISO = "%Y-%m-%d"
_TOKEN = re.compile(r"(%Y|%m|%d|\*)")
_DIGITS = {"%Y": "[0-9]{4}", "%m": "[0-9]{2}", "%d": "[0-9]{2}"}
_STAR, _ANY_NAME = "*", "[^/]*"
_GZIP = ".gz"
# As Redshift Spectrum passes over them. macOS and Jupyter begin names with a period, Spark with an underscore.
# https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html
_HIDDEN = (".", "_", "#")


def is_hidden(key: str) -> bool:
    """Whether the file, or a folder that it is in, has a name that programs give to files of their own."""
    return any(name.startswith(_HIDDEN) for name in key.split("/"))


@dataclass(frozen=True)
class DatedFiles:
    """Files that belong to a log date, which their key names. Each may also be gzipped; its name then ends in ``.gz``.

    In a pattern ``{log_date}`` stands for the date as ``2018-11-01``, ``{log_date:%Y/%m}`` for parts of it (``%Y``,
    ``%m`` and ``%d``), and ``*`` for any characters but a slash.

    :param pattern: the key of a date's file, as ``raw/dt={log_date}/*.json``.
    :param parts: the key of each part, if a date may also come as several files.
    :raises ValueError: if a pattern names no whole date, or has something else in braces.
    """

    pattern: str
    parts: str | None = None

    #: The column of the staging table that says which date a row is from.
    partition = "log_date"

    def __post_init__(self) -> None:
        for pattern in self._patterns:
            expanded = _expanded(pattern)
            if missing := [directive for directive in _DIGITS if directive not in expanded]:
                raise ValueError(
                    f"The pattern {pattern!r} names no whole date: it lacks {', '.join(missing)}. Write {{log_date}} "
                    "for 2018-11-01, or {log_date:%Y/%m/%d} for its parts."
                )
            if set("{}%") & set(_TOKEN.sub("", expanded)):
                raise ValueError(
                    f"The pattern {pattern!r} has something in braces that is no log date, or a % of another meaning. "
                    "Known are {log_date} and {log_date:…} of %Y, %m and %d."
                )

    @property
    def _patterns(self) -> tuple[str, ...]:
        return (self.pattern, self.parts) if self.parts else (self.pattern,)

    @cached_property
    def _key(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{_regex(number, pattern)})" for number, pattern in enumerate(self._patterns)))

    def log_date_of(self, key: str) -> date | None:
        """The log date of a file; None if the key is that of none."""
        match = self._key.fullmatch(key)
        if match is None or is_hidden(key.removeprefix(self.top)):
            return None
        year, month, day = (
            next(found for name, found in match.groupdict().items() if name[0] == directive[1] and found)
            for directive in _DIGITS
        )
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            return None

    def is_file(self, key: str) -> bool:
        """Whether the key is that of a file of some date."""
        return self.log_date_of(key) is not None

    def is_part(self, key: str, log_date: date) -> bool:
        """Whether a date's file is one of several that may come; else it is the whole date."""
        return key.removesuffix(_GZIP) != _dated(self.pattern, log_date).removesuffix(_GZIP)

    @property
    def top(self) -> str:
        """The folder of all dates' files, with a slash at its end; empty if that is the bucket."""
        return _folder(_common([re.split(r"[{*]", pattern)[0] for pattern in self._patterns]))

    def prefix(self, log_date: date) -> str:
        """What the keys of a date's files begin with."""
        return _common([_dated(pattern, log_date).partition("*")[0] for pattern in self._patterns])

    def folder(self, log_date: date) -> str:
        """The folder of a date's files, with a slash at its end."""
        return _folder(self.prefix(log_date))

    def expected(self, bucket: str, log_date: date) -> str:
        """The files of a date, in words."""
        first = _dated(self.pattern, log_date)
        parts = f", or parts {self.parts.rpartition('}')[2]}" if self.parts else ""
        return f"s3://{bucket}/{first} (or {PurePosixPath(first).suffix}{_GZIP}{parts})"


@dataclass(frozen=True)
class Catalogue:
    """Files that belong to no date: all ``.json`` and ``.json.gz`` below a prefix, but hidden ones.

    They are kept by folder: where one changes or vanishes, its folder is copied again.

    :param prefix: where they lie, with a slash at its end.
    :param depth: how many levels of folders below the prefix are told apart; what lies deeper belongs to the folder of
        that level. A folder with something new takes a COPY: have hundreds of folders, not tens of thousands.
    """

    prefix: str
    depth: int = 2

    #: The column of the staging table that says which folder a row is from.
    partition = "folder"

    @property
    def top(self) -> str:
        """The folder of all files, with a slash at its end; empty if that is the bucket."""
        return _folder(self.prefix)

    def is_file(self, key: str) -> bool:
        """Whether the key is that of a file of the catalogue."""
        name = key.removesuffix(_GZIP)
        return key.startswith(self.prefix) and name.endswith(".json") and not is_hidden(key.removeprefix(self.prefix))

    def folder_of(self, key: str) -> str:
        """The folder that a file belongs to, with a slash at its end."""
        levels = key.removeprefix(self.prefix).split("/")[:-1][: self.depth]
        return self.prefix + "".join(f"{level}/" for level in levels)

    def is_branch(self, folder: str) -> bool:
        """Whether the folder holds others that are told apart from it."""
        return folder.removeprefix(self.prefix).count("/") < self.depth


def _expanded(pattern: str) -> str:
    return _FIELD.sub(lambda found: found[1] or _ISO, pattern)


def _dated(pattern: str, log_date: date) -> str:
    values = {"%Y": f"{log_date.year:04}", "%m": f"{log_date.month:02}", "%d": f"{log_date.day:02}"}
    return "".join(values.get(token, token) for token in _TOKEN.split(_expanded(pattern)))


def _regex(number: int, pattern: str) -> str:
    """The pattern as a regular expression; each part of a date is the same wherever it stands."""
    found: set[str] = set()
    pieces = []
    for token in _TOKEN.split(_expanded(pattern)):
        if token in _DIGITS:
            name = f"{token[1]}{number}"
            pieces.append(f"(?P={name})" if name in found else f"(?P<{name}>{_DIGITS[token]})")
            found.add(name)
        else:
            pieces.append(_ANY_NAME if token == _STAR else re.escape(token))
    return f"{''.join(pieces)}(?:{re.escape(_GZIP)})?"


def _folder(prefix: str) -> str:
    return prefix[: prefix.rfind("/") + 1]


def _common(texts: list[str]) -> str:
    """What all texts begin with."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in same)
