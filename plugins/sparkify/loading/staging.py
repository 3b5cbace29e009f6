"""Copies exactly the given files into a temporary table, or explains why not."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sparkify.loading.encodings import OF_GZIP, look_of_file
from sparkify.loading.epoch_times import SPAN, count_outside, is_outside, lines_outside
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.history import insert_rows
from sparkify.loading.json_values import steps
from sparkify.loading.load_errors import (
    FIX_OR_ALLOW,
    SHOWN,
    copy_failure,
    last_copy_id,
    lines_left_out,
    listed,
    listed_places,
    why_copy_failed,
)
from sparkify.loading.refused_lines import LoadError
from sparkify.loading.shown import masked
from sparkify.loading.warehouse import quoted

if TYPE_CHECKING:
    from logging import Logger

    from sparkify.loading.declarations import StagingTable
    from sparkify.loading.history import Load, RunId
    from sparkify.loading.settings import Settings
    from sparkify.loading.source import Source, SourceFile
    from sparkify.loading.warehouse import Warehouse

LONGEST_VARCHAR, LONGEST_REASON = 65_535, 1024  # bytes
ROWS_AN_INSERT = 100
# So many small files take a small cluster minutes; a COPY of a whole catalogue might take longer than a statement may.
FILES_A_COPY = 5_000
# Where COPY does not say which file it could not read, so many are looked at.
MOST_LOOKED_AT = 100
BYTES_LOOKED_AT = 512
MOST_UNPACKED = 1 << 30  # bytes, some seconds


class ManifestCopy:
    """COPY by manifest into the session's temporary table ``incoming``.

    :param table: the table that ``incoming`` is like.
    :param jsonpaths: COPY's field mapping, as JSON text.
    :param max_bad_lines: lines that may be left out, a whole number or its text.
    :param source: the files, and where the manifests go.
    :param run_id: the try; its names make the manifests' path.
    """

    def __init__(
        self, table: StagingTable, jsonpaths: str, max_bad_lines: int | str, source: Source, run_id: RunId, log: Logger
    ) -> None:
        self.table = table.name
        self.partition = table.partition
        self.jsonpaths = jsonpaths
        self.max_bad_lines = _whole_number("max_bad_lines", max_bad_lines)
        self.source = source
        self.run_id = run_id
        self.log = log
        self.path = f"manifests/{path_of(run_id)}"
        self.columns: list[str] = []
        #: The names that lead to each column's value in an object of the file.
        self.paths: dict[str, tuple[str, ...]] = {}
        self.jsonpaths_url = ""
        self._refused: list[tuple[str | None, LoadError]] = []
        self.is_prepared = False

    def prepare(self, warehouse: Warehouse) -> None:
        """Create ``incoming`` again and upload the field mapping."""
        paths = json.loads(self.jsonpaths)["jsonpaths"]
        self.columns = [column for column in warehouse.columns(self.table) if column != self.partition]
        if len(paths) != len(self.columns):
            raise SettingsError(
                f"The jsonpaths name {len(paths)} fields, {self.table} has {len(self.columns)} columns to copy into. "
                "They must be the same, in the same order."
            )
        self.paths = {column: steps(path) for column, path in zip(self.columns, paths, strict=True)}
        self.jsonpaths_url = self.source.put(f"{self.path}/jsonpaths.json", self.jsonpaths)
        self._refused = []
        if self.is_prepared:
            warehouse.execute("drop table incoming")
        warehouse.execute(f"create temp table incoming (like {self.table})")
        self.is_prepared = True

    def run(
        self, warehouse: Warehouse, load: Load, files: Sequence[SourceFile], name: str, log_date: str | None = None
    ) -> int:
        """Copy these files, all of ``log_date`` if it is given; counts into ``load`` and returns the rows."""
        rows = 0
        for is_gzip in (False, True):
            chosen = [file for file in files if file.size and file.is_gzip == is_gzip]
            for first in range(0, len(chosen), FILES_A_COPY):
                part = f"-{first}" if first else ""
                manifest = f"{self.path}/{name}{part}{'.gz' if is_gzip else ''}.manifest"
                rows += self._copy(warehouse, load, manifest, chosen[first : first + FILES_A_COPY], log_date)
                if len(chosen) > FILES_A_COPY:
                    done = min(first + FILES_A_COPY, len(chosen))
                    self.log.info("Copied %s of %s files.", f"{done:,}", f"{len(chosen):,}")
        load.files += len(files)
        load.bytes += sum(file.size for file in files)
        load.rows_staged += rows
        if load.rows_refused > self.max_bad_lines:
            raise DataError(
                f"{load.rows_refused} line(s) were refused, more than max_bad_lines={self.max_bad_lines}; "
                "the tables are as they were. Fix the files and clear this task."
            )
        return rows

    def leave_out_times(
        self, warehouse: Warehouse, load: Load, files: Mapping[str, Sequence[SourceFile]], column: str
    ) -> dict[str, int]:
        """Treat the rows whose time no line can mean as lines that were refused; returns how many, by log date.

        One query, unless there are any: then the files are read again to find their lines.

        :param files: what was copied, by log date; each row of ``incoming`` says its own.
        :param column: epoch milliseconds.
        :raises DataError: if that makes more refused lines than are allowed, naming the first.
        """
        if column not in self.paths:
            raise SettingsError(f"epoch_ms={column!r} is no column of {self.table} that a file is copied into.")
        counts = count_outside(warehouse, "incoming", column, self.partition)
        if len(files) == 1 and counts:
            # The rows of a single date do not say which it is.
            counts = dict.fromkeys(files, sum(counts.values()))
        outside = sum(counts.values())
        allowed = load.rows_refused + outside <= self.max_bad_lines
        named: list[LoadError] = []
        for log_date, count in counts.items():
            most = count if allowed else min(count, SHOWN - len(named))
            found = list(itertools.islice(self._lines_outside(files[log_date], column), most))
            named += found
            if not allowed:
                continue
            if len(found) < count:
                raise Unavailable(
                    f"{count} row(s) of log date {log_date} have a {column} outside {SPAN}, and {len(found)} of their "
                    "lines were found in its files, which may have changed since. Nothing was loaded. Clear this task "
                    "to try again."
                )
            self._note_refused(load, found, log_date)
        if not allowed:
            refused = f"; COPY refused {load.rows_refused} more" if load.rows_refused else ""
            began = (
                f"{outside} line(s) have a {column} outside {SPAN}{refused}: more than max_bad_lines="
                f"{self.max_bad_lines}. The tables are as they were:"
            )
            raise DataError(
                f"{began}\n{listed(named, outside)}\n{FIX_OR_ALLOW}",
                told=f"{began}\n{listed_places(named, outside)}\n{FIX_OR_ALLOW}",
            )
        if counts:
            load.rows_staged -= warehouse.execute(f"delete from incoming where {is_outside(column)}")
        return counts

    def _lines_outside(self, files: Sequence[SourceFile], column: str) -> Iterator[LoadError]:
        refused = [line for _, line in self._refused]
        for file in files:
            yield from lines_outside(self.source, file, column, self.paths[column], refused)

    def ledger(self, warehouse: Warehouse, files: Mapping[str, Sequence[SourceFile]], name: str) -> None:
        """Put the keys and ETags of each folder's files into the temporary table ``incoming_files``."""
        rows = (
            {"table_name": self.table, "folder": folder, "file_name": file.key, "etag": file.etag}
            for folder, of_folder in files.items()
            for file in of_folder
        )
        url = self.source.put(f"{self.path}/{name}.json", "\n".join(json.dumps(row) for row in rows))
        warehouse.execute("drop table if exists incoming_files")
        warehouse.execute("create temp table incoming_files (like staged_files)")
        options = copy_options(self.source.settings)
        try:
            warehouse.execute(f"copy incoming_files from '{url}' {options} format as json 'auto'")
        except (DataError, SettingsError) as error:
            raise copy_failure(error, []) from error

    def _copy(
        self, warehouse: Warehouse, load: Load, path: str, files: Sequence[SourceFile], log_date: str | None
    ) -> int:
        manifest = self.source.put_manifest(path, files)
        compression = " gzip" if files[0].is_gzip else ""
        options = copy_options(self.source.settings)
        before = last_copy_id(warehouse)
        warehouse.notices()
        try:
            # Without roundec a number that no double holds may lose a digit
            # (https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html).
            warehouse.execute(
                f"copy incoming ({', '.join(map(quoted, self.columns))}) from '{manifest}' {options} manifest"
                f" format as json '{self.jsonpaths_url}'{compression} roundec maxerror {self.max_bad_lines + 1}"
            )
        except (DataError, SettingsError) as error:
            errors = why_copy_failed(warehouse, self.source, self.paths, error, since=before)
            failure = copy_failure(error, errors)
            if not errors and isinstance(failure, DataError):
                look = self._look_of(files)
                failure = DataError(f"{failure} {look}".rstrip(), told=f"{failure.told} {masked(look)}".rstrip())
            raise failure from error
        if self.max_bad_lines:
            self._note_refused(load, lines_left_out(warehouse, self.source, self.paths), log_date)
        return int(warehouse.rows("select pg_last_copy_count()")[0][0])

    def _look_of(self, files: Sequence[SourceFile]) -> str:
        """What is wrong with the first of these files whose bytes are not what its name says, in words."""
        try:
            for file in files[:MOST_LOOKED_AT]:
                beginning = self.source.beginning(file, BYTES_LOOKED_AT, stored=True)
                if file.is_gzip and not beginning.startswith(OF_GZIP):
                    return f"{file.url} is no gzip, as its name says: name it .json, or pack it by gzip."
                if not file.is_gzip and (words := look_of_file(beginning)):
                    return f"{file.url}: {words}"
            packed = [file for file in files[:MOST_LOOKED_AT] if file.is_gzip]
            if broken := self.source.not_whole(packed, MOST_UNPACKED):
                return f"{broken[0].url} is no whole gzip file ({broken[1]}): deliver it again."
        except (DataError, SettingsError, Unavailable) as error:
            self.log.warning("Why COPY failed could not be looked for in the files: %s", error)
        return ""

    def _note_refused(self, load: Load, refused: list[LoadError], log_date: str | None) -> None:
        for line in refused[: max(0, SHOWN - load.rows_refused)]:
            self.log.warning("Left out: %s", line)
        load.rows_refused += len(refused)
        self._refused += [(log_date, line) for line in refused]

    def keep_rejects(self, warehouse: Warehouse) -> None:
        """Write the lines that were left out into ``staging_rejects``; to be called in the load's transaction."""
        columns = ["table_name", "log_date", "file_name", "line_number", "column_name", "value", "reason", "line"]
        for first in range(0, len(self._refused), ROWS_AN_INSERT):
            rows = [self._reject(*refused) for refused in self._refused[first : first + ROWS_AN_INSERT]]
            insert_rows(warehouse, "staging_rejects", columns, rows)

    def _reject(self, log_date: str | None, line: LoadError) -> list[object]:
        return [
            self.table,
            log_date,
            line.file,
            line.line,
            line.column,
            None if line.value is None else fitting(line.value, LONGEST_VARCHAR),
            fitting(line.reason, LONGEST_REASON),
            None if line.text is None else fitting(line.text, LONGEST_VARCHAR),
        ]


def path_of(run_id: RunId) -> str:
    """A key prefix that no other try of any task has."""
    run = (run_id.dag_id, run_id.run_id, run_id.task_id, f"try-{run_id.try_number}")
    return "/".join(_readable(part) for part in run)


def _readable(name: str) -> str:
    """The name with _ for what a key had better not hold; then no two names may become the same."""
    readable = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    return readable if readable == name else f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def copy_options(settings: Settings) -> str:
    """What every COPY says of its role and its region, and that statistics are not its business."""
    region = f" region '{settings.region}'" if settings.region else ""
    role = settings.copy_role if settings.copy_role == "default" else repr(settings.copy_role)
    return f"iam_role {role}{region} compupdate off statupdate off"


def fitting(text: str, most_bytes: int) -> str:
    """As much of the text as a VARCHAR of this many bytes holds. Half a surrogate pair, which JSON can hold, is a ?."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore").replace("\0", "")


def _whole_number(name: str, value: int | str) -> int:
    # MAXERROR is one more, and 100,000 at most.
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-maxerror
    if re.fullmatch(r"\d{1,5}", str(value), re.ASCII):
        return int(value)
    raise SettingsError(f"{name}={value!r} is not a whole number from 0 to 99999, the most that COPY can leave out.")
