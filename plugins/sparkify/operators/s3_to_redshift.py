"""Loads a staging table from S3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading import lineage, queue
from sparkify.loading.arrival import MISSING_FILE, SKIP, no_file, pause_before, waits
from sparkify.loading.bounds import filled, read_values
from sparkify.loading.catalogue import REPLACED, CatalogueLedger, FolderChange
from sparkify.loading.date_ledger import DateLedger
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.history import Load, RunId
from sparkify.loading.load_errors import SHOWN
from sparkify.loading.log_dates import LogDates
from sparkify.loading.settings import Settings
from sparkify.loading.shown import shown
from sparkify.loading.source import Source, SourceFile
from sparkify.loading.source_files import Catalogue, DatedFiles
from sparkify.loading.staging import ManifestCopy
from sparkify.loading.wait_until import WaitUntil
from sparkify.loading.warehouse import quoted
from sparkify.loading.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.loading.declarations import StagingTable
    from sparkify.loading.lineage import Place
    from sparkify.loading.warehouse import Warehouse

# How often to plan again when other runs keep copying the same new files first.
MOST_PLANS = 5


class S3ToRedshiftOperator(WarehouseOperator):
    """
    Copies JSON files from S3 into a staging table, replacing what the same files gave before.

    The Amazon provider's operator of this name copies a key prefix into a whole table. This one copies exactly the
    objects that are there, by manifest, into a temporary table first, and then replaces one partition in a transaction
    that readers never wait for. It counts, records and explains. COPY is authorised by role; no key stands in SQL.

    :param table: the declaration of the staging table: its files and the tables that follow it. Of
        :class:`~sparkify.loading.source_files.DatedFiles` the run's log dates are replaced. Of a
        :class:`~sparkify.loading.source_files.Catalogue` new files are added; where one changed or vanished, its
        folder is replaced. (not templated)
    :param jsonpaths: file of COPY's field mapping, in the order of the table's columns. (templated)
    :param max_bad_lines: how many unreadable lines may be left out, and kept in ``staging_rejects``, before the load
        fails; default 0. (templated)
    :param epoch_ms: column of epoch milliseconds. A line whose time lies outside 2000-01-01 to 2100-01-01 UTC, as one
        in another unit does, counts as unreadable; null does not. Of dated files only; default none. (not templated)
    :param missing_file: what a log date without a file does: ``fail`` (default), ``skip``, which leaves the date as
        it was loaded before, or ``wait``, which looks again until the connection's ``sparkify.arrive_by_hours`` are
        over, and then fails; in between the task is deferred and holds no worker. A scheduled run that is to fail
        waits first. (templated)
    :param redshift_conn_id: connection of the warehouse; default ``redshift_default``.
    :param aws_conn_id: connection of S3, with the settings in its extra; default ``aws_default``.
    :return: the counts of the load, as XCom.
    """

    template_fields: Sequence[str] = ("jsonpaths", "queue_sql", "values_sql", "max_bad_lines", "missing_file")
    template_ext: Sequence[str] = (".sql", ".json")
    template_fields_renderers: ClassVar[dict[str, str]] = {"jsonpaths": "json", "queue_sql": "sql", "values_sql": "sql"}
    ui_color = "#8fd3e8"

    def __init__(
        self,
        *,
        table: StagingTable,
        jsonpaths: str,
        max_bad_lines: int | str = 0,
        epoch_ms: str | None = None,
        missing_file: str = "fail",
        **kwargs: Any,
    ) -> None:
        if epoch_ms and not isinstance(table.source, DatedFiles):
            raise ValueError(f"epoch_ms={epoch_ms!r} is of dated files, and {table.name} has others. Leave it out.")
        super().__init__(**kwargs)
        self.table = table
        self.uses_log_dates = isinstance(table.source, DatedFiles)
        self.jsonpaths = jsonpaths
        self.queue_sql = queue.selects(table.followers)
        self.values_sql = queue.values(table.followers)
        self.max_bad_lines = max_bad_lines
        self.epoch_ms = epoch_ms
        self.missing_file = missing_file
        self.copied: list[SourceFile] = []

    @property
    def source_folder(self) -> str:
        """The folder of the source bucket that holds the run's files."""
        files = self.table.source
        if isinstance(files, Catalogue):
            return files.prefix
        if self.rendered_dates is None:
            return files.top
        first, last = files.folder(self.rendered_dates.first), files.folder(self.rendered_dates.last)
        return first if first == last else files.top

    def execute(self, context: Context) -> dict[str, int]:
        """Wait for the files if the run is to; copy, replace, record."""
        return self._load(context)

    def resume(self, context: Context, event: object = None) -> dict[str, int]:
        """Look again, as a trigger has it."""
        return self._load(context)

    def _load(self, context: Context) -> dict[str, int]:
        if self.missing_file not in MISSING_FILE:
            raise SettingsError(f"missing_file={self.missing_file!r} is unknown. Use one of {', '.join(MISSING_FILE)}.")
        settings = Settings.of_connection(self.aws_conn_id)
        source = Source(self.aws_conn_id, settings)
        copy = ManifestCopy(self.table, self.jsonpaths, self.max_bad_lines, source, RunId.of(context), self.log)
        if isinstance(self.table.source, DatedFiles):
            self._wait_for_files(context, source, self.table.source)
        with self.session(context, settings) as warehouse:
            files = self.table.source
            if isinstance(files, Catalogue):
                load = self._stage_catalogue(warehouse, copy, files)
            else:
                load = self._stage_dates(warehouse, copy, files, LogDates.of_run(context))
        return self.report(context, load)

    def lineage(self, place: Place) -> Any:
        """The table, from the files that were copied."""
        return lineage.of_copy(place, self.source_folder, self.copied, self.loaded) if self.loaded else None

    def _stage_dates(self, warehouse: Warehouse, copy: ManifestCopy, dated: DatedFiles, dates: LogDates) -> Load:
        load = Load(self.table.name, dates)
        files = self._dated_files(copy.source, dated, dates)
        if not files:
            return load
        self.copied = [file for of_date in files.values() for file in of_date]
        copy.prepare(warehouse)
        ledger = DateLedger(self.table.name, {path[0] for path in copy.paths.values() if path})
        for number, (log_date, of_date) in enumerate(files.items(), start=1):
            refused_before = load.rows_refused
            rows = copy.run(warehouse, load, of_date, log_date, log_date)
            refused = load.rows_refused - refused_before
            ledger.note(log_date, copy.source, of_date, rows + refused)
            load.by_date[log_date] = {"files": len(of_date), "lines": rows + refused, "refused": refused}
            # Of a single date the INSERT says which it is: an UPDATE would write every row once more.
            if len(files) > 1:
                column = self.table.partition
                warehouse.execute(f"update incoming set {column} = '{log_date}' where {column} is null")
            self.log.info("%s (%d of %d): %d file(s), %d rows.", log_date, number, len(files), len(of_date), rows)
        if self.epoch_ms:
            for log_date, count in copy.leave_out_times(warehouse, load, files, self.epoch_ms).items():
                load.by_date[log_date]["refused"] += count
        partition = f"{self.table.partition} in ({', '.join(repr(log_date) for log_date in files)})"
        with self._writing(warehouse):
            self._still(copy.source, dated, dates, files)
            self._replace_dates(warehouse, load, list(files), partition)
            warehouse.execute(f"delete from staging_rejects where table_name = '{self.table.name}' and {partition}")
            copy.keep_rejects(warehouse)
            ledger.replace(warehouse, partition)
            load.record(warehouse, copy.run_id)
        return load

    def _still(self, source: Source, dated: DatedFiles, dates: LogDates, files: Mapping[str, list[SourceFile]]) -> None:
        """The files are those that were copied, which another run may have replaced by newer ones since."""
        now = source.dated_files(dated, dates)
        changed = [log_date for log_date, of_date in files.items() if now[date.fromisoformat(log_date)] != of_date]
        if changed:
            raise Unavailable(
                f"The files of log date {', '.join(changed[:SHOWN])} changed while they were copied, and nothing was "
                "loaded. Another try copies them as they are now."
            )

    def _dated_files(self, source: Source, dated: DatedFiles, dates: LogDates) -> dict[str, list[SourceFile]]:
        files = source.dated_files(dated, dates)
        missing = [log_date for log_date, of_date in files.items() if not of_date]
        if missing:
            sentence = no_file(source, dated, missing, self._others())
            if self.missing_file != SKIP:
                raise DataError(
                    f"{sentence} Deliver the file and clear this task; give another log_date; "
                    "or set the param missing_file to skip."
                )
            self.log.warning("%s Skipped, as missing_file says; what was loaded before stays.", sentence)
        return {str(log_date): of_date for log_date, of_date in files.items() if of_date}

    def _wait_for_files(self, context: Context, source: Source, dated: DatedFiles) -> None:
        """Defer the task until the files of all dates are there; past the deadline, fail."""
        if waits(self.missing_file, context):
            pause = pause_before(source, dated, LogDates.of_run(context), context, self._others())
            if pause is not None:
                self.log.info("%s", pause)
                self.defer(trigger=WaitUntil(pause.until.isoformat()), method_name=self.resume.__name__)

    def _others(self) -> list[DatedFiles | Catalogue]:
        """The files that other tasks of the DAG load."""
        tasks = self.dag.tasks if self.has_dag() else []
        return [task.table.source for task in tasks if isinstance(task, S3ToRedshiftOperator) and task is not self]

    def _stage_catalogue(self, warehouse: Warehouse, copy: ManifestCopy, catalogue: Catalogue) -> Load:
        ledger = CatalogueLedger(self.table, catalogue)
        for attempt in range(MOST_PLANS):
            load = Load(self.table.name, None)
            known = ledger.fingerprints(warehouse)
            # Listed after the ledger was read: a file that another run has copied since would seem to have vanished.
            found = copy.source.folders(catalogue)
            if not found:
                self._no_catalogue(copy.source.settings.bucket, catalogue, had_one=bool(known))
                return load
            differing = [
                folder
                for folder in sorted({*known, *found})
                if folder not in found or known.get(folder) != found[folder].fingerprint
            ]
            files = sum(folder.files for folder in found.values())
            self.log.info("Catalogue: %s file(s) in %s folder(s), %d differ.", f"{files:,}", len(found), len(differing))
            if not differing:
                return load
            changes = ledger.changes(warehouse, copy.source, differing, known, found)
            self.copied = [file for change in changes for file in change.copy]
            self._copy_folders(warehouse, copy, load, changes, attempt)
            ledger.prepare(warehouse, changes)
            with self._writing(warehouse):
                if ledger.fingerprints(warehouse) != known:
                    self.log.info("Another run has copied files meanwhile; looking again.")
                    continue
                replaced = f"where {self.table.partition} in (select {self.table.partition} from {REPLACED})"
                replaces = any(change.replaces for change in changes)
                self._replace_catalogue(warehouse, load, replaced if replaces else "where 1 = 0")
                ledger.replace(warehouse, copy.source.settings.bucket)
                copy.keep_rejects(warehouse)
                load.record(warehouse, copy.run_id)
            return load
        raise Unavailable(f"The catalogue changed {MOST_PLANS} times while it was copied. Clear this task.")

    def _copy_folders(
        self, warehouse: Warehouse, copy: ManifestCopy, load: Load, changes: Sequence[FolderChange], attempt: int
    ) -> None:
        """Copy what differs, a folder at a time: only a manifest of its own says which rows are a folder's."""
        copy.prepare(warehouse)
        for number, change in enumerate(changes, start=1):
            self.log.info(
                "%s (%d of %d): %d file(s) changed, %d vanished, %d of %d are copied.",
                shown(change.folder), number, len(changes),
                change.changed, change.vanished, len(change.copy), len(change.files),
            )  # fmt: skip
            if change.copy:
                copy.run(warehouse, load, change.copy, f"folder-{attempt}-{number}")
                column = self.table.partition
                warehouse.execute(f"update incoming set {column} = %s where {column} is null", [change.folder])
        copy.ledger(warehouse, {change.folder: change.copy for change in changes}, f"ledger-{attempt}")

    def _no_catalogue(self, bucket: str, catalogue: Catalogue, *, had_one: bool) -> None:
        sentence = f"There are no files under s3://{bucket}/{catalogue.prefix}."
        if not had_one:
            self.log.warning("%s %s stays empty until they are delivered.", sentence, self.table.name)
        elif self.missing_file != SKIP:
            raise DataError(
                f"{sentence} They were there at the last load. Deliver them again and clear this task, "
                "or set the param missing_file to skip."
            )
        else:
            self.log.warning("%s Skipped, as missing_file says; what was loaded before stays.", sentence)

    def _writing(self, warehouse: Warehouse) -> Any:
        return warehouse.transaction(self.table.name, *(follower.table.name for follower in self.table.followers))

    def _replace_dates(self, warehouse: Warehouse, load: Load, log_dates: Sequence[str], partition: str) -> None:
        """Replace the dates' rows, and queue the dates and the keys of what they lose or change."""
        name = self.table.name
        columns = warehouse.columns(name)
        had_rows = bool(warehouse.rows(f"select 1 from {name} where {partition} limit 1"))
        if had_rows:
            listed = ", ".join(quoted(column) for column in columns if column != self.table.partition)
            warehouse.execute(
                f"create temp table removed as select {listed} from {name} where {partition}"
                f" except select {listed} from incoming"
            )
        for follower in self.table.followers:
            if had_rows:
                queue.add_keys(warehouse, follower.table, queue.keys_of(follower.table, "removed"))
            queue.add_dates(warehouse, follower.table, log_dates)
        values = {self.table.partition: f"'{log_dates[0]}'"} if len(log_dates) == 1 else {}
        self._write(warehouse, load, columns, f"where {partition}", values)

    def _replace_catalogue(self, warehouse: Warehouse, load: Load, where: str) -> None:
        """Add the new rows, or replace all of them, and queue the keys of what changed."""
        name = self.table.name
        columns = warehouse.columns(name)
        listed = ", ".join(quoted(column) for column in columns)
        old, new = f"select {listed} from {name} {where}", f"select {listed} from incoming"
        for table in ("added", "removed"):
            warehouse.execute(f"drop table if exists {table}")
        warehouse.execute(f"create temp table added as {new} except {old}")
        warehouse.execute(f"create temp table removed as {old} except {new}")
        own = zip(self.queue_sql, self.values_sql, strict=True)
        for follower in self.table.followers:
            if follower.select:
                select, values = next(own)
                select = filled(select, read_values(warehouse, values) if values else {})
            else:
                select = queue.keys_of(follower.table, "added", "removed")
            queue.add_keys(warehouse, follower.table, select)
        self._write(warehouse, load, columns, where)

    def _write(
        self,
        warehouse: Warehouse,
        load: Load,
        columns: Sequence[str],
        where: str,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Replace the rows; ``values`` are literals of columns that the copied rows lack."""
        name, listed = self.table.name, ", ".join(quoted(column) for column in columns)
        selected = ", ".join((values or {}).get(column, quoted(column)) for column in columns)
        load.rows_deleted = warehouse.execute(f"delete from {name} {where}")
        load.rows_inserted = warehouse.execute(f"insert into {name} ({listed}) select {selected} from incoming")
