"""The client's own PostgreSQL session: passes its answers on, or catches them for statements of ours."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from local.redshift import protocol
from local.redshift.sql.lexer import quote_literal
from local.redshift.sql.tables import BYTE_LIMIT_SUFFIX

READ_BYTES = 1 << 18
REPORTED_VERSION = "8.0.2"
# What we refuse, PostgreSQL itself raises, so that transaction and pipeline fail as for any other error.
_MARK = "refused by the stand-in "
_REFUSED = re.compile(rf'"{_MARK}(.{{5}}) (.*)"$', re.DOTALL)


def refusal(words: str, code: str) -> str:
    """A statement that PostgreSQL fails to parse, carrying what the client shall read instead."""
    return f"SELECT CAST({quote_literal(f'{_MARK}{code} {words}')} AS pg_catalog.oid)"


def as_redshift(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a PostgreSQL error in Redshift's words."""
    said, code = fields.get("M", ""), fields.get("C", "")
    shown = {letter: fields[letter] for letter in "SVCMDH" if letter in fields}
    if refused := _REFUSED.search(said):
        return {"S": "ERROR", "V": "ERROR", "C": refused[1], "M": refused[2]}
    if code == "23514" and fields.get("n", "").endswith(BYTE_LIMIT_SUFFIX):
        column = fields["n"].removesuffix(BYTE_LIMIT_SUFFIX)
        return shown | {"C": "22001", "M": "Value too long for character type", "D": f"Column: {column}"}
    if code == "40001":
        where = "Serializable isolation violation on table - transactions form a cycle"
        return shown | {"M": f"1023: {where}", "D": f"{where}. {fields.get('D', said)}"}
    if code == "57014":
        return shown | {"M": "Query cancelled on user's request", "D": said}
    return shown or {"S": "ERROR", "C": "XX000", "M": said}


@dataclass
class Answer:
    """What PostgreSQL answered to a statement of ours."""

    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""


class Backend:
    """One connection to PostgreSQL; ``to_client`` is called with the bytes the client shall get."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_client: Callable[[bytes], None],
        drain_client: Callable[[], Awaitable[None]],
        *,
        redshift_driver: bool = False,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._to_client, self._drain_client = to_client, drain_client
        self._redshift_driver = redshift_driver
        self._splitter = protocol.Splitter([b"Z", b"E", b"S", b"G", b"R"])
        self._captured: asyncio.Queue[tuple[bytes, bytes]] | None = None
        self._expected = 0
        self._hidden: set[int] = set()
        self._answered = 0
        self._idle = asyncio.Event()
        self.status = b"I"
        # Whether the last batch of messages that was answered brought an error.
        self.failed = False
        self._failing = False
        self.closed = False
        self._remembered: list[str] = []

    def remember(self, setting: str) -> None:
        """Run a SET before the client's next statement, because the transaction is failing now."""
        self._remembered.append(setting)

    async def catch_up(self) -> None:
        """Run what was to be remembered, as soon as no failed transaction is in the way."""
        if self._remembered and self._answered == self._expected and self.status == b"I":
            settings, self._remembered = self._remembered, []
            await self.ask("; ".join(settings))

    def send(self, data: bytes, *, answers: int = 0, hidden: bool = False) -> None:
        """Pass bytes to PostgreSQL; *answers* is how many ReadyForQuery they will bring."""
        for _ in range(answers):
            self._expected += 1
            if hidden:
                self._hidden.add(self._expected)
        if answers:
            self._idle.clear()
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until PostgreSQL takes more."""
        await self._writer.drain()

    async def settle(self) -> None:
        """Wait until everything sent was answered."""
        await self.drain()
        while self._answered < self._expected:
            await self._idle.wait()
            if self.closed:
                raise ConnectionError("PostgreSQL closed the connection")
        if self.closed:
            raise ConnectionError("PostgreSQL closed the connection")

    async def pump(self) -> None:
        """Read PostgreSQL's answers until it closes the connection."""
        try:
            while data := await self._reader.read(READ_BYTES):
                for kind, whole in self._splitter.feed(data, every=self._captured is not None):
                    self._take(kind, whole)
                await self._drain_client()
        finally:
            self.closed = True
            self._idle.set()
            if self._captured is not None:
                self._captured.put_nowait((b"", b""))

    def _take(self, kind: bytes, whole: bytes) -> None:
        if kind == b"Z":
            self.status = whole[5:6]
            self._answered += 1
            if self._answered in self._hidden:
                self._hidden.discard(self._answered)
                whole = b""
            if self._answered >= self._expected:
                self._idle.set()
            self.failed, self._failing = self._failing, False
        elif kind == b"E":
            self._failing = True
        if self._captured is not None and kind != b"S":
            if kind != b"N":
                self._captured.put_nowait((kind, whole))
            return
        if kind == b"E":
            whole = protocol.report(b"E", as_redshift(protocol.fields_of(whole[5:])))
        elif kind == b"S" and whole[5:].startswith(b"server_version\0"):
            whole = protocol.message(b"S", protocol.text("server_version") + protocol.text(REPORTED_VERSION))
        elif kind == b"G":
            raise protocol.ProtocolError("PostgreSQL asks for COPY data that nobody sends")
        elif kind == b"R" and self._redshift_driver and whole[5:9] == protocol.AUTHENTICATION_SASL:
            # redshift_connector takes the empty name that ends the list of mechanisms for one of them.
            whole = protocol.message(b"R", whole[5:-1])
        if whole:
            self._to_client(whole)

    async def ask(self, sql: str, rows: AsyncGenerator[bytes] | None = None) -> Answer:
        """Run statements of ours unseen by the client; *rows* feeds a COPY FROM STDIN. Raise BackendError."""
        await self.settle()
        captured = self._captured = asyncio.Queue()
        answer, failure = Answer(), None
        try:
            self.send(protocol.query(sql), answers=1)
            await self.drain()
            while True:
                kind, whole = await captured.get()
                if kind == b"D":
                    answer.rows.append(protocol.row_of(whole[5:]))
                elif kind == b"C":
                    answer.tag = whole[5:-1].decode()
                elif kind == b"G":
                    if rows is None:
                        raise protocol.ProtocolError("PostgreSQL asks for COPY data that nobody sends")
                    failure = await self._feed(rows, captured) or failure
                elif kind == b"E":
                    failure = failure or protocol.BackendError(whole[5:])
                elif kind == b"Z":
                    break
                elif kind == b"":
                    raise ConnectionError("PostgreSQL closed the connection")
        finally:
            self._captured = None
        if failure is not None:
            raise failure
        return answer

    async def _feed(
        self, rows: AsyncGenerator[bytes], captured: asyncio.Queue[tuple[bytes, bytes]]
    ) -> Exception | None:
        try:
            async with contextlib.aclosing(rows):
                async for chunk in rows:
                    self._writer.write(protocol.message(b"d", chunk))
                    await self.drain()
                    if not captured.empty():
                        return None
            self._writer.write(protocol.message(b"c"))
        except ConnectionError:
            raise
        # Whatever stopped the rows, PostgreSQL must be told, or it would wait for more.
        except Exception as error:
            self._writer.write(protocol.message(b"f", protocol.text("the load failed")))
            return error
        return None

    def close(self) -> None:
        """Hang up, which ends PostgreSQL's session."""
        self._writer.close()
