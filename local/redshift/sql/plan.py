"""What the stand-in decided to do with a statement."""

from __future__ import annotations

from dataclasses import dataclass


class RefusedError(Exception):
    """The statement is not run; ``code`` is its SQLSTATE (0A000: Redshift may know it, the stand-in does not)."""

    def __init__(self, message: str, code: str = "0A000") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True)
class Send:
    """PostgreSQL runs this one statement and answers the client itself."""

    sql: str


@dataclass(frozen=True)
class Script:
    """PostgreSQL runs these statements unseen; the client is told ``tag``."""

    sql: str
    tag: str
    commits: bool = False


@dataclass(frozen=True)
class Refuse:
    """The client gets this error, and its transaction is aborted."""

    message: str
    code: str


@dataclass(frozen=True)
class Load:
    """COPY a table from S3."""

    text: str
    table: tuple[str, ...]
    columns: tuple[str, ...]
    uri: str
    json_paths: str = "auto"
    manifest: bool = False
    gzip: bool = False
    max_errors: int = 0
    time_format: str = ""
    flags: frozenset[str] = frozenset()


Plan = Send | Script | Refuse | Load
