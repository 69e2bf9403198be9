"""The unread bytes of one mail connection, limited whatever is sent. gateway/doors/smtp/protocol reads them."""

import asyncio

LONGEST_LINE = 1000  # octets with CRLF (RFC 5321, 4.5.3.1.6)
FULL = 256 * 1024  # unread octets, above which the client has to wait


class TooLongError(Exception):
    """A command line has no end within LONGEST_LINE octets."""


class ReadBuffer:
    """`feed` is called by the loop, the rest by the one task that serves the connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._unread = bytearray()
        self._held = bytearray()
        self._ended = False
        self._paused = self._blocked = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether the reader waits for a line, and nothing of it has arrived."""
        return self._waiter is not None and not self._waiter.done() and not self._unread

    def move(self, transport: asyncio.Transport) -> None:
        """Continues the same connection over another transport: under TLS."""
        self._transport = transport

    @property
    def unread(self) -> bool:
        return bool(self._unread)

    def feed(self, data: bytes) -> None:
        self._unread += data
        self._rest_when_full()
        self._wake()

    def hold(self, data: bytes) -> None:
        """Keeps what came behind a mail that is still being stored: nobody reads it before `released` is called."""
        self._held += data
        self._rest_when_full()

    def released(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        self._go_on_when_empty()
        return held

    def end(self) -> None:
        """Notes that nothing more will come; what has arrived is still read."""
        self._ended = True
        self._wake()

    async def line(self) -> bytes:
        """Returns the next line with its end. Raises TooLongError, and EOFError when there is no more."""
        start = 0
        while (end := self._unread.find(b"\n", start, LONGEST_LINE)) < 0:
            start = len(self._unread)
            if start >= LONGEST_LINE:
                raise TooLongError
            await self._more()
        return self._take(end + 1)

    def take(self) -> bytes:
        """Returns all unread bytes."""
        return self._take(len(self._unread))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        self._go_on_when_empty()
        return taken

    def block(self, blocked: bool) -> None:
        """Stops reading while the client does not read our replies, which would otherwise pile up."""
        self._blocked = blocked
        self._rest_when_full()
        self._go_on_when_empty()

    @property
    def _full(self) -> bool:
        return self._blocked or len(self._unread) + len(self._held) > FULL

    def _rest_when_full(self) -> None:
        if not self._paused and self._full:
            self._transport.pause_reading()
            self._paused = True

    def _go_on_when_empty(self) -> None:
        if self._paused and not self._full:
            self._transport.resume_reading()
            self._paused = False

    async def _more(self) -> None:
        if self._ended:
            raise EOFError
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
