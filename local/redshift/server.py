"""Listens for clients, opens a PostgreSQL session for each and lets them log in through it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from local.redshift import protocol
from local.redshift.backend import Answer, Backend, Streams
from local.redshift.protocol import ProtocolError
from local.redshift.session import Loader, Session

LOOPBACK = "127.0.0.1"

log = logging.getLogger("redshift")
ISOLATIONS = {"snapshot": r"repeatable\ read", "serializable": "serializable"}
# That of a new database: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
DEFAULT_ISOLATION = "snapshot"
_LIMIT = 1 << 20
_CONNECT_SECONDS, _STARTUP_SECONDS = 10, 60
# What PostgreSQL knows too; the drivers of Redshift send more, which PostgreSQL would refuse.
_KEPT = {"user", "database", "application_name", "datestyle", "timezone", "extra_float_digits", "statement_timeout"}
_SETTINGS = {
    # The rewriting rests on how PostgreSQL reads literals and dates.
    "TimeZone": "UTC",
    "DateStyle": r"ISO,\ MDY",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    # A cluster joins equal keys by hash or merge. PostgreSQL takes a filter on row_number() to leave a single row, and
    # would loop over a million.
    "enable_nestloop": "off",
    # A session whose client vanished must not keep its locks.
    "client_connection_check_interval": "1000",
}


@dataclass(frozen=True)
class Server:
    """The stand-in's door, with the way to PostgreSQL: its host's name, or the folder of its socket."""

    host: str
    port: int
    database: str
    load: Loader
    isolation: str

    async def listen(self, port: int, address: str = LOOPBACK) -> asyncio.Server:
        """Listen for clients."""
        return await asyncio.start_server(self._serve, address, port, limit=_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        farewell = b""
        try:
            await self._client(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            log.debug("a client's connection ended")
        except ProtocolError as error:
            farewell = protocol.error(str(error), error.code, "FATAL")
        except asyncio.CancelledError:
            farewell = protocol.error("terminating connection: the stand-in is shutting down", "57P01", "FATAL")
        # One session's trouble must not be another's: it is logged, and the client is told.
        except Exception:
            log.exception("a session failed")
            farewell = protocol.error("The stand-in failed: its log says why.", "XX000", "FATAL")
        with contextlib.suppress(ConnectionError):
            writer.write(farewell)
            writer.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_STARTUP_SECONDS):
            while (packet := await protocol.read_body(reader))[:4] in protocol.ENCRYPTION_REQUESTS:
                writer.write(b"N")  # nobody listens in on loopback, nor on a network of containers
        if packet[:4] == protocol.CANCEL_REQUEST:
            answer, connection = await self._connect()
            connection.write(protocol.message(b"", packet))
            await answer.read()
            connection.close()
            return
        if packet[:2] != protocol.VERSION_3:
            raise ProtocolError("these bytes are not version 3 of the PostgreSQL protocol")
        parts = packet[4:].decode(errors="replace").split("\0")
        given = dict(zip(parts[::2], parts[1::2], strict=False))
        start = "\0".join(part for pair in self._parameters(given).items() for part in pair) + "\0\0"
        backend = Backend(await self._connect(), writer, cut_sasl="client_protocol_version" in given)
        backend.send(protocol.message(b"", packet[:4] + start.encode()), Answer())
        session = Session((reader, writer), backend, self.load)
        try:
            # The first of the three that fails ends the others.
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(backend.pump()), tasks.create_task(session.read())]
                await session.run()
                for task in beside:
                    task.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            backend.close()

    async def _connect(self) -> Streams:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if self.host.startswith("/"):
                    return await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}", limit=_LIMIT)
                return await asyncio.open_connection(self.host, self.port, limit=_LIMIT)
        except (OSError, TimeoutError) as error:
            raise ProtocolError(f"PostgreSQL, behind the stand-in, cannot be reached: {error}", "57P03") from None

    def _parameters(self, given: dict[str, str]) -> dict[str, str]:
        if given.get("client_encoding", "utf8").strip("'\"").lower() not in ("utf8", "utf-8", "unicode"):
            raise ProtocolError("the client's encoding is refused: the stand-in reads only UTF8")
        if (database := given.get("database", given.get("user", ""))) != self.database:
            raise ProtocolError(f'database "{database}" does not exist', "3D000")
        settings = _SETTINGS | {"default_transaction_isolation": ISOLATIONS[self.isolation]}
        # Last, and so over what the client says in its own options.
        options = " ".join([given.get("options", ""), *(f"-c {name}={value}" for name, value in settings.items())])
        return {name: value for name, value in given.items() if name.lower() in _KEPT} | {"options": options}
