"""One client's session: which of its messages go through, and which statements are run for it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from local.redshift import protocol
from local.redshift.backend import Backend, as_redshift, refusal
from local.redshift.sql.plan import Load, Plan, Refuse, Script, Send
from local.redshift.sql.rewrite import rewrite

# Text whose rewriting would hold up the other sessions.
_LONG_TEXT = 20_000
_TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK")
_FOUND_EMPTY = Send("")


class Loader(Protocol):
    """Runs a COPY in the client's own PostgreSQL session; returns notices for the client."""

    async def __call__(self, load: Load, backend: Backend) -> list[bytes]: ...


class Session:
    """Reads the client's messages once it is logged in."""

    def __init__(
        self, client: asyncio.StreamReader, answers: asyncio.StreamWriter, backend: Backend, load: Loader
    ) -> None:
        self._client, self._answers, self._backend, self._load = client, answers, backend, load
        # Statements and portals that PostgreSQL knows nothing of.
        self._statements: dict[bytes, Plan] = {}
        self._portals: dict[bytes, Plan] = {}
        self._unsynchronised = False
        self._skipping = False

    async def run(self) -> None:
        """Serve the client until it says goodbye or vanishes."""
        while True:
            head = await self._client.readexactly(5)
            length = int.from_bytes(head[1:], "big", signed=True)
            if not 4 <= length <= protocol.MAX_MESSAGE_BYTES:
                raise protocol.ProtocolError(f"a message of {length} bytes is not the PostgreSQL protocol")
            body = await self._client.readexactly(length - 4)
            kind = head[:1]
            if kind == b"X":
                return
            if self._skipping and kind != b"S":
                continue
            await self._message(kind, body, head + body)
            await self._backend.drain()
            await self._answers.drain()

    async def _message(self, kind: bytes, body: bytes, whole: bytes) -> None:
        if kind in (b"Q", b"P", b"B"):
            await self._backend.catch_up()
        if kind == b"Q":
            await self._simple(body)
        elif kind == b"S":
            await self._synchronise(whole)
        elif kind in (b"d", b"c", b"f"):
            return
        elif kind in _EXTENDED:
            await _EXTENDED[kind](self, body, whole)
        elif kind == b"p" or kind == b"H":
            self._backend.send(whole)
        else:
            raise protocol.ProtocolError(f"the message {kind!r} is refused: the stand-in does not know it")

    async def _plans(self, sql: bytes) -> tuple[Plan, ...]:
        try:
            text = sql.decode()
        except UnicodeDecodeError:
            return (Refuse("The statement is refused: it is not UTF-8.", "22021"),)
        if len(text) > _LONG_TEXT:
            return await asyncio.get_running_loop().run_in_executor(None, rewrite, text)
        return rewrite(text)

    # --- simple queries

    async def _simple(self, body: bytes) -> None:
        if self._unsynchronised:
            await self._settle()
        plans = await self._plans(body[:-1])
        texts = [_text(plan) for plan in plans]
        if all(text is not None for text in texts):
            self._backend.send(protocol.query("; ".join(filter(None, texts))), answers=1)
            return
        await self._one_by_one(plans)

    async def _one_by_one(self, plans: tuple[Plan, ...]) -> None:
        """Run a string of statements of which at least one is ours, as one transaction like PostgreSQL does."""
        await self._backend.settle()
        own = (
            len(plans) > 1
            and self._backend.status == b"I"
            and not any(isinstance(plan, Send) and plan.sql.startswith(_TRANSACTION_CONTROL) for plan in plans)
        )
        try:
            if own:
                await self._backend.ask("BEGIN")
            for plan in plans:
                if (text := _text(plan)) is None:
                    await self._ours(plan)
                elif await self._sent_and_failed(text):
                    break
            if own and self._backend.status != b"I":
                await self._backend.ask("COMMIT" if self._backend.status == b"T" else "ROLLBACK")
        except protocol.BackendError as error:
            self._answers.write(protocol.report(b"E", as_redshift(error.fields)))
            if own and self._backend.status != b"I":
                await self._backend.ask("ROLLBACK")
        self._answers.write(protocol.message(b"Z", self._backend.status))

    async def _sent_and_failed(self, text: str) -> bool:
        """Send one statement whose answer the client sees, less its ReadyForQuery; tell whether it failed."""
        self._backend.send(protocol.query(text), answers=1, hidden=True)
        await self._backend.settle()
        return self._backend.failed

    # --- statements of ours

    async def _ours(self, plan: Plan) -> None:
        if self._backend.status == b"E":
            await self._backend.ask("SELECT 1")  # raises what PostgreSQL says in a failed transaction
        if isinstance(plan, Script):
            await self._backend.ask(plan.sql)
            if plan.commits and self._backend.status == b"T":
                await self._backend.ask("COMMIT")
            tag = plan.tag
        elif isinstance(plan, Load):
            for words in await self._load(plan, self._backend):
                self._answers.write(words)
            tag = "COPY"
        self._answers.write(protocol.message(b"C", protocol.text(tag)))

    async def _settle(self) -> bool:
        """Let PostgreSQL finish what the client has sent so far; tell whether it all went well."""
        if not self._unsynchronised:
            await self._backend.settle()
            return True
        # Commits an implicit transaction of a pipeline; a statement of ours cannot be part of one.
        self._backend.send(protocol.message(b"S"), answers=1, hidden=True)
        self._unsynchronised = False
        await self._backend.settle()
        self._skipping = self._backend.failed
        return not self._skipping

    async def _synchronise(self, whole: bytes) -> None:
        if self._skipping:
            self._skipping = False
            self._answers.write(protocol.message(b"Z", self._backend.status))
            return
        self._unsynchronised = False
        self._backend.send(whole, answers=1)

    # --- extended queries

    async def _parse(self, body: bytes, whole: bytes) -> None:
        name, _, rest = body.partition(b"\0")
        sql, _, types = rest.partition(b"\0")
        plans = await self._plans(sql)
        plan = plans[0] if plans else _FOUND_EMPTY
        if len(plans) > 1:
            plan = Refuse("cannot insert multiple commands into a prepared statement", "42601")
        text = _text(plan)
        if text is not None:
            self._statements.pop(name, None)
            self._pass(protocol.message(b"P", name + b"\0" + protocol.text(text) + types))
        elif await self._settle():
            self._statements[name] = plan
            self._answers.write(protocol.message(b"1"))

    async def _bind(self, body: bytes, whole: bytes) -> None:
        portal, _, rest = body.partition(b"\0")
        statement = rest.partition(b"\0")[0]
        plan = self._statements.get(statement)
        if plan is None:
            self._portals.pop(portal, None)
            self._pass(whole)
        elif await self._settle():
            self._portals[portal] = plan
            self._answers.write(protocol.message(b"2"))

    async def _describe(self, body: bytes, whole: bytes) -> None:
        what, name = body[:1], body[1:-1]
        if name not in (self._statements if what == b"S" else self._portals):
            self._pass(whole)
        elif await self._settle():
            if what == b"S":
                self._answers.write(protocol.message(b"t", b"\0\0"))
            self._answers.write(protocol.message(b"n"))

    async def _execute(self, body: bytes, whole: bytes) -> None:
        plan = self._portals.get(body.partition(b"\0")[0])
        if plan is None:
            self._pass(whole)
        elif await self._settle():
            try:
                await self._ours(plan)
            except protocol.BackendError as error:
                self._answers.write(protocol.report(b"E", as_redshift(error.fields)))
                self._skipping = True

    async def _close(self, body: bytes, whole: bytes) -> None:
        known = self._statements if body[:1] == b"S" else self._portals
        if body[1:-1] not in known:
            self._pass(whole)
        elif await self._settle():
            del known[body[1:-1]]
            self._answers.write(protocol.message(b"3"))

    async def _settle_if_pending(self) -> bool:
        return await self._settle()

    def _pass(self, whole: bytes) -> None:
        self._unsynchronised = True
        self._backend.send(whole)


_EXTENDED = {
    b"P": Session._parse,
    b"B": Session._bind,
    b"D": Session._describe,
    b"E": Session._execute,
    b"C": Session._close,
}


def _text(plan: Plan) -> str | None:
    """What to send to PostgreSQL, or None for a statement of ours."""
    if isinstance(plan, Send):
        return plan.sql
    if isinstance(plan, Refuse):
        return refusal(plan.message, plan.code)
    return None
