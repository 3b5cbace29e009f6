"""Works out which files of a catalogue to copy, folder by folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.loading.history import insert_rows
from sparkify.loading.source import fingerprint
from sparkify.loading.staging import ROWS_AN_INSERT

if TYPE_CHECKING:
    from sparkify.loading.declarations import StagingTable
    from sparkify.loading.source import Source, SourceFile
    from sparkify.loading.source_files import Catalogue
    from sparkify.loading.warehouse import Warehouse

FOLDERS = "incoming_folders"
REPLACED = "replaced_folders"
COLUMNS = ["table_name", "folder", "files", "fingerprint"]


@dataclass(frozen=True)
class FolderChange:
    """What differs in a folder from what was copied before.

    :param files: what the folder holds now; nothing if it vanished.
    :param copy: those of them to copy.
    :param replaces: whether their rows take the place of all rows of the folder.
    """

    folder: str
    files: Sequence[SourceFile]
    copy: Sequence[SourceFile]
    replaces: bool
    changed: int = 0
    vanished: int = 0

    @classmethod
    def of(cls, folder: str, files: Sequence[SourceFile], known: Mapping[str, str]) -> FolderChange:
        """Compare a folder's files with the ETag of each key of it that was copied before.

        New files are copied alone. A file that changed or vanished has rows that cannot be told from others' of the
        folder, so that all of it is copied again.
        """
        now = {file.key: file.etag for file in files}
        vanished = sum(key not in now for key in known)
        changed = sum(key in now and now[key] != etag for key, etag in known.items())
        replaces = bool(changed or vanished)
        copy = files if replaces else [file for file in files if file.key not in known]
        return cls(folder, files, copy, replaces, changed, vanished)


class CatalogueLedger:
    """What ``staged_folders`` and ``staged_files`` say of a staging table's catalogue.

    Names of folders and files come from S3. They stand in no statement, but in parameters and tables.
    """

    def __init__(self, table: StagingTable, catalogue: Catalogue) -> None:
        self.table = table.name
        self.catalogue = catalogue

    def fingerprints(self, warehouse: Warehouse) -> dict[str, str]:
        """The fingerprint of each folder that was copied."""
        query = f"select folder, fingerprint from staged_folders where table_name = '{self.table}'"
        return {str(folder): str(found) for folder, found in warehouse.rows(query)}

    def changes(
        self,
        warehouse: Warehouse,
        source: Source,
        folders: Sequence[str],
        known: Mapping[str, str],
        found: Collection[str],
    ) -> list[FolderChange]:
        """What differs in these folders; those that were found are listed once more, file by file."""
        query = f"select file_name, etag from staged_files where table_name = '{self.table}' and folder = %s"
        changes = []
        for folder in folders:
            rows = warehouse.rows(query, [folder]) if folder in known else []
            listed = source.files_of(self.catalogue, folder) if folder in found else []
            files = [file for file in listed if self.catalogue.folder_of(file.key) == folder]
            changes.append(FolderChange.of(folder, files, {str(name): str(etag) for name, etag in rows}))
        return changes

    def prepare(self, warehouse: Warehouse, changes: Sequence[FolderChange]) -> None:
        """Make the temporary tables of the folders that differ, and of those whose rows are replaced."""
        for name in (FOLDERS, REPLACED):
            warehouse.execute(f"drop table if exists {name}")
            warehouse.execute(f"create temp table {name} (like staged_folders)")
        found: list[list[object]] = [
            [self.table, change.folder, len(change.files), fingerprint(self.catalogue, change.files)]
            for change in changes
        ]
        replaced = [row for row, change in zip(found, changes, strict=True) if change.replaces]
        for name, rows in ((FOLDERS, found), (REPLACED, replaced)):
            for first in range(0, len(rows), ROWS_AN_INSERT):
                insert_rows(warehouse, name, COLUMNS, rows[first : first + ROWS_AN_INSERT])

    def replace(self, warehouse: Warehouse, bucket: str) -> None:
        """Record what was copied, in the load's transaction; what was refused of replaced folders goes."""
        of_table = f"table_name = '{self.table}'"
        replaced = f"{of_table} and folder in (select folder from {REPLACED})"
        warehouse.execute(
            f"delete from staging_rejects where {of_table}"
            f" and file_name in (select 's3://{bucket}/' || file_name from staged_files where {replaced})"
        )
        warehouse.execute(f"delete from staged_files where {replaced}")
        warehouse.execute(f"delete from staged_folders where {of_table} and folder in (select folder from {FOLDERS})")
        columns = ", ".join(COLUMNS)
        warehouse.execute(f"insert into staged_folders ({columns}) select {columns} from {FOLDERS} where files > 0")
        warehouse.execute(
            "insert into staged_files (table_name, folder, file_name, etag)"
            " select table_name, folder, file_name, etag from incoming_files"
        )
