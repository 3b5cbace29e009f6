"""Records loads as the administrator, so that the record outlives the client's rollback."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import time
from dataclasses import dataclass
from importlib import resources

import psycopg

from local.redshift.sql.functions import SCHEMA

# Any number: it keeps two stand-ins on one database from installing at once.
_INSTALL_LOCK = 5439_0001


def _script() -> str:
    """The statements that make the compatibility schema, from its files in the order of their names."""
    files = [file for file in resources.files(__package__).joinpath("compat").iterdir() if file.name.endswith(".sql")]
    return "\n".join(file.read_text("utf-8") for file in sorted(files, key=lambda file: file.name))


class NotReadyError(Exception):
    """PostgreSQL did not accept the administrator in time."""


@dataclass
class LoadRecord:
    """One COPY by the columns of the table of loads."""

    query_id: int
    user_id: str | None
    session_id: str | None
    transaction_id: str | None
    start_time: dt.datetime
    table_name: str
    data_source: str
    file_format: str = "json"
    status: str = "completed"
    loaded_rows: int = 0
    loaded_bytes: int = 0
    source_file_count: int = 0


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
                connection = await self._connected()
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
        if connection.info.parameter_status("is_superuser") != "on":
            raise NotReadyError(
                f"PostgreSQL's role {connection.info.user} is no superuser; the stand-in changes how texts compare. "
                "Use a superuser's log-in for --dsn."
            )
        script = _script()
        version = hashlib.sha256(script.encode()).hexdigest()
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
            rows = await connection.execute("select obj_description(to_regnamespace(%s), 'pg_namespace')", [SCHEMA])
            if await rows.fetchone() != (version,):
                await connection.execute(f"{script}; comment on schema {SCHEMA} is '{version}'")
        return connection.info

    async def next_query_id(self) -> int:
        """A number for one COPY."""
        async with self._lock:
            numbers = await (await self._connected()).execute(f"select nextval('{SCHEMA}.query_id')")
            return int((await numbers.fetchall())[0][0])

    async def record(self, record: LoadRecord, errors: list[dict[str, object]]) -> None:
        """Write what became of a COPY, and its errors by the columns of their table that are not the load's too."""
        load = vars(record) | {"end_time": dt.datetime.now(dt.UTC).replace(tzinfo=None), "error_count": len(errors)}
        shared = {name: load[name] for name in ("query_id", "user_id", "session_id", "transaction_id", "start_time")}
        tables = {"loads": [load], "load_errors": [shared | error for error in errors]}
        async with self._lock:
            connection = await self._connected()
            async with connection.transaction(), connection.cursor() as cursor:
                for table, rows in tables.items():
                    if rows:
                        async with cursor.copy(f"copy {SCHEMA}.{table} ({', '.join(rows[0])}) from stdin") as copy:
                            for row in rows:
                                await copy.write_row(tuple(row.values()))

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> psycopg.AsyncConnection:
        """The connection, opened again if it was lost."""
        try:
            if self._connection is not None:
                await self._connection.execute("")
                return self._connection
        except psycopg.OperationalError:
            await self.close()
        self._connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, application_name="redshift stand-in", connect_timeout=5
        )
        return self._connection
