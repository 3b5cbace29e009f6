"""COPY as a whole: the table's columns, the rows into the client's own transaction, what is remembered of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Generator

from local.redshift import protocol
from local.redshift.backend import Backend, refusal
from local.redshift.load.columns import Column, Rules
from local.redshift.load.rows import HEADER, TRAILER, LoadFailedError, Path, RowEncoder, TooManyErrorsError
from local.redshift.load.source import Reader, list_sources, read_json_paths, stream
from local.redshift.sql.functions import LOAD_TYPE_NAMES
from local.redshift.sql.lexer import quote_literal, quote_name, relation
from local.redshift.sql.plan import Load
from local.redshift.system_tables import LoadRecord, SystemTables

_CHUNK_BYTES = 1 << 18
_AHEAD = 4
_DETAILS = "Check 'sys_load_error_detail' system table for details."
_COLUMNS = """
select a.attname, t.typname, a.atttypid, a.atttypmod, a.attnotnull, a.attrelid, a.atthasdef,
    (select oid from pg_catalog.pg_roles where rolname = current_user), pg_catalog.pg_backend_pid(),
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
        lines = (await backend.ask(_COLUMNS.format(table=quote_literal(relation(load.table))))).rows
        if not lines:
            await self._fail(backend, f"Cannot COPY into nonexistent table {name}")
        record = LoadRecord(
            load=load, table_id=int(lines[0][5] or 0), user_id=int(lines[0][7] or 0), session_id=int(lines[0][8] or 0),
            transaction_id=int(lines[0][9] or 0), started=started,
            query_id=await self._system_tables.next_query_id(),
        )  # fmt: skip
        failure: Exception | None = None
        try:
            columns = _columns(load, lines)
            await self._copy(load, columns, backend, record)
        except (LoadFailedError, TooManyErrorsError, protocol.BackendError) as error:
            failure = error
        await self._system_tables.record(record, "" if isinstance(failure, TooManyErrorsError | None) else str(failure))
        remembered = f"SET redshift.last_load_id TO '{record.query_id}'"
        if failure is not None:
            if record.errors:  # invalid data updates the id, so that the load's errors can be asked for by it
                remembered += f"; SET redshift.last_copy_id TO '{record.query_id}'"
            backend.remember(remembered)
            if isinstance(failure, TooManyErrorsError):
                # Bad data counts as a COPY that ran, what fails before does not:
                # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
                backend.remember(f"SET redshift.last_copy_id TO '{record.query_id}'")
            if isinstance(failure, protocol.BackendError):
                raise failure
            words = f"Load into table '{name}' failed.  {_DETAILS}"
            if isinstance(failure, LoadFailedError):
                words = str(failure)
            await self._fail(backend, words)
        await backend.ask(f"{remembered}; SET redshift.last_copy_id TO '{record.query_id}'; "
                          f"SET redshift.last_copy_count TO '{record.rows}'")  # fmt: skip
        return _notices(name, record)

    async def _fail(self, backend: Backend, words: str) -> None:
        if backend.status == b"E":
            raise protocol.BackendError(protocol.error(words, "XX000")[5:])
        await backend.ask(refusal(words, "XX000"))

    async def _copy(self, load: Load, columns: list[Column], backend: Backend, record: LoadRecord) -> None:
        loop = asyncio.get_running_loop()
        fold = load.json_paths == "auto ignorecase"
        sources = await loop.run_in_executor(None, list_sources, load.uri, load.manifest)
        paths: list[Path] = [(column.name,) for column in columns]
        if load.json_paths.startswith("s3://"):
            paths = await loop.run_in_executor(None, read_json_paths, load.json_paths, len(columns))
        rules = Rules(
            load.time_format, "BLANKSASNULL" in load.flags, "EMPTYASNULL" in load.flags, "TRUNCATECOLUMNS" in load.flags
        )
        encoder = RowEncoder(columns, paths, rules, load.max_errors, fold)
        reader = Reader(sources, load.gzip)
        listed = ", ".join(quote_name(column.name) for column in columns)
        statement = f"COPY {relation(load.table)} ({listed}) FROM STDIN (FORMAT binary)"
        try:
            await backend.ask(statement, _ahead(stream(reader, encoder.file)))
        finally:
            record.errors = encoder.errors
            record.files, record.bytes, record.rows = reader.files, reader.bytes, encoder.rows


def _columns(load: Load, lines: list[list[str | None]]) -> list[Column]:
    known = {
        str(line[0]): Column.of(str(line[0]), str(line[1]), int(line[2] or 0), int(line[3] or 0), line[4] == "t")
        for line in lines
    }
    for column in known.values():
        if column.type not in LOAD_TYPE_NAMES:
            raise LoadFailedError(f"COPY into column {column.name} is refused: its type {column.type} is not known.")
    missing = [column for column in load.columns if column not in known]
    if missing:
        raise LoadFailedError(f'column "{missing[0]}" of relation "{load.table[-1]}" does not exist')
    return [known[column] for column in load.columns] if load.columns else list(known.values())


def _notices(name: str, record: LoadRecord) -> list[bytes]:
    said = [protocol.notice(f"Load into table '{name}' completed, {record.rows} record(s) loaded successfully.")]
    if record.errors:
        refused = f"Load into table '{name}' completed, {len(record.errors)} record(s) could not be loaded.  {_DETAILS}"
        said.append(protocol.notice(refused, "WARNING"))
    return said


async def _ahead(rows: Generator[bytes]) -> AsyncGenerator[bytes]:
    """Run a blocking iterator in a thread, a few chunks ahead of PostgreSQL."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
    room = asyncio.Semaphore(_AHEAD)
    stopped = False

    def put(item: bytes | BaseException | None) -> None:
        asyncio.run_coroutine_threadsafe(room.acquire(), loop).result()
        loop.call_soon_threadsafe(ready.put_nowait, item)

    def produce() -> None:
        chunk = bytearray(HEADER)
        try:
            for encoded in rows:
                if stopped:
                    return
                chunk += encoded
                if len(chunk) >= _CHUNK_BYTES:
                    put(bytes(chunk))
                    chunk.clear()
            put(bytes(chunk) + TRAILER)
            put(None)
        except BaseException as error:
            put(error)
        finally:
            rows.close()

    producing = loop.run_in_executor(None, produce)
    try:
        while (item := await ready.get()) is not None:
            room.release()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped = True
        # The thread may be waiting for room for its last chunks.
        for _ in range(_AHEAD):
            room.release()
        with contextlib.suppress(Exception):
            await producing
