"""One mail connection with its fast path: plain commands and content are handled at once. gateway/doors/smtp/protocol
adds the other commands of SMTP.

Nearly every mail only needs plain commands, which are MAIL, RCPT and DATA in their usual spelling, and content. They
are answered as they arrive, without waking the task that serves the connection; everything else goes to that task and
to aiosmtpd.
"""

import asyncio
import logging
import re
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

SMALL = 64 * 1024  # octets up to which a mail's memory is not counted
OVERFULL = "452 4.3.1 Too many large mails at once, try again later"
TEMPORARY = "451 4.3.0 Something is wrong on our side, try again later"
UNWELL = "421 4.3.0 Something is wrong on our side, try again later"
FULL_HOUSE = "421 4.3.2 Too many connections, try again later"
NO_ADDRESS: Final[Any] = ("", 0)
_ADDRESS = rb"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})"
PLAIN = re.compile(
    rb"MAIL FROM:<" + _ADDRESS + rb">(?: SIZE=(\d{1,12}))?\r\n|RCPT TO:<" + _ADDRESS + rb">\r\n|DATA\r\n", re.IGNORECASE
)
OK = "250 OK"
GO_ON = "354 End with CR LF . CR LF"
MOST_RECIPIENT_COMMANDS = 2  # times the allowed recipients of a mail: some may be refused

log = logging.getLogger(__name__)


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


SLOWEST = 1000.0  # octets of a mail in a second; a slower client falls behind in its progress
RECIPIENT = 0.25  # seconds of progress that one more recipient counts for
LAST_WORDS = 5.0  # seconds to take our last reply, before the connection is cut


class SmtpServerConnection(SMTP):
    """Serves one connection after another; everything that belongs to one connection is made in connection_made."""

    trusts: ClassVar[bool] = True  # whether a connection may prove who wrote a mail
    protocol: ClassVar[str] = "ESMTP"

    transport: asyncio.Transport | None
    session: Session
    envelope: Envelope
    proof: str | None  # how the client has proved who it is: signed in, or a client certificate
    since: float
    heard: float
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
        self.since = self.heard = self._progressed = self.loop.time()
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

    # Incoming data

    def _hear(self, data: bytes) -> None:
        """Handles plain commands and content at once, and leaves everything else to the task."""
        try:
            if self._stage is ConnectionStage.SENDING:
                self._fill(data)
            elif self._stage is ConnectionStage.STORING:
                self._wire.hold(data)
            elif self._wire.idle and self._stage is ConnectionStage.TALKING:
                self._hurry(data)
            else:
                self._wire.feed(data)
        except Exception:  # it is unclear now where the next command begins, so the connection ends
            log.exception("a mail failed")
            self._part(UNWELL)

    def _hurry(self, data: bytes) -> None:
        """Answers the plain commands at the beginning of the data, in one write."""
        said, at = bytearray(), 0
        while self._stage is ConnectionStage.TALKING and (end := data.find(b"\n", at) + 1):
            reply = self._answer_plain(data[at:end])
            if reply is None:
                break
            said += reply.encode() + b"\r\n"
            at = end
        if said and self.transport is not None:
            self.transport.write(said)
        if at == len(data):
            return
        if self._stage is ConnectionStage.SENDING:
            self._fill(data[at:])
        else:
            self._wire.feed(data[at:])

    def _answer_plain(self, line: bytes) -> str | None:
        """Returns the answer to a plain command; None when the line is not one, or when the answer may not be a yes:
        then the task answers it."""
        plain = PLAIN.fullmatch(line)
        envelope = self.envelope
        if plain is None or not self.session.host_name:
            return None
        sender, size, recipient = plain.groups()
        if sender:
            reply = self._mail(sender.decode(), size)
        elif recipient:
            reply = self._recipient(recipient.decode())
        elif reply := GO_ON if envelope.rcpt_tos and not self._too_many("DATA") else None:
            self._begin_content()
        if reply:
            self._octets, self.heard = 0, self.loop.time()
            self._note_step()
        return reply

    def _too_many(self, command: str) -> bool:
        self._spent[command] += 1
        limits = self._limiter.limits
        most = MOST_RECIPIENT_COMMANDS * limits.recipients if command == "RCPT" else limits.commands
        return self._spent[command] > most

    def _mail(self, sender: str, size: bytes | None) -> str | None:
        envelope = self.envelope
        if envelope.mail_from or (
            size and (not self.session.extended_smtp or int(size) > self._limiter.limits.message)
        ):
            return None
        if self._too_many("MAIL"):
            return None
        envelope.mail_from = sender
        if size:
            envelope.mail_options.append(f"SIZE={size.decode()}")
        return OK

    def _recipient(self, address: str) -> str | None:
        envelope = self.envelope
        if not envelope.mail_from or not self.event_handler.admits(envelope, address) or self._too_many("RCPT"):
            return None
        envelope.rcpt_tos.append(address)
        return OK

    # A mail

    def _begin_content(self) -> None:
        self._stage, self._content = ConnectionStage.SENDING, DataReader(self._limiter.limits.message)

    def _fill(self, data: bytes) -> None:
        assert self._content is not None
        self.heard = self.loop.time()
        if self._content.fault is None:
            self._credit(len(data) / SLOWEST)
        rest = self._content.feed(data)
        if self._content.size > SMALL or self._held:
            self._weigh(self._content)
        if rest is None:
            return
        content, self._content = self._content, None
        self._stage = ConnectionStage.STORING
        self._wire.hold(rest)
        self._store(content)

    def _weigh(self, content: DataReader) -> None:
        """Counts the memory of a large mail, which all connections share; without room the mail is refused for now."""
        size = content.size if content.size > SMALL else 0
        if self._limiter.hold(self, size - self._held):
            self._held = size
        else:
            content.refuse(OVERFULL)

    def _answer(self, status: str) -> str:
        return status

    def _let_go(self) -> None:
        """Gives back the room of a mail that is no longer in memory."""
        self._limiter.hold(self, -self._held)
        self._held = 0

    def _store(self, content: DataReader) -> None:
        if content.fault:
            self._ended(content.fault)
            return
        self.envelope.content = content.octets()
        self._stores = True
        try:
            self.event_handler.take(self, self.envelope, self._ended)
        except Exception:
            log.exception("a mail was not stored")
            self._ended(TEMPORARY)

    def _ended(self, status: str) -> None:
        """Sends the mail's one answer, then handles what came behind it. The client may be gone by then."""
        self._stores = False
        if self._held:
            self._let_go()
        if status.startswith("2"):
            self._spent.clear()
            self._furthest = self._recipients = 0
            self._progressed = self.loop.time()
        if self._stage is not ConnectionStage.STORING or self.transport is None:
            return
        reply = self._answer(status)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        self.heard = self.loop.time()
        self._stage = ConnectionStage.TALKING
        self.transport.write(reply.encode() + b"\r\n")
        if self._last_words is not None:
            self._part(self._last_words)
            return
        if held := self._wire.released():
            self._hear(held)
        if self._over:
            self._wire.end()
