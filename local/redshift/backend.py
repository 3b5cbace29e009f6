"""The client's own PostgreSQL session: passes its answers on, or keeps those to statements of ours."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from socket import SHUT_RDWR

from local.redshift import protocol
from local.redshift.sql.data_types import BYTE_LIMIT_SUFFIX, DECIMAL_LIMIT_SUFFIX, SINGLE_BYTE_SUFFIX
from local.redshift.sql.lexer import quote_literal

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
READ_BYTES = 1 << 18
# As many as PostgreSQL has sessions: a COPY that waits for a lock must not keep another from running.
_FEEDERS = ThreadPoolExecutor(256, "copy-feed")
_FOREVER = 20 * 86_400
# But for a changed setting, which the client must know no matter who changed it.
_ALL_KINDS = bytes(kind for kind in range(256) if kind != ord("S"))
REPORTED_VERSION = "8.0.2"
_SERVER_VERSION = protocol.text("server_version")
# What a constraint that stands for a type's limit says when it is broken.
_LIMITS = {
    BYTE_LIMIT_SUFFIX: ("22001", "Value too long for character type"),
    SINGLE_BYTE_SUFFIX: ("22021", "Multibyte character not supported for CHAR (Hint: Try using VARCHAR)."),
    DECIMAL_LIMIT_SUFFIX: ("22003", "Numeric data overflow (result precision)"),
}
# What we refuse, PostgreSQL itself raises, so that transaction and pipeline fail as for any other error.
_MARK = "refused by the stand-in "
_REFUSED = re.compile(rf'"{_MARK}(.{{5}}) (.*)"$', re.DOTALL)


def refusal(words: str, code: str) -> str:
    """A statement that PostgreSQL fails to parse, carrying what the client shall read instead."""
    return f"SELECT CAST({quote_literal(f'{_MARK}{code} {words}')} AS pg_catalog.oid)"


def as_redshift(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a PostgreSQL error in Redshift's words."""
    said = fields.get("M", "")
    code = fields.get("C", "")
    shown = {letter: fields[letter] for letter in "SVCMDH" if letter in fields}
    if refused := _REFUSED.search(said):
        return {"S": "ERROR", "V": "ERROR", "C": refused[1], "M": refused[2]}
    if code == "23514":
        for suffix, (limit_code, words) in _LIMITS.items():
            if (name := fields.get("n", "")).endswith(suffix):
                return shown | {"C": limit_code, "M": words, "D": f"Column: {name.removesuffix(suffix)}"}
    if code == "40001":
        where = "Serializable isolation violation on table - transactions form a cycle"
        # Not PostgreSQL's SQLSTATE: clients must know it by its number.
        return shown | {"C": "XX000", "M": "1023", "D": f"{where}. {fields.get('D', said)}"}
    if code == "57014":
        return shown | {"M": "Query cancelled on user's request", "D": said}
    return shown


