"""One connection to the relay: lines out, replies in, each by a deadline; what opening and errands speak over."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from gateway.carriers.smtp.replies import find_pause, kind_of
from gateway.errors import CarrierError

WINDOW: Final = 8  # letters on their way over one connection, at most …
FIRST: Final = 2  # … and until it is known how quick the server is
QUICK: Final = 0.4  # seconds within which a server that is quick answers for a letter
LONGEST_REPLY: Final = 64 * 1024
_CODES: Final = {b"%d" % code: code for code in range(200, 600)}


class ReplyListener(Protocol):
    """Whoever waits for replies just now."""

    def heard(self, code: int, reply: bytes) -> None: ...

    def drained(self) -> None:
        """All that was written has gone to the kernel, after some of it had to wait."""

    def lost(self, reason: str) -> None:
        """The connection has ended; nothing more will be heard."""


class SmtpConnection(asyncio.Protocol):
    """Reads replies and hands each to its listener. With none, whatever the server says is a reason to hang up."""

    def __init__(self, timeout: float, first: ReplyListener) -> None:
        self._loop = asyncio.get_running_loop()
        self.timeout = timeout
        self.offers: frozenset[str] = frozenset()  # the server's EHLO keywords and AUTH mechanisms ("AUTH PLAIN")
        self.carried = 0  # letters taken over this connection
        self.left = 1000  # letters it may still carry
        self.window = FIRST  # letters that may be on their way at once: more while the server is quick
        self.broken = ""  # why it has ended, once it has
        self.draining = False
        self._listener: ReplyListener | None = (
            first  # hears the greeting, which may come before anyone could ask for it
        )
        self._held = b""
        self._reply = b""
        self._deadline = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.use(transport)

    def use(self, transport: asyncio.BaseTransport | None) -> None:
        """Speaks over this transport from now on: the first, or the one with TLS. What came before TLS is dropped."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio's
        self._held = self._reply = b""
        # Told of every byte the kernel would not take, an errand knows whether its final dot has left.
        self._transport.set_write_buffer_limits(high=1, low=0)

    @property
    def transport(self) -> asyncio.Transport:
        return self._transport

    def write(self, data: bytes) -> None:
        if not self.broken:
            self._transport.write(data)

    def listen(self, listener: ReplyListener) -> None:
        """From now on replies are this one's, each within the timeout since the one before."""
        self._listener = listener
        if self.broken:
            self._tell_lost()
        else:
            self.allow(self.timeout)
            self._look()

    def rest(self) -> None:
        """Nobody waits for anything."""
        self._listener = None
        if self._watch:
            self._watch.cancel()

    def answered(self, begun: float) -> None:
        """A letter that was begun then has its answer: what begins now must not wait long behind others."""
        if self._loop.time() - begun > QUICK:
            self.window = max(1, self.window // 2)
        elif self.window < WINDOW:
            self.window += 1

    @property
    def quick(self) -> bool:
        return self.window > 1

    def allow(self, seconds: float) -> None:
        """The next reply may take this long."""
        self._deadline = self._loop.time() + seconds

    def _look(self) -> None:
        """One timer for many replies: when it rings it looks how far the deadline has moved meanwhile."""
        left = self._deadline - self._loop.time()
        if left <= 0:
            self.break_off("timeout")
        else:
            self._watch = self._loop.call_later(left, self._look)

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        if lines and not self._reply:  # a reply that comes line by line gets no more time for each
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
        elif code == 421:  # said of any command by a server that is about to close
            known = find_pause(code, line)
            self.break_off(known.reason if known else "421")
        else:
            reply, self._reply = self._reply + line, b""
            self._listener.heard(code, reply)

    def pause_writing(self) -> None:
        self.draining = True

    def resume_writing(self) -> None:
        self.draining = False
        if self._listener:
            self._listener.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self.break_off("cut")

    def break_off(self, reason: str) -> None:
        """Ends it at once and tells the listener why; the first reason counts."""
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
        """The polite end of a resting connection; nobody waits for the 221."""
        if not self.broken:
            self.write(b"QUIT\r\n")
            self.broken = "quit"
            self._transport.close()


class PendingReply:
    """Listens for one reply."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def heard(self, code: int, reply: bytes) -> None:
        if not self.reply.done():
            self.reply.set_result((code, reply))

    def drained(self) -> None:
        return None

    def lost(self, reason: str) -> None:
        if not self.reply.done():
            self.reply.set_exception(CarrierError(reason, kind_of(reason)))


async def ask(link: SmtpConnection, command: bytes) -> tuple[int, bytes]:
    """Says one line and waits for its reply, all lines of it. Raises CarrierError."""
    question = PendingReply()
    link.listen(question)
    link.write(command + b"\r\n")
    try:
        return await question.reply
    finally:
        link.rest()
