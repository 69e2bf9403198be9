"""One connection to the relay: it writes lines and reads replies, each with a deadline. The handshake and the
transactions use it."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from gateway.carriers.smtp.replies import find_pause, kind_of
from gateway.errors import CarrierError

WINDOW: Final = 8  # mails on their way over one connection, at most …
FIRST: Final = 2  # … and until it is known how quick the server is
QUICK: Final = 0.4  # seconds within which a quick server answers for a mail
LONGEST_REPLY: Final = 64 * 1024
_CODES: Final = {b"%d" % code: code for code in range(200, 600)}


class ReplyListener(Protocol):
    """The part that waits for replies at the moment."""

    def on_reply(self, code: int, reply: bytes) -> None: ...

    def drained(self) -> None:
        """The kernel has now taken all that was written, after some of it had to wait."""

    def lost(self, reason: str) -> None:
        """The connection has ended; no more replies will come."""


class SmtpConnection(asyncio.Protocol):
    """Reads replies and hands each to its listener. If there is none, it hangs up on whatever the server says."""

    def __init__(self, timeout: float, first: ReplyListener) -> None:
        self._loop = asyncio.get_running_loop()
        self.timeout = timeout
        self.offers: frozenset[str] = frozenset()  # the server's EHLO keywords and AUTH mechanisms ("AUTH PLAIN")
        self.carried = 0  # mails that the server took over this connection
        self.left = 1000  # mails it may still carry
        self.window = FIRST  # mails that may be on their way at once: more while the server is quick
        self.broken = ""  # why it has ended, once it has
        self.draining = False
        self._listener: ReplyListener | None = (
            first  # receives the greeting, which may come before anybody could call `listen`
        )
        self._held = b""
        self._reply = b""
        self._deadline = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.use(transport)

    def use(self, transport: asyncio.BaseTransport | None) -> None:
        """Uses this transport from now on: the first one, or the one with TLS. What came before TLS is dropped."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        self._held = self._reply = b""
        # With these limits we hear of every byte that the kernel did not take, so a transaction knows whether its final
        # dot has left.
        self._transport.set_write_buffer_limits(high=1, low=0)

    @property
    def transport(self) -> asyncio.Transport:
        return self._transport

    def write(self, data: bytes) -> None:
        if not self.broken:
            self._transport.write(data)

    def listen(self, listener: ReplyListener) -> None:
        """Hands replies to this listener from now on; each must come within the timeout since the one before."""
        self._listener = listener
        if self.broken:
            self._tell_lost()
        else:
            self.allow(self.timeout)
            self._look()

    def rest(self) -> None:
        """Removes the listener and its deadline: nobody waits for a reply."""
        self._listener = None
        if self._watch:
            self._watch.cancel()

    def answered(self, begun: float) -> None:
        """Adapts the window when a mail that began at `begun` has its answer: new mails must not wait long behind
        others."""
        if self._loop.time() - begun > QUICK:
            self.window = max(1, self.window // 2)
        elif self.window < WINDOW:
            self.window += 1

    @property
    def quick(self) -> bool:
        return self.window > 1

    def allow(self, seconds: float) -> None:
        """Allows the next reply to take this long."""
        self._deadline = self._loop.time() + seconds

    def _look(self) -> None:
        """Uses one timer for many replies: when it fires it checks how far the deadline has moved meanwhile."""
        left = self._deadline - self._loop.time()
        if left <= 0:
            self.break_off("timeout")
        else:
            self._watch = self._loop.call_later(left, self._look)

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        if lines and not self._reply:  # the further lines of a reply get no more time
            self.allow(self.timeout)
        for line in lines:
            if self.broken:
                return
            self._line(line)
        if len(self._held) + len(self._reply) > LONGEST_REPLY:
            self.break_off("protocol")

    def _line(self, line: bytes) -> None:
        code = _CODES.get(line[:3])
        if code is None or self._listener is None:
            self.break_off("protocol")
        elif line[3:4] == b"-":
            self._reply += line + b"\n"
        elif code == 421:  # the reply to any command of a server that is about to close the connection
            known = find_pause(code, line)
            self.break_off(known.reason if known else "421")
        else:
            reply, self._reply = self._reply + line, b""
            self._listener.on_reply(code, reply)

    def pause_writing(self) -> None:
        self.draining = True

    def resume_writing(self) -> None:
        self.draining = False
        if self._listener:
            self._listener.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self.break_off("cut")

    def break_off(self, reason: str) -> None:
        """Ends the connection at once and tells the listener why; the first reason counts."""
        if not self.broken:
            self.broken = reason
            self._transport.abort()
            self._tell_lost()

    def _tell_lost(self) -> None:
        listener = self._listener
        self.rest()
        if listener:
            listener.lost(self.broken)

    def quit(self) -> None:
        """Ends a kept connection with QUIT, without waiting for the 221."""
        if not self.broken:
            self.write(b"QUIT\r\n")
            self.broken = "quit"
            self._transport.close()


class PendingReply:
    """Listens for one reply."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def on_reply(self, code: int, reply: bytes) -> None:
        if not self.reply.done():
            self.reply.set_result((code, reply))

    def drained(self) -> None:
        return None

    def lost(self, reason: str) -> None:
        if not self.reply.done():
            self.reply.set_exception(CarrierError(reason, kind_of(reason)))


async def ask(link: SmtpConnection, command: bytes) -> tuple[int, bytes]:
    """Sends one line and waits for all lines of its reply. Raises CarrierError."""
    question = PendingReply()
    link.listen(question)
    link.write(command + b"\r\n")
    try:
        return await question.reply
    finally:
        link.rest()
