"""Declarations of tables: what identifies a row, what a queue holds, which tables follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.loading.source_files import Catalogue, DatedFiles

MUTEX_DDL = "create table if not exists mutex_{name} (held boolean)"


def columns_of(table: str, *same: str, **renamed: str) -> dict[str, tuple[str, ...]]:
    """Columns that come from a table: those of the same name there, and those from others, separated by blanks."""
    named = {column: column for column in same} | renamed
    return {column: tuple(f"{table}.{origin}" for origin in origins.split()) for column, origins in named.items()}


@dataclass(frozen=True)
class Follower:
    """A table whose rows are worked out from another's.

    :param table: the table that follows.
    :param select: SELECT file of the keys to queue when rows of the source change. It sees the temporary tables
        ``removed`` and ``added``, the rows that the source loses and gains, and the source as it was before. Default:
        the queue's columns of all these rows.
    :param values: SELECT file of one column ``x`` of text, in its order: the values that matter to ``select``, which
        may say ``bounds.x``. It sees what ``select`` sees.
    """

    table: DerivedTable
    select: str | None = None
    values: str | None = None


@dataclass(frozen=True)
class StagingTable:
    """A table that holds what the source files hold.

    :param name: the table's name.
    :param source: where the files lie, and how they are told apart.
    :param followers: the tables that are worked out from this one.
    """

    name: str
    source: DatedFiles | Catalogue
    followers: tuple[Follower, ...] = ()

    @property
    def partition(self) -> str:
        """The column that says which part of the source a row is from: a log date or a folder. COPY leaves it null."""
        return self.source.partition

    def ddl(self) -> list[str]:
        """The statements that create what a load of the table needs besides the table."""
        return [MUTEX_DDL.format(name=self.name)]


@dataclass(frozen=True)
class DerivedTable:
    """A table whose rows a SELECT works out, by key.

    :param name: the table's name.
    :param key: the column that identifies a row.
    :param queue: the columns of its queue besides ``log_date``, with their types: what a SELECT needs to work a key
        out. Rows that change in a source are queued by the source's columns of these names.
    :param bounds: columns of ``keys`` between whose least and greatest value the SELECT looks.
    :param buckets: for columns of ``bounds`` an expression that says which values are near each other, such as of one
        day: values that lie far apart are named one by one, and what lies between is not read.
    :param sorted_by: the table's sort key, one of ``bounds``: bounds what is read of the table.
    :param partition: the column of the log date that a row is from, if the table has one.
    :param newest: a column: a row whose value there is lower than in the table is left as it is, unless the key was
        queued, so that the SELECT saw all of its history.
    :param followers: the tables that are worked out from this one.
    :param about: what a row is, in a sentence: its task says it.
    :param columns: from which columns each column's value comes, as ``table.column``: what lineage tells.
    :param personal: columns that may name a person: not every reader sees them.
    """

    name: str
    key: str
    queue: Mapping[str, str] = field(hash=False)
    bounds: tuple[str, ...] = ()
    buckets: Mapping[str, str] = field(default_factory=dict, hash=False)
    sorted_by: str | None = None
    partition: str | None = None
    newest: str | None = None
    followers: tuple[Follower, ...] = ()
    about: str = ""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    personal: tuple[str, ...] = ()

    def origins(self) -> dict[str, list[tuple[str, str]]]:
        """From which tables' columns each column comes."""
        return {
            column: [(table, name) for table, _, name in (origin.partition(".") for origin in origins)]
            for column, origins in self.columns.items()
        }

    @property
    def queue_name(self) -> str:
        return f"{self.name}_queue"

    def ddl(self) -> list[str]:
        """The statements that create what a load of the table needs besides the table."""
        columns = ", ".join(f"{column} {kind}" for column, kind in {"log_date": "date", **self.queue}.items())
        return [
            MUTEX_DDL.format(name=self.name),
            f"create table if not exists {self.queue_name} ({columns})",
        ]
