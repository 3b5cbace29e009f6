"""A session with the warehouse: its settings, transactions and errors."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sparkify.loading.aws_errors import is_harmless
from sparkify.loading.connecting import connect
from sparkify.loading.driver_errors import CUT_OFF, TRANSIENT, reason, sqlstate
from sparkify.loading.exceptions import DataError, SettingsError, Unavailable
from sparkify.loading.lineage import Place
from sparkify.loading.warehouse_connection import get_warehouse_connection, opener, why_not_open

if TYPE_CHECKING:
    from logging import Logger
    from types import TracebackType

    from airflow.sdk import Connection

    from sparkify.loading.settings import Settings

STATEMENT_TIMEOUT_MS = 3_600_000
LOCK_TIMEOUT_MS = 600_000
# A new connection by TLS and IAM takes some seconds, and more where a Serverless workgroup has to wake up.
KILL_SECONDS = 15.0
# Airflow gives a task that it stops five seconds before it kills it.
STOPPED_SECONDS = 4.0
QUERY_CANCELED = "57014"
UNDEFINED = {"42P01": "table", "42703": "column", "3F000": "schema"}
# Redshift's own rollbacks have the SQLSTATE of an internal error, as a failed COPY has, and are known by their words.
# The last is a table that another session has dropped, or a temporary one of a plan that the cluster still kept.
CONFLICT = re.compile(
    r"(?i)1023\b|.*serializable isolation violation|.*conflict with concurrent transaction"
    r"|.*could not open relation with OID"
)
CREATE = "Run the DAG sparkify_schema, which creates what is missing."
ALTER = (
    "The table is of another version of this package: add the column by alter table, or have sparkify_schema rebuild "
    "all tables, and load all log dates again."
)


class Warehouse:
    """A session that speaks to the schema of ``settings``; use it as a context manager.

    Statements commit by themselves except inside :meth:`transaction`. Errors of the driver become
    :class:`Unavailable` (try again), :class:`SettingsError` or :class:`DataError` (do not).

    :param conn_id: Airflow connection of type ``redshift`` or ``postgres``.
    :param settings: gives the schema.
    :param label: what the session does; shown by the warehouse as its query group.
    :param log: where each statement goes, at debug level.
    :param connection: used instead of Airflow's connection ``conn_id``, for a login that Airflow keeps none of.
    """

    def __init__(
        self, conn_id: str, settings: Settings, label: str, log: Logger, connection: Connection | None = None
    ) -> None:
        self.conn_id = str(connection.conn_id) if connection else conn_id
        self._given = connection
        self.settings = settings
        self.label = re.sub(r"[^\w.:+-]", "_", label, flags=re.ASCII)[:256]
        self.log = log
        self._connection: Any = None
        self._open: Callable[[], Any] | None = None
        self._pid: int | None = None
        #: Where its tables are, once it is open.
        self.place: Place | None = None

    def __enter__(self) -> Warehouse:
        connection, extra = get_warehouse_connection(self.conn_id, self._given)
        self._open = opener(connection)
        self.place = Place.from_connection(connection, self.settings.schema)
        try:
            self._connection = connect(self._open, extra=extra)
            self._connection.autocommit = True
        except Exception as error:
            # The log shows an error's cause with its words.
            raise why_not_open(connection, error) from (error if is_harmless(error) else None)
        try:
            self._pid = int(self.rows(self._beginning())[0][0])
        except BaseException as error:
            # Without a session there is no __exit__.
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A time limit or an interrupt struck inside a statement: the driver would wait for its end before it hung up.
        if error is not None and not isinstance(error, Exception):
            self.kill()
        self._pid = None
        with contextlib.suppress(Exception):
            self._connection.close()

    def _beginning(self) -> str:
        """One statement that sets the session up and tells its process."""
        session = {
            "application_name": "sparkify",
            "query_group": self.label,
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "search_path": self.settings.schema,
        }
        settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in session.items())
        return f"select pg_backend_pid(), {settings}"

    def kill(self, seconds: float = KILL_SECONDS) -> None:
        """End the session from outside, with its statement, transaction and locks; what waits for it then fails.

        :param seconds: how long to try to connect.
        """
        if self._open is None or self._pid is None:
            return
        pid, self._pid = self._pid, None
        try:
            with (
                contextlib.closing(connect(self._open, seconds)) as connection,
                contextlib.closing(connection.cursor()) as cursor,
            ):
                cursor.execute(f"select pg_terminate_backend({pid})")
            self.log.info("Ended the warehouse session %s, whose statement was still running.", pid)
        except Exception as error:
            self.log.warning(
                "Could not end the warehouse session %s: %s. It may hold locks until its statement ends; "
                "pg_terminate_backend(%s) ends it.",
                pid,
                reason(error),
                pid,
            )

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> int:
        """Run one statement; returns the rows it touched (-1 where that has no meaning)."""
        with self._cursor(sql, parameters) as cursor:
            return int(cursor.rowcount)

    def rows(self, sql: str, parameters: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Run one query; returns all its rows."""
        with self._cursor(sql, parameters) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run one query; returns the names of its columns, and its rows."""
        with self._cursor(sql, None) as cursor:
            return [_text(column[0]) for column in cursor.description], [tuple(row) for row in cursor.fetchall()]

    def notices(self) -> list[str]:
        """What the server said beside its answers since this was last asked; nothing with a driver that keeps none."""
        # redshift_connector keeps dicts of bytes, psycopg2 texts.
        kept = getattr(self._connection, "notices", None) or []
        said = [_text(one[b"M"]) if isinstance(one, dict) else str(one) for one in kept]
        kept.clear()
        return said

    def columns(self, table: str) -> list[str]:
        """The table's columns in order; a :class:`SettingsError` if there is no such table."""
        with self._cursor(f"select * from {table} where 1 = 0", None) as cursor:
            return [_text(column[0]) for column in cursor.description]

    def described(self, table: str) -> dict[str, int]:
        """The table's columns in order, with the driver's number of each type."""
        with self._cursor(f"select * from {table} where 1 = 0", None) as cursor:
            return {_text(column[0]): int(column[1]) for column in cursor.description}

    @contextlib.contextmanager
    def transaction(self, *tables: str) -> Iterator[None]:
        """Commit all of the block or none of it, while no other writer of ``tables`` is in one of its own.

        The lock is on each table's mutex, taken before anything is read: Redshift takes the snapshot at the first
        statement that needs one, and a lock on the table itself would keep readers waiting
        (https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html).
        """
        self.execute("begin")
        try:
            if tables:
                self._lock(sorted(f"mutex_{table}" for table in tables))
            yield
            self.execute("commit")
        except Exception:
            with contextlib.suppress(Exception):
                self.execute("rollback")
            raise

    def _lock(self, mutexes: list[str]) -> None:
        self.execute(f"set statement_timeout to {LOCK_TIMEOUT_MS}")
        try:
            self.execute(f"lock {', '.join(mutexes)}")
        except Unavailable as error:
            if error.__cause__ is None or sqlstate(error.__cause__) != QUERY_CANCELED:
                raise
            self.execute("rollback")
            holders = self._holders(mutexes)
            waited = f"Waited {LOCK_TIMEOUT_MS // 60_000} minutes for {', '.join(mutexes)}, held by"
            cure = "Let that load end, or end its session with pg_terminate_backend, and clear this task."
            raise Unavailable(
                f"{waited} {holders}. {cure}", told=f"{waited} a session that the task's log names. {cure}"
            ) from error
        self.execute(f"set statement_timeout to {STATEMENT_TIMEOUT_MS}")

    def _holders(self, mutexes: list[str]) -> str:
        names = ", ".join(f"'{mutex}'" for mutex in mutexes)
        holders: list[tuple[Any, ...]] = []
        # The user may lack the right to look up who holds it; report the timeout anyway.
        with contextlib.suppress(DataError, SettingsError, Unavailable):
            holders = self.rows(
                "select distinct t.txn_owner, t.pid, t.txn_start from svv_transactions t"
                f" join pg_catalog.pg_class c on c.oid = t.relation where t.granted and c.relname in ({names})"
            )
        return "; ".join(f"user {_text(owner).strip()}, pid {pid}, since {since}" for owner, pid, since in holders) or (
            "a session that this user may not see"
        )

    @contextlib.contextmanager
    def _cursor(self, sql: str, parameters: Sequence[object] | None) -> Iterator[Any]:
        self.log.debug("%s", sql)
        with self._translated("run a statement"), contextlib.closing(self._connection.cursor()) as cursor:
            if parameters is None:
                cursor.execute(sql)
            else:
                cursor.execute(sql, parameters)
            yield cursor

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except (DataError, SettingsError, Unavailable):
            raise
        except Exception as error:
            raise self._in_words(what, error) from error

    def _in_words(self, what: str, error: Exception) -> Exception:
        code, message = sqlstate(error), reason(error)
        if code in UNDEFINED:
            cure = ALTER if UNDEFINED[code] == "column" else CREATE
            return SettingsError(f"A {UNDEFINED[code]} is missing in the warehouse: {message}. {cure}")
        if code == "42501":
            return SettingsError(f"The user of connection {self.conn_id} lacks a permission: {message}")
        if TRANSIENT.match(code) or code == QUERY_CANCELED or CONFLICT.match(message):
            return Unavailable(f"Could not {what}: {message} (SQLSTATE {code})")
        if not code and (isinstance(error, CUT_OFF) or type(error).__name__ in ("OperationalError", "InterfaceError")):
            return Unavailable(f"Could not {what}: {message}")
        state = f" (SQLSTATE {code})" if code else ""
        return DataError(
            f"The warehouse refused a statement: {message}{state}",
            # What it says may hold a row.
            told=f"The warehouse refused a statement{state}. The task's log says which and why.",
        )


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
