"""Runs COPY: reads the table's columns, writes the rows in the client's transaction, and records the load."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import NoReturn

from local.redshift import protocol
from local.redshift.backend import Backend, refusal
from local.redshift.load import csv_rows
from local.redshift.load.columns import Column
from local.redshift.load.rows import LoadFailedError, Path, RefusedDataError, RowEncoder
from local.redshift.load.source import Reader, list_objects, read_json_paths
from local.redshift.sql.lexer import quote_literal, quote_name, relation
from local.redshift.sql.plan import Load
from local.redshift.system_tables import LoadRecord, SystemTables

_DETAILS = "Check 'sys_load_error_detail' system table for details."
_COLUMNS = """
select pg_catalog.json_build_object(
        'name', a.attname, 'type', t.typname, 'not_null', a.attnotnull, 'identity', a.attidentity = 'a',
        'length', coalesce(information_schema._pg_char_max_length(a.atttypid, a.atttypmod), 0),
        'precision', coalesce(information_schema._pg_numeric_precision(a.atttypid, a.atttypmod), 0),
        'scale', coalesce(information_schema._pg_numeric_scale(a.atttypid, a.atttypmod), 0)),
    a.attrelid, (select oid from pg_catalog.pg_roles where rolname = current_user), pg_catalog.pg_backend_pid(),
    pg_catalog.pg_current_xact_id()
from pg_catalog.pg_attribute as a
join pg_catalog.pg_type as t on t.oid = a.atttypid
where a.attrelid = pg_catalog.to_regclass({table}) and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


class CopyCommand:
    """Runs COPY for sessions."""

    def __init__(self, system_tables: SystemTables) -> None:
        self._system_tables = system_tables

    async def __call__(self, load: Load, backend: Backend) -> list[bytes]:
        """Load the table; return the notices for the client. Raise BackendError with Redshift's words."""
        started = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        name = load.table[-1]
        found = (await backend.ask(_COLUMNS.format(table=quote_literal(relation(load.table))))).rows
        if not found:
            await _fail(backend, f"Cannot COPY into nonexistent table {name}")
        query_id = await self._system_tables.next_query_id()
        table_id, user_id, session_id, transaction_id = found[0][1:]
        record = LoadRecord(query_id, user_id, session_id, transaction_id, started, name, load.uri)
        errors: list[dict[str, object]] = []
        failure: Exception | None = None
        try:
            await _copy(load, _columns(load, found), backend, record, errors)
        except (LoadFailedError, RefusedDataError, protocol.BackendError) as error:
            failure = error
            record.status = "aborted"
            record.loaded_rows = 0
        await self._system_tables.record(record, [error | {"table_id": table_id} for error in errors])
        remembered = {"last_load_id": query_id}
        if failure is None or errors:
            # Bad data counts as a COPY that ran, what fails before does not:
            # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
            remembered["last_copy_id"] = query_id
        if failure is None:
            remembered["last_copy_count"] = record.loaded_rows
        settings = "; ".join(f"SET redshift.{setting} TO '{value}'" for setting, value in remembered.items())
        if failure is None:
            await backend.ask(settings)
            return _notices(name, record.loaded_rows, len(errors))
        backend.remember(settings)
        if isinstance(failure, protocol.BackendError):
            raise failure
        return await _fail(backend, str(failure) or f"Load into table '{name}' failed.  {_DETAILS}")


async def _fail(backend: Backend, words: str) -> NoReturn:
    """Raise an error that PostgreSQL knows of too, if its transaction has not failed already."""
    if backend.status != b"E":
        await backend.ask(refusal(words, "XX000"))
    raise protocol.BackendError(protocol.error(words, "XX000")[5:])


async def _copy(
    load: Load, columns: list[Column], backend: Backend, record: LoadRecord, errors: list[dict[str, object]]
) -> None:
    reader = Reader(await asyncio.to_thread(list_objects, load.uri, load.manifest), load.gzip)
    paths: list[Path] = [(column.name,) for column in columns]
    if load.json_paths.startswith("s3://"):
        paths = await asyncio.to_thread(read_json_paths, load.json_paths, len(columns))
    encoder = RowEncoder(columns, paths, load, errors)
    listed = ", ".join(quote_name(column.name) for column in columns)
    statement = f"COPY {relation(load.table)} ({listed}) FROM STDIN ({csv_rows.OPTIONS})"
    try:
        await backend.ask(statement, encoder.encode(reader))
    finally:
        record.source_file_count = reader.files
        record.loaded_bytes = reader.bytes
        record.loaded_rows = encoder.rows


def _columns(load: Load, found: list[list[str | None]]) -> list[Column]:
    known = {column.name: column for column in (Column(**json.loads(str(line[0]))) for line in found)}
    for column in known.values():
        if not column.loadable:
            raise LoadFailedError(f"COPY into column {column.name} is refused: its type {column.type} is not known.")
    for name in load.columns:
        if name not in known:
            raise LoadFailedError(f'column "{name}" of relation "{load.table[-1]}" does not exist')
        if known[name].identity:
            raise LoadFailedError(f"COPY into the IDENTITY column {name} is refused: leave it out of the column list.")
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
    return [known[name] for name in load.columns] or [column for column in known.values() if not column.identity]


def _notices(table: str, rows: int, refused: int) -> list[bytes]:
    """What a client reads of a COPY that went well.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-maxerror and, for the words,
    https://docs.aws.amazon.com/redshift/latest/dg/spatial-copy-shapefile.html
    """
    said = [f"Load into table '{table}' completed, {rows} record(s) loaded successfully."]
    if refused:
        said.append(f"Load into table '{table}' completed, {refused} record(s) could not be loaded.  {_DETAILS}")
    return [protocol.notice(words) for words in said]