@dataclass
class Answer:
    """What PostgreSQL answers up to its next ReadyForQuery; the client sees it but for the *hidden* kinds."""

    hidden: bytes = b""
    rows: list[list[str | None]] = field(default_factory=list)
    failure: protocol.BackendError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Backend:
    """One connection to PostgreSQL, whose answers go to *client*; *cut_sasl* is for one driver's mistake."""

    def __init__(self, postgresql: Streams, client: asyncio.StreamWriter, *, cut_sasl: bool = False) -> None:
        self._reader, self._writer = postgresql
        self._client = client
        self._cut_sasl = cut_sasl
        self._awaited: deque[Answer] = deque()
        self._remembered: list[str] = []
        self.status = b"I"
        # Waits until PostgreSQL takes more.
        self.drain = self._writer.drain

    def send(self, data: bytes, answer: Answer | None = None) -> None:
        """Pass bytes on; *answer* is expected if they will bring a ReadyForQuery."""
        if answer:
            self._awaited.append(answer)
        self._writer.write(data)

    async def settle(self) -> None:
        """Wait until everything sent was answered."""
        await self.drain()
        if self._awaited:
            await self._awaited[-1].ended.wait()

    async def ask(self, sql: str, rows: Generator[bytes] | None = None) -> Answer:
        """Run statements of ours unseen by the client; *rows* feeds a COPY FROM STDIN. Raise BackendError."""
        await self.settle()
        answer = Answer(_ALL_KINDS)
        query = protocol.query(sql)
        failure: Exception | None = None
        self.send(b"" if rows else query, answer)
        if rows:
            failure = await asyncio.get_running_loop().run_in_executor(_FEEDERS, self._feed, query, rows, answer)
        await self.settle()
        if reason := failure or answer.failure:
            raise reason
        return answer

    def _feed(self, query: bytes, rows: Generator[bytes], answer: Answer) -> Exception | None:
        """Send rows from the thread that makes them: what waits for PostgreSQL's turn is in the socket's buffer."""
        # The transport has nothing left to send, but may close its own socket at any time.
        with self._writer.get_extra_info("socket").dup() as socket, contextlib.closing(rows):
            # Without a limit Python would have the transport wait as well.
            socket.settimeout(_FOREVER)
            socket.sendall(query)
            # Not asked for yet: if PostgreSQL refuses the COPY, it passes over the data.
            try:
                while answer.failure is None and (chunk := next(rows, None)) is not None:
                    if chunk:
                        socket.sendall(protocol.message(b"d", chunk))
                socket.sendall(protocol.message(b"c"))
            # Whatever stopped the rows, PostgreSQL must be told, or it would wait for more.
            except Exception as error:
                socket.sendall(protocol.message(b"f", protocol.text("the load failed")))
                return error
        return None

    def remember(self, setting: str) -> None:
        """Run a SET before the client's next statement, because the transaction is failing now."""
        self._remembered.append(setting)

    async def catch_up(self) -> None:
        """Run what was to be remembered, as soon as no failed transaction is in the way."""
        if self._remembered:
            await self.settle()
            if self.status == b"I":
                settings = self._remembered
                self._remembered = []
                await self.ask("; ".join(settings))

    async def pump(self) -> None:
        """Pass PostgreSQL's answers on until it closes the connection, then raise ConnectionError."""
        buffer = bytearray()
        while data := await self._reader.read(READ_BYTES):
            buffer += data
            self._client.write(b"".join(self._take(kind, whole) for kind, whole in protocol.messages(buffer)))
            await self._client.drain()
        raise ConnectionError("PostgreSQL closed the connection")

    def _take(self, kind: bytes, whole: bytes) -> bytes:
        """Note what a message says; return what the client gets for it."""
        answer = self._awaited[0] if self._awaited else Answer()
        if kind == b"Z":
            self.status = whole[5:6]
            self._awaited.popleft()
            answer.ended.set()
        elif kind == b"E":
            whole = protocol.report(b"E", as_redshift(protocol.fields_of(whole[5:])))
            answer.failure = answer.failure or protocol.BackendError(whole[5:])
        elif kind == b"D" and answer.hidden:
            answer.rows.extend(protocol.rows_of(whole))
        elif kind == b"S" and whole.startswith(_SERVER_VERSION, 5):
            whole = protocol.message(b"S", _SERVER_VERSION + protocol.text(REPORTED_VERSION))
        elif kind == b"R" and self._cut_sasl and whole.startswith(protocol.AUTHENTICATION_SASL, 5):
            # redshift_connector takes the empty name that ends the list of mechanisms for one of them.
            whole = protocol.message(b"R", whole[5:-1])
        return b"" if kind in answer.hidden else whole

    def close(self) -> None:
        """Hang up at once, which ends PostgreSQL's session."""
        with contextlib.suppress(OSError):
            # Closing it would not end what _feed() sends.
            self._writer.get_extra_info("socket").shutdown(SHUT_RDWR)
        self._writer.transport.abort()
