"""What is remembered of loads, written by the administrator so that it outlives the client's rollback."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import time
from dataclasses import dataclass, field
from importlib import resources

import psycopg

from local.redshift.load.rows import RowError
from local.redshift.sql.functions import LOAD_TYPE_NAMES, SCHEMA
from local.redshift.sql.plan import Load

# Any number: it keeps two stand-ins on one database from installing at once.
_INSTALL_LOCK = 5439_0001
_ERROR_COLUMNS = (
    "query_id, user_id, transaction_id, session_id, table_id, start_time, file_name, line_number, column_name, "
    "column_type, column_length, position, raw_line, raw_field_value, error_code, error_message"
)
_LOAD_COLUMNS = (
    "query_id, user_id, transaction_id, session_id, status, table_name, start_time, end_time, data_source, "
    "file_format, loaded_rows, loaded_bytes, source_file_count, error_count, error_message"
)


class NotReadyError(Exception):
    """PostgreSQL did not accept the administrator in time."""


@dataclass
class LoadRecord:
    """One COPY, as the system views show it."""

    load: Load
    query_id: int
    user_id: int
    session_id: int
    transaction_id: int
    table_id: int
    started: dt.datetime
    rows: int = 0
    bytes: int = 0
    files: int = 0
    errors: list[RowError] = field(default_factory=list)


class SystemTables:
    """The compatibility schema of one database and the connection that writes it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection | None = None
        self._lock = asyncio.Lock()

    async def install(self, seconds: float) -> psycopg.ConnectionInfo:
        """Wait for PostgreSQL, bring the compatibility schema up to date and return where PostgreSQL is."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                connection = await self._connect()
                break
            except psycopg.OperationalError as error:
                if time.monotonic() >= deadline:
                    raise NotReadyError(
                        f"PostgreSQL did not accept a connection within {seconds:g} seconds: {str(error).strip()}. "
                        "Check that it runs and that --dsn names an administrator's log-in."
                    ) from None
                await asyncio.sleep(0.1)
        if connection.info.server_version < 180000:
            raise NotReadyError(
                f"PostgreSQL {connection.info.parameter_status('server_version')} is too old: the stand-in needs 18."
            )
        script = resources.files(__package__).joinpath("compat.sql").read_text()
        version = hashlib.sha256(script.encode()).hexdigest()
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
            rows = await connection.execute("select obj_description(to_regnamespace(%s), 'pg_namespace')", [SCHEMA])
            if await rows.fetchone() != (version,):
                await connection.execute(f"{script}; comment on schema {SCHEMA} is '{version}'")
        return connection.info

    async def next_query_id(self) -> int:
        """A number for one COPY."""
        rows = await self._run([(f"select nextval('{SCHEMA}.query_id')", [])])
        return int(rows[0][0])

    async def record(self, record: LoadRecord, reason: str) -> None:
        """Write what became of a COPY; *reason* is why it failed if no row's error says so."""
        failed = bool(reason) or len(record.errors) >= max(1, record.load.max_errors)
        ended = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        head = [record.query_id, record.user_id, record.transaction_id, record.session_id]
        statements: list[tuple[str, list[object]]] = [
            (_insert("loads", _LOAD_COLUMNS), [
                *head, "aborted" if failed else "completed", record.load.table[-1], record.started, ended,
                record.load.uri, "json", 0 if failed else record.rows, record.bytes, record.files, len(record.errors),
                reason[:512],
            ])
        ]  # fmt: skip
        for error in record.errors:
            column = error.column
            statements.append((_insert("load_errors", _ERROR_COLUMNS), [
                *head, record.table_id, record.started, error.file[:256], error.line,
                column.name if column else "", LOAD_TYPE_NAMES[column.type] if column else "",
                str(column.length or "") if column else "", error.position, error.raw_line, error.raw_value, error.code,
                error.reason[:512],
            ]))  # fmt: skip
        await self._run(statements)

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.close()

    async def _connect(self) -> psycopg.AsyncConnection:
        self._connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, application_name="redshift stand-in", connect_timeout=5
        )
        return self._connection

    async def _run(self, statements: list[tuple[str, list[object]]]) -> list[tuple[int, ...]]:
        """Run statements as one transaction; once more if the connection was lost meanwhile."""
        async with self._lock:
            for last in (False, True):
                try:
                    connection = self._connection
                    if connection is None or connection.closed:
                        connection = await self._connect()
                    async with connection.transaction(), connection.cursor() as cursor:
                        for sql, values in statements:
                            await cursor.execute(sql, values)
                        return await cursor.fetchall() if cursor.description else []
                except psycopg.OperationalError:
                    if last:
                        raise
                    await self.close()
        raise AssertionError("unreachable")


def _insert(table: str, columns: str) -> str:
    values = ", ".join(["%s"] * len(columns.split(",")))
    return f"insert into {SCHEMA}.{table} ({columns}) values ({values})"
