"""Sends mails over one open connection, for gateway/carriers/smtp/relay.

A mail costs one write and one wait: while the server is quick, the envelope of the next mail goes with its content (RFC
2920 3.1 lets a content begin a group of commands and DATA end it). To a server without PIPELINING the same commands are
sent one by one. If the server took long to ask for the content, the gate is asked just before the content leaves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.common.send_gate import OPEN, Gate, may_leave
from gateway.carriers.smtp.connection import SmtpConnection
from gateway.carriers.smtp.message import envelope, find_flaw, wire_format
from gateway.carriers.smtp.replies import (
    accepted_outcome,
    is_closing,
    kind_of,
    refused_outcome,
    unanswered_outcome,
    untaken_outcome,
)
from gateway.errors import CarrierError

Settled = Callable[[OutboundEmail, Outcome], None]
DOT: Final = b".\r\n"
DATA: Final = b"DATA\r\n"
RSET: Final = b"RSET\r\n"
SMALL: Final = 32 * 1024  # octets of content up to which the next envelope goes in the same write
FINAL_SHARE: Final = 2.0  # RFC 5321 4.5.3.2: 5 minutes for a command, 10 for the final dot


class SmtpTransaction:
    """One run over one connection: takes mails from a queue that others take from too, until it is empty or the gate
    has to be asked about the next mail.

    Whatever ends the run, each mail that it took then has its outcome or is back in the queue.
    """

    def __init__(
        self, link: SmtpConnection, queue: deque[OutboundEmail], settled: Settled, reused: bool, gate: Gate = OPEN
    ) -> None:
        self._link, self._queue, self._settled, self._gate = link, queue, settled, gate
        self._pipelining = "PIPELINING" in link.offers
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._step: Callable[[int, bytes], None] = self._on_mail
        self._email: OutboundEmail | None = None  # the mail whose envelope is written
        self._rcpt = b""
        self._refusal: Outcome | None = None  # the refusal of that envelope
        self._poured: OutboundEmail | None = None  # the mail whose content is written and has no final reply yet
        self._undotted = False  # the kernel has not yet taken the end of a long content, and so not its final dot
        self._later = b""  # the next envelope, which waits for that
        self._poured_at = 0.0
        self._asking: asyncio.Task[None] | None = None  # asks the gate whether the mail may still leave
        self._stale = reused  # a kept connection has not answered yet

    async def run(self) -> None:
        """Runs until the queue is empty or the connection has carried its share. Raises CarrierError when it breaks."""
        self._link.listen(self)
        if not self._done.done():
            self._next()
        try:
            await self._done
        except asyncio.CancelledError:
            self._link.break_off("cancelled")
            raise
        finally:
            self._link.rest()

    # Callbacks of the connection

    def on_reply(self, code: int, reply: bytes) -> None:
        self._stale = False
        try:
            self._step(code, reply)
        except Exception as problem:  # noqa: BLE001  # a bug, here or in `settled`: run() raises it
            self._end(problem)
            self._link.break_off("bug")

    def drained(self) -> None:
        self._undotted = False
        self._link.allow(self._link.timeout * FINAL_SHARE)
        later, self._later = self._later, b""
        if later:
            self._link.write(later)

    def lost(self, reason: str) -> None:
        poured, self._poured = self._poured, None
        email, self._email = self._email, None
        if poured:
            self._settled(poured, self._fate(reason))
        if email and self._stale:
            self._queue.appendleft(email)  # the kept connection had ended before, which says nothing about this mail
        elif email:
            self._settled(email, self._refusal or untaken_outcome(reason))
        self._end(CarrierError(reason, kind_of(reason)))

    def _fate(self, reason: str) -> Outcome:
        """Returns the outcome of a mail whose content was written. A 421 instead of the final reply refuses it, and a
        final dot that never left us cannot have been read."""
        return untaken_outcome(reason) if is_closing(reason) or self._undotted else unanswered_outcome(reason)

    def _end(self, problem: Exception | None = None) -> None:
        if self._done.done():
            return
        if problem:
            self._done.set_exception(problem)
        else:
            self._done.set_result(None)

    # The envelope

    def _next(self) -> None:
        out = self._envelope()
        self._link.write(out)
        self._step = self._on_mail
        if self._email is None:
            self._end()

    def _envelope(self) -> bytes:
        """Takes the next mail; returns what to write for it: all three commands, or only the first."""
        self._email, self._refusal = self._take(), None
        if self._email is None:
            return b""
        mail, self._rcpt = envelope(self._email, self._link.offers)
        return mail + self._rcpt + DATA if self._pipelining else mail

    def _take(self) -> OutboundEmail | None:
        while self._queue and self._link.left > 0:
            if not self._gate.fresh(self._queue[0]):
                return None
            email = self._queue.popleft()
            reason = find_flaw(email, self._link.offers)
            if not reason:
                self._link.left -= 1
                return email
            self._settled(email, Outcome("failed", reason=reason))
        return None

    def _on_mail(self, code: int, reply: bytes) -> None:
        if code >= 300:
            self._judge(code, reply, "MAIL")
        self._step = self._on_rcpt
        if not self._pipelining:
            self._go_on(self._rcpt)

    def _on_rcpt(self, code: int, reply: bytes) -> None:
        if code >= 300:
            self._judge(code, reply, "RCPT")
        self._step = self._on_data
        if not self._pipelining:
            self._go_on(DATA)

    def _judge(self, code: int, reply: bytes, command: str) -> None:
        """Notes a refusal; the first one counts, because the later commands of the group fail after it anyway."""
        if self._refusal:
            return
        if code < 400 or code == 503:  # "bad sequence": we and the server are out of step, which is no mail's fault
            self._link.break_off(str(code))
        else:
            self._refusal = refused_outcome(code, reply, command)

    def _go_on(self, command: bytes) -> None:
        """Sends the next command, without PIPELINING; a refused mail ends here."""
        if self._refusal:
            self._clear(RSET)
        else:
            self._link.write(command)

    def _on_data(self, code: int, reply: bytes) -> None:
        if code == 354 and self._refusal is None:
            self._pour_if_it_may()
        elif code == 354:  # the server wants a content although it took no recipient: it gets an empty one
            self._clear(DOT)
        else:
            if code >= 300:
                self._judge(code, reply, "DATA")
            self._clear(RSET)

    def _clear(self, how: bytes) -> None:
        """Ends a refused mail on both sides, and begins the next."""
        email, refusal = self._email, self._refusal
        if email is None or refusal is None:  # a "250" to DATA, or _judge has ended the connection
            self._link.break_off("protocol")
            return
        self._email = None
        self._settled(email, refusal)
        if refusal.pause:
            self._leave(refusal.reason)
        else:
            self._link.write(how + (self._envelope() if self._pipelining else b""))
            self._step = self._on_cleared

    def _leave(self, reason: str) -> None:
        """Ends the run when a refusal is about us: the mail whose envelope is written would be refused too."""
        email, self._email = self._email, None
        if email:
            self._queue.appendleft(email)
        self._end(CarrierError(reason, "permanent"))
        self._link.break_off(reason)

    def _on_cleared(self, code: int, reply: bytes) -> None:
        if self._email:
            self._step = self._on_mail
        else:
            self._next()

    # The content

    def _pour_if_it_may(self) -> None:
        """Sends the content, after asking the gate if the decision is not fresh. Nothing of the content has left yet,
        however long ago the envelope did."""
        email = self._email
        assert email
        if self._gate.fresh(email):
            self._pour()
        else:
            self._asking = asyncio.get_running_loop().create_task(self._ask_about(email))

    async def _ask_about(self, email: OutboundEmail) -> None:
        try:
            may = await may_leave(self._gate, email)
            if self._email is email and may:
                self._pour()
            elif self._email is email:
                self._withdraw()
        except Exception as problem:  # noqa: BLE001  # as in `on_reply`
            self._end(problem)
            self._link.break_off("bug")

    def _withdraw(self) -> None:
        """Withdraws a mail: the server waits for the content, so only ending the connection keeps it from taking a
        mail."""
        self._email = None
        self._end()
        self._link.break_off("withdrawn")

    def _pour(self) -> None:
        """Writes the content of this mail, and the envelope of the next behind it."""
        email, self._email, self._refusal = self._email, None, None
        assert email
        self._poured = email
        content = wire_format(email.content)
        following = self._envelope() if self._pipelining and self._link.quick else b""
        self._poured_at = asyncio.get_running_loop().time()
        if len(content) <= SMALL:
            self._link.write(content + following)
        else:
            self._pour_long(content, following)
        self._link.allow(self._link.timeout * FINAL_SHARE)
        self._step = self._on_final

    def _pour_long(self, content: bytes, following: bytes) -> None:
        """Writes a long content and the next envelope separately, so that we know whether a connection that ends in the
        middle ended before the final dot."""
        self._link.write(content)
        self._undotted = self._link.draining
        if self._undotted:
            self._later = following
        else:
            self._link.write(following)

    def _on_final(self, code: int, reply: bytes) -> None:
        email = self._poured
        assert email
        if 300 <= code < 400:
            self._link.break_off("protocol")
            return
        self._poured = None
        self._link.answered(self._poured_at)
        self._link.carried += code < 300
        outcome = accepted_outcome(reply) if code < 300 else refused_outcome(code, reply, "content")
        self._settled(email, outcome)
        if outcome.pause:
            self._leave(outcome.reason)
        elif self._email:
            self._step = self._on_mail
        else:
            self._next()
