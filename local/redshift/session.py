"""Serves one client: decides which of its messages pass through and which statements run for it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

from local.redshift import protocol
from local.redshift.backend import Answer, Backend, Streams, refusal
from local.redshift.sql.plan import Load, Plan, Refuse, Script, Send
from local.redshift.sql.rewrite import rewrite

statement_log = logging.getLogger("redshift.statements")
# Text whose rewriting would hold up the other sessions.
_LONG_TEXT = 20_000
# Password, Bind, Describe, Execute, Close, Flush; and what a COPY leaves behind, which PostgreSQL itself ignores.
_PASSED = b"pBDECHdcf"
_TRANSACTION_CONTROL = {"BEGIN", "BEGIN READ ONLY", "COMMIT", "ROLLBACK"}
_SYNC = protocol.message(b"S")

# Runs a COPY in the client's own PostgreSQL session; returns notices for the client.
Loader = Callable[[Load, Backend], Awaitable[list[bytes]]]


class Session:
    """Works off the client's messages in their order; ``read`` and ``run`` run beside each other.

    PostgreSQL gets an empty statement in place of one of ours, and so keeps the names of prepared statements and
    portals and describes them; only to execute one is left to do here.
    """

    def __init__(self, client: Streams, backend: Backend, load: Loader) -> None:
        self._client, self._answers = client
        self._backend = backend
        self._load = load
        # Read ahead, while the client's earlier ones are worked off.
        self._messages: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue(64)
        # Those of the client's statements and portals that are ours.
        self._statements: dict[bytes, Plan | None] = {}
        self._portals: dict[bytes, Plan | None] = {}
        # After an error in a pipeline the rest of it is passed over.
        self._skipping = False

    async def read(self) -> None:
        """Read until the client says goodbye. If it vanishes, so does its PostgreSQL session, whatever it is doing."""
        kind = b""
        try:
            while kind != b"X":
                kind = await self._client.readexactly(1)
                await self._messages.put((kind, await protocol.read_body(self._client)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._backend.close()
            raise

    async def run(self) -> None:
        """Serve the client until it says goodbye."""
        while (message := await self._messages.get())[0] != b"X":
            kind, body = message
            if self._skipping and kind != b"S":
                continue
            await self._message(kind, body)
            await self._backend.drain()
            if kind in b"QS":
                await self._backend.catch_up()

    async def _message(self, kind: bytes, body: bytes) -> None:
        if kind == b"Q":
            await self._simple(await self._plans(body[:-1]))
        elif kind == b"P":
            await self._parse(body)
        elif kind == b"E" and (plan := self._portals.get(body.partition(b"\0")[0])):
            self._skipping = not (await self._shown(_SYNC) and await self._ours(plan))
        elif kind == b"S" and self._skipping:
            self._skipping = False
            self._answers.write(protocol.message(b"Z", self._backend.status))
        elif kind == b"S":
            self._backend.send(_SYNC, Answer())
        elif kind in _PASSED:
            if kind == b"B":
                portal, _, rest = body.partition(b"\0")
                self._portals[portal] = self._statements.get(rest.partition(b"\0")[0])
            self._backend.send(protocol.message(kind, body))
        else:
            raise protocol.ProtocolError(f"the message {kind!r} is refused: the stand-in does not know it")

    async def _plans(self, sql: bytes) -> tuple[Plan, ...]:
        text = sql.decode(errors="replace")
        if text.encode() != sql:
            return (Refuse("The statement is refused: it is not UTF-8.", "22021"),)
        if statement_log.handlers:
            statement_log.info(json.dumps(text))
        if len(text) > _LONG_TEXT:
            return await asyncio.get_running_loop().run_in_executor(None, rewrite, text)
        return rewrite(text)

    async def _parse(self, body: bytes) -> None:
        name, _, rest = body.partition(b"\0")
        sql, _, types = rest.partition(b"\0")
        plan, *more = await self._plans(sql) or (Send(""),)
        if more:
            plan = Refuse("cannot insert multiple commands into a prepared statement", "42601")
        text = _text(plan)
        self._statements[name] = plan if text is None else None
        self._backend.send(protocol.message(b"P", name + b"\0" + protocol.text(text or "") + types))

    async def _simple(self, plans: tuple[Plan, ...]) -> None:
        """Run a string of statements as one transaction, like PostgreSQL does, also if one of them is ours."""
        texts = [_text(plan) for plan in plans]
        if all(text is not None for text in texts):
            self._backend.send(protocol.query("; ".join(filter(None, texts))), Answer())
            return
        await self._shown(_SYNC)
        own = len(plans) > 1 and self._backend.status == b"I" and _TRANSACTION_CONTROL.isdisjoint(texts)
        if own:
            plans = (Script("BEGIN", ""), *plans, Script("COMMIT", ""))
        for plan in plans:
            text = _text(plan)
            if not await (self._ours(plan) if text is None else self._shown(protocol.query(text))):
                break
        if own and self._backend.status == b"E":
            await self._backend.ask("ROLLBACK")
        self._answers.write(protocol.message(b"Z", self._backend.status))

    async def _shown(self, data: bytes) -> bool:
        """Send a Query, or a Sync, whose answer the client sees but for its end; tell whether all went well.

        Before a statement of ours in a pipeline, a Sync commits the implicit transaction it cannot be part of.
        """
        answer = Answer(hidden=b"Z")
        self._backend.send(data, answer)
        await self._backend.settle()
        return answer.failure is None

    async def _ours(self, plan: Plan) -> bool:
        """Run a statement of ours and tell the client what became of it; False if it failed."""
        notices: list[bytes] = []
        tag = "COPY"
        try:
            if isinstance(plan, Load):
                notices = await self._load(plan, self._backend)
            elif isinstance(plan, Script):
                commits = plan.commits and self._backend.status == b"T"
                await self._backend.ask(f"{plan.sql}; COMMIT" if commits else plan.sql)
                tag = plan.tag
        except protocol.BackendError as error:
            self._answers.write(protocol.report(b"E", error.fields))
            return False
        self._answers.writelines([*notices, protocol.message(b"C", protocol.text(tag)) if tag else b""])
        return True


def _text(plan: Plan) -> str | None:
    """What PostgreSQL gets and answers itself: a statement or its refusal; None for a statement of ours."""
    if isinstance(plan, Refuse):
        return refusal(plan.message, plan.code)
    return plan.sql if isinstance(plan, Send) else None
