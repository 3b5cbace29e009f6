"""Listens for clients, opens a PostgreSQL session for each and lets them log in through it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from local.redshift import protocol
from local.redshift.backend import Backend
from local.redshift.session import Loader, Session

log = logging.getLogger("redshift")
LOOPBACK = "127.0.0.1"
_LIMIT = 1 << 20
_CONNECT_SECONDS = 10
_STARTUP_SECONDS = 60
# What PostgreSQL knows too; the drivers of Redshift send more, which PostgreSQL would refuse.
_KEPT = {
    "user", "database", "application_name", "options", "datestyle", "timezone", "extra_float_digits",
    "statement_timeout",
}  # fmt: skip


@dataclass(frozen=True)
class Upstream:
    """Where PostgreSQL is: a host name or the folder of its socket."""

    host: str
    port: int
    database: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        if self.host.startswith("/"):
            opening = asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}", limit=_LIMIT)
        else:
            opening = asyncio.open_connection(self.host, self.port, limit=_LIMIT)
        return await asyncio.wait_for(opening, _CONNECT_SECONDS)


class Server:
    """The stand-in's door."""

    def __init__(self, upstream: Upstream, load: Loader, isolation: str) -> None:
        self._upstream, self._load = upstream, load
        self._isolation = {"serializable": "serializable", "snapshot": r"repeatable\ read"}[isolation]

    async def start(self, port: int) -> asyncio.Server:
        """Listen on loopback."""
        return await asyncio.start_server(self._serve, LOOPBACK, port, limit=_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._client(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            log.debug("a client's connection ended")
        except protocol.ProtocolError as error:
            await _farewell(writer, str(error), "08P01")
        except asyncio.CancelledError:
            # The server is going down.
            await _farewell(writer, "terminating connection: the stand-in is shutting down", "57P01")
        # One session's trouble must not be another's: it is logged, and the client is told.
        except Exception:
            log.exception("a session failed")
            await _farewell(writer, "The stand-in failed: its log says why.", "XX000")
        finally:
            writer.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, body = await asyncio.wait_for(_first_packet(reader, writer), _STARTUP_SECONDS)
        if version == protocol.CANCEL_REQUEST:
            await self._cancel(body)
            return
        if version >> 16 != 3:
            raise protocol.ProtocolError(f"the protocol {version >> 16}.{version & 0xFFFF} is refused: known is 3")
        given = protocol.startup_parameters(body)
        parameters = self._parameters(given)
        if parameters["database"] != self._upstream.database:
            await _farewell(writer, f'database "{parameters["database"]}" does not exist', "3D000")
            return
        try:
            backend_reader, backend_writer = await self._upstream.connect()
        except (OSError, TimeoutError) as error:
            await _farewell(writer, f"PostgreSQL, behind the stand-in, cannot be reached: {error}", "57P03")
            return
        backend = Backend(backend_reader, backend_writer, writer.write, writer.drain,
                          redshift_driver="client_protocol_version" in given)  # fmt: skip
        backend.send(protocol.startup(version, parameters), answers=1)
        await _together(backend.pump(), Session(reader, writer, backend, self._load).run(), backend.close)

    def _parameters(self, given: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in given.items() if name.lower() in _KEPT}
        encoding = given.get("client_encoding", "utf8").strip("'\"").lower()
        if encoding not in ("utf8", "utf-8", "unicode"):
            raise protocol.ProtocolError(f"the client encoding {encoding} is refused: the stand-in reads only UTF8")
        kept.setdefault("database", kept.get("user", ""))
        own = {
            "default_transaction_isolation": self._isolation,
            "TimeZone": "UTC",
            "DateStyle": r"ISO,\ MDY",
            "client_encoding": "UTF8",
            "standard_conforming_strings": "on",
            # A cluster joins equal keys by hash or merge. PostgreSQL takes a filter on row_number() to leave a single
            # row, and would loop over a million.
            "enable_nestloop": "off",
            # A session whose client vanished must not keep its locks.
            "client_connection_check_interval": "1000",
        }
        # Ours last: the rewriting rests on how PostgreSQL reads literals and dates.
        kept["options"] = " ".join([kept.get("options", ""), *(f"-c {name}={value}" for name, value in own.items())])
        return kept

    async def _cancel(self, body: bytes) -> None:
        reader, writer = await self._upstream.connect()
        writer.write(struct.pack("!ii", len(body) + 8, protocol.CANCEL_REQUEST) + body)
        await writer.drain()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(reader.read(), _CONNECT_SECONDS)
        writer.close()


async def _first_packet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
    while True:
        length, version = struct.unpack("!ii", await reader.readexactly(8))
        if not 8 <= length <= protocol.MAX_STARTUP_BYTES:
            raise protocol.ProtocolError("these bytes are not the PostgreSQL protocol")
        body = await reader.readexactly(length - 8)
        if version not in (protocol.SSL_REQUEST, protocol.GSS_REQUEST):
            return version, body
        # Loopback only: nothing is encrypted.
        writer.write(b"N")
        await writer.drain()


async def _together(pump: Awaitable[None], session: Awaitable[None], close: Callable[[], None]) -> None:
    """Run both until one ends, then end the other; raise what the session raised."""
    tasks = [asyncio.ensure_future(pump), asyncio.ensure_future(session)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        close()
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _farewell(writer: asyncio.StreamWriter, words: str, code: str) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(protocol.error(words, code, "FATAL"))
        await asyncio.wait_for(writer.drain(), 1)
