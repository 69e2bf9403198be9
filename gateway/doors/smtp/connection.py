"""One mail connection: its life, its stages, and its progress towards a mail. gateway/doors/smtp/fast_path reads what
comes in, gateway/doors/smtp/protocol adds the commands of SMTP.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, ClassVar, Final, NamedTuple, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.doors.smtp.auth import SignIn
from gateway.doors.smtp.connection_limits import ConnectionLimiter, origin
from gateway.doors.smtp.data_reader import DataReader
from gateway.doors.smtp.read_buffer import ReadBuffer
from gateway.doors.smtp.tls_certificates import Certificates

OVERFULL = "452 4.3.1 Too many large mails at once, try again later"
FULL_HOUSE = "421 4.3.2 Too many connections, try again later"
NO_ADDRESS: Final[Any] = ("", 0)


class Security(NamedTuple):
    """What one port offers: no TLS, STARTTLS, or TLS from the first octet; and who may sign in over it."""

    certificates: Certificates | None = None
    sign_in: SignIn | None = None
    at_once: bool = False


class ConnectionStage(Enum):
    """What a connection is doing at the moment."""

    SECURING = auto()  # the TLS handshake
    TALKING = auto()  # commands and replies
    ASKED = auto()  # the client answers an AUTH challenge
    SENDING = auto()  # the client sends a mail's content
    STORING = auto()  # we store the mail
    GONE = auto()  # it is closed or closing


RECIPIENT = 0.25  # seconds of progress that one more recipient counts for
LAST_WORDS = 5.0  # seconds to take our last reply, before the connection is cut


class SmtpServerConnection(SMTP, ABC):
    """Serves one connection after another; everything that belongs to one connection is made in connection_made."""

    trusts: ClassVar[bool] = True  # whether a connection may prove who wrote a mail
    protocol: ClassVar[str] = "ESMTP"

    transport: asyncio.Transport | None
    session: Session
    envelope: Envelope
    proof: str | None  # how the client has proved who it is: signed in, or a client certificate
    since: float
    last_heard: float
    _progressed: float  # loop time of the last progress: a step towards a mail, or some of a mail's octets
    _furthest: int  # the furthest step since the last completed mail; repeating a step is no progress
    _recipients: int  # the most recipients of one mail since then
    _ours: int  # operations of ours, such as a look-up, that it waits for now
    _wire: ReadBuffer
    _spent: Counter[str]
    _octets: int  # octets received since the last command line
    _held: int  # octets of a large mail, as the connection limiter counts them
    _secured: bool
    _known_relay: bool
    _stage: ConnectionStage
    _last_words: str | None  # the final reply, which is sent after the mail in hand
    _content: DataReader | None  # reads the mail that is being sent
    _stores: bool  # a mail is being stored, and its one answer is still to come
    _over: bool  # the client has sent its end of file while its mail is stored
    _handler_coroutine: asyncio.Task[None] | None

    def __init__(
        self,
        handler: Any,
        limiter: ConnectionLimiter,
        hostname: str,
        loop: asyncio.AbstractEventLoop,
        security: Security,
        idle: "deque[Any]",
    ) -> None:
        super().__init__(
            handler, data_size_limit=limiter.limits.message, enable_SMTPUTF8=True, hostname=hostname, loop=loop
        )
        self._limiter = limiter
        self._security = security
        self._idle = idle

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without inheriting it
        self.since = self.last_heard = self._progressed = self.loop.time()
        self._furthest = self._recipients = self._ours = 0
        self._spent, self._octets, self._stage, self._last_words = Counter(), 0, ConnectionStage.TALKING, None
        self._content, self._over = None, False
        self._handler_coroutine = None
        self._stores, self._held, self._secured = False, 0, False
        if self._security.at_once:
            self._stage = ConnectionStage.SECURING
        self._forget()
        assert self.session.peer is not None
        self._wire = ReadBuffer(self.loop, self.transport)
        self._known_relay = self.event_handler.knows(self.session.peer[0])
        if not self._limiter.enter(self, self.session.peer[0]):
            self._part(FULL_HOUSE)
            return
        self._handler_coroutine = self.loop.create_task(self._handle_client())

    def _forget(self) -> None:
        """Resets the session: at the start, and after TLS begins, because anybody may have written what came before it
        (RFC 3207 4.2)."""
        assert self.transport is not None
        self._set_rset_state()  # type: ignore[no-untyped-call]
        self.proof = None
        self.session = self._create_session()
        # A socket of this machine has no address.
        self.session.peer = self.transport.get_extra_info("peername") or NO_ADDRESS

    def data_received(self, data: bytes) -> None:
        if self._stage is ConnectionStage.GONE or self.transport is None:
            return
        self._octets += len(data)
        if self._octets > 2 * self._limiter.limits.message:
            self.transport.abort()
            return
        self._hear(data)

    def eof_received(self) -> bool:
        """Keeps the connection open for our answers when the client has sent all; closes it under TLS."""
        if self._stage is ConnectionStage.GONE:
            return False
        if self._stage is ConnectionStage.STORING:
            self._over = True
        else:
            self._wire.end()
        return not self._secured  # TLS cannot be half closed

    def connection_lost(self, error: Exception | None) -> None:
        if self._stage is ConnectionStage.SECURING and self._security.certificates:
            self._security.certificates.complain(error, self._home())
        if self._content is not None:
            self._let_go()
        self._stage = ConnectionStage.GONE
        self._limiter.leave(self)
        self.transport = None
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        if not self._stores:  # otherwise the answer to its last mail is still to come, and no other client may get it
            self._rest()

    def _rest(self) -> None:
        """Makes this object ready for the next connection, once the task of this one has ended."""
        if self._handler_coroutine is None:
            self._idle.append(self)
        else:
            self._handler_coroutine.add_done_callback(lambda _: self._idle.append(self))

    def send_off(self, reply: str, *, now: bool) -> None:
        """The connection limiter wants the place back. A mail that is being stored is always answered first; a mail
        whose content is still coming in is finished first unless `now`."""
        if self._stage is ConnectionStage.STORING or (self._stage is ConnectionStage.SENDING and not now):
            self._last_words = reply
        else:
            self._part(reply)

    @property
    def spoken(self) -> str:
        """The protocol as a Received field names it (RFC 3848)."""
        return (
            self.protocol + "S" * self._secured + "A" * (self.proof is not None and self.session.authenticated is True)
        )

    @property
    def is_known(self) -> bool:
        return self._known_relay or self.proof is not None

    def stalled(self, now: float) -> float | None:
        """Returns the seconds without progress towards a mail; None while the client waits for us, and when it has
        left."""
        if self._ours or self._stage in (ConnectionStage.STORING, ConnectionStage.GONE):
            return None
        return max(0.0, now - self._progressed)

    def refuse_mail(self) -> None:
        """Refuses the mail that is coming in, because others need its memory; the rest of it is read and dropped."""
        if self._content is not None:
            self._content.refuse(OVERFULL)
            self._let_go()

    @contextmanager
    def our_turn(self) -> Iterator[None]:
        """Wraps whatever takes time on our side, so that it does not count against the client's progress."""
        began = self.loop.time()
        self._ours += 1
        try:
            yield
        finally:
            self._ours -= 1
            self._progressed += self.loop.time() - began

    def _note_step(self) -> None:
        """Notes progress: a new step towards a mail counts fully, one more recipient a little, a repeated step not at
        all."""
        envelope, stage = self.envelope, self._stage
        recipients = len(envelope.rcpt_tos)
        step = 2 * self._secured + bool(self.session.host_name) + (self.proof is not None)
        step += bool(envelope.mail_from) + bool(recipients) + (stage is ConnectionStage.SENDING)
        if step > self._furthest:
            self._furthest, self._progressed = step, self.loop.time()
        elif recipients > self._recipients:
            self._credit(RECIPIENT)
        self._recipients = max(self._recipients, recipients)

    def _credit(self, seconds: float) -> None:
        self._progressed = min(self.loop.time(), self._progressed + seconds)

    def _part(self, reply: str) -> None:
        if self._stage is ConnectionStage.SECURING:  # during the handshake the client would not understand a reply
            self._hang_up()
        elif self.transport is not None and self._stage is not ConnectionStage.GONE:
            self._stage = ConnectionStage.GONE
            self._limiter.leave(self)
            self.transport.write(reply.encode() + b"\r\n")
            self._close(self.transport)

    async def push(self, status: str | bytes) -> None:
        """Sends a reply. Replies cannot pile up when the client does not read: see pause_writing."""
        if self.transport is not None and self._stage is not ConnectionStage.GONE:
            self.transport.write((status.encode() if isinstance(status, str) else status) + b"\r\n")

    def _hang_up(self) -> None:
        securing, self._stage = self._stage is ConnectionStage.SECURING, ConnectionStage.GONE
        self._limiter.leave(self)
        if self.transport is not None:
            self.transport.abort() if securing else self._close(self.transport)

    def _close(self, transport: asyncio.Transport) -> None:
        """Closes the transport. The limiter does not count it any more, so a client that does not take our last reply
        in LAST_WORDS seconds is cut off."""
        transport.close()
        if transport.get_write_buffer_size():
            self.loop.call_later(LAST_WORDS, transport.abort)

    def pause_writing(self) -> None:
        """The client does not read our replies."""
        self._wire.block(True)

    def resume_writing(self) -> None:
        if self._stage is not ConnectionStage.GONE:
            self._wire.block(False)

    def _home(self) -> str:
        """Returns the origin for which wrong passwords and certificates are counted."""
        assert self.session.peer is not None
        return origin(self.session.peer[0])

    # What a subclass does with what comes in

    @abstractmethod
    def _hear(self, data: bytes) -> None:
        """Reads what the client sends."""

    @abstractmethod
    def _let_go(self) -> None:
        """Gives back the room of a mail that is no longer in memory."""
