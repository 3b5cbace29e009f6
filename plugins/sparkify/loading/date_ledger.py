"""Records what was read of each staged log date, and the fields that no column takes."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sparkify.loading.history import insert_rows
from sparkify.loading.json_objects import json_objects
from sparkify.loading.staging import ROWS_AN_INSERT, fitting

if TYPE_CHECKING:
    from sparkify.loading.source import Source, SourceFile
    from sparkify.loading.warehouse import Warehouse

# Enough to meet a field that a new release writes into every event, and no more to read for a large file.
BYTES_LOOKED_AT = 1_000_000
MOST_FIELDS_A_FILE = 100
LONGEST_FIELD, LONGEST_EXAMPLE = 256, 256


class DateLedger:
    """Rows of ``staged_dates`` and ``staging_unknown_fields``, gathered while dates are copied.

    :param table: the staging table.
    :param known: the fields of a line that COPY maps to columns. It passes over all others without a word
        (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json).
    """

    def __init__(self, table: str, known: Collection[str]) -> None:
        self.table = table
        self.known = known
        self._dates: list[list[object]] = []
        self._fields: list[list[object]] = []

    def note(self, log_date: str, source: Source, files: Sequence[SourceFile], lines_read: int) -> None:
        """A date's files were copied: of so many lines, those included that were left out."""
        largest = max((file.size for file in files), default=0)
        self._dates.append([self.table, log_date, len(files), lines_read, largest])
        for file in files:
            beginning = source.beginning(file, BYTES_LOOKED_AT) if file.size else b""
            for field, example in unknown_fields(beginning, self.known).items():
                self._fields.append([self.table, log_date, file.url, field, example])

    def replace(self, warehouse: Warehouse, partition: str) -> None:
        """Write it in place of what was there for the same dates; to be called in the load's transaction."""
        for ledger in ("staged_dates", "staging_unknown_fields"):
            warehouse.execute(f"delete from {ledger} where table_name = '{self.table}' and {partition}")
        columns = ["table_name", "log_date", "files", "lines_read", "largest_file"]
        _insert(warehouse, "staged_dates", columns, self._dates)
        columns = ["table_name", "log_date", "file_name", "field", "example"]
        _insert(warehouse, "staging_unknown_fields", columns, self._fields)


def unknown_fields(sample: bytes, known: Collection[str]) -> dict[str, str]:
    """The fields of the objects of this part of a file that are not known, each with the value met first, as JSON.

    What is no JSON object, such as one that was cut off, is passed over: COPY refuses it.
    """
    found: dict[str, str] = {}
    for one in json_objects([sample]):
        try:
            record = json.loads(one.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            for field in record.keys() - known:
                name = fitting(field, LONGEST_FIELD)
                if name not in found and len(found) < MOST_FIELDS_A_FILE:
                    found[name] = fitting(json.dumps(record[field]), LONGEST_EXAMPLE)
    return found


def _insert(warehouse: Warehouse, table: str, columns: list[str], rows: list[list[object]]) -> None:
    for first in range(0, len(rows), ROWS_AN_INSERT):
        insert_rows(warehouse, table, columns, rows[first : first + ROWS_AN_INSERT])
