"""Sends mails over one open connection to a server that takes CHUNKING (RFC 3030) with PIPELINING, for
gateway/carriers/smtp/relay.

Several mails are on their way at once, each complete: there is no wait for a reply between an envelope and its content,
and several mails share a write. RSET begins each, so that what the server refused can never mix with what follows. When
the connection is cut, it is unknown for up to WINDOW mails whether they were taken; without CHUNKING only for one mail.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.smtp.connection import SmtpConnection
from gateway.carriers.smtp.message import envelope, find_flaw
from gateway.carriers.smtp.replies import (
    accepted_outcome,
    is_closing,
    kind_of,
    refused_outcome,
    unanswered_outcome,
    untaken_outcome,
)
from gateway.carriers.smtp.transaction import FINAL_SHARE, RSET, Settled
from gateway.errors import CarrierError

OFFERS: Final = frozenset({"PIPELINING", "CHUNKING"})
MOST_OCTETS: Final = 64 * 1024  # octets on their way, after which no further mail begins
COMMANDS: Final = ("RSET", "MAIL", "RCPT", "content")


@dataclass(slots=True)
class InFlight:
    """A mail that is completely written, and the first refusal of it."""

    email: OutboundEmail
    size: int
    begun: float
    refusal: Outcome | None = None


class ChunkedTransaction:
    """One run over one connection: takes mails from a queue that others take from too, until it is empty or the gate
    has to be asked about the next mail.

    Whatever ends the run, each mail that it took then has its outcome or is back in the queue.
    """

    def __init__(
        self, link: SmtpConnection, queue: deque[OutboundEmail], settled: Settled, reused: bool, gate: Gate = OPEN
    ) -> None:
        self._link, self._queue, self._settled, self._gate = link, queue, settled, gate
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sailing: deque[InFlight] = deque()
        self._octets = 0
        self._step = 0  # which of COMMANDS of the oldest mail on its way the next reply is about
        self._proving = reused  # a kept connection must answer first, so that no mail is written to a dead one
        self._paused: Outcome | None = None

    async def run(self) -> None:
        """Runs until the queue is empty or the connection has carried its share. Raises CarrierError when it breaks."""
        self._link.listen(self)
        if not self._done.done():
            if self._proving:
                self._link.write(RSET)
            else:
                self._load()
        try:
            await self._done
        except asyncio.CancelledError:
            self._link.break_off("cancelled")
            raise
        finally:
            self._link.rest()

    # Callbacks of the connection

    def on_reply(self, code: int, reply: bytes) -> None:
        try:
            self._judge(code, reply)
        except Exception as problem:  # noqa: BLE001  # a bug, here or in `settled`: run() raises it
            self._end(problem)
            self._link.break_off("bug")

    def drained(self) -> None:
        """Does nothing: here it makes no difference whether the kernel has taken all of it."""

    def lost(self, reason: str) -> None:
        """Settles all mails on their way. A 421 instead of a reply refuses the mail it was about and all behind it."""
        sailing, self._sailing = self._sailing, deque()
        for one in sailing:
            fate = untaken_outcome(reason) if is_closing(reason) else unanswered_outcome(reason)
            self._settled(one.email, one.refusal or fate)
        self._end(CarrierError(reason, kind_of(reason)))

    def _end(self, problem: Exception | None = None) -> None:
        if self._done.done():
            return
        if problem:
            self._done.set_exception(problem)
        else:
            self._done.set_result(None)

    # Out

    def _load(self) -> None:
        """Fills the window with one write; when nothing is left to take and nothing is on its way, the run ends. Mails
        of a queue were decided together, and no time passes here: the first one tells whether all of them may begin."""
        parts: list[bytes] = []
        now = asyncio.get_running_loop().time()
        window = self._link.window if self._queue and self._gate.fresh(self._queue[0]) else 0
        while len(self._sailing) < window and self._octets < MOST_OCTETS and (email := self._take()):
            mail, rcpt = envelope(email, self._link.offers)
            content = email.content if email.content.endswith(b"\r\n") else email.content + b"\r\n"
            parts += (RSET, mail, rcpt, b"BDAT %d LAST\r\n" % len(content), content)
            self._sailing.append(InFlight(email, len(content), now))
            self._octets += len(content)
        if parts:
            self._link.write(b"".join(parts))
            self._link.allow(self._link.timeout * FINAL_SHARE)
        elif not self._sailing:
            self._finish()

    def _finish(self) -> None:
        if self._paused is None:
            self._end()
        else:
            self._end(CarrierError(self._paused.reason, "permanent"))
            self._link.break_off(self._paused.reason)

    def _take(self) -> OutboundEmail | None:
        while self._queue and self._link.left > 0 and self._paused is None:
            email = self._queue.popleft()
            reason = find_flaw(email, self._link.offers)
            if not reason:
                self._link.left -= 1
                return email
            self._settled(email, Outcome("failed", reason=reason))
        return None

    # In

    def _judge(self, code: int, reply: bytes) -> None:
        if self._proving:
            self._proving = False
            self._load()
        elif not self._sailing or 300 <= code < 400:
            self._link.break_off("protocol")
        elif self._step < 3:
            if code >= 400:
                self._note(code, reply)
            self._step += 1
        else:
            self._ended(code, reply)

    def _note(self, code: int, reply: bytes) -> None:
        """Notes the first refusal of a mail: its later commands fail after that anyway."""
        one = self._sailing[0]
        if one.refusal is None and code == 503:  # "bad sequence": we and the server have lost each other
            self._link.break_off("503")
        elif one.refusal is None:
            one.refusal = refused_outcome(code, reply, COMMANDS[self._step])

    def _ended(self, code: int, reply: bytes) -> None:
        """Handles the last reply about a mail. A mail that was refused before is not taken, whatever it says."""
        one = self._sailing.popleft()
        self._step = 0
        self._octets -= one.size
        self._link.answered(one.begun)
        if one.refusal is None and code < 300:
            self._link.carried += 1
            self._settled(one.email, accepted_outcome(reply))
        else:
            outcome = one.refusal or refused_outcome(code, reply, COMMANDS[3])
            self._paused = outcome if outcome.pause else self._paused
            self._settled(one.email, outcome)
        if len(self._sailing) <= self._link.window // 2:
            self._load()
