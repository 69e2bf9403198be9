"""The fast path of a mail connection: plain commands and content are handled at once. gateway/doors/smtp/protocol adds
the other commands of SMTP.

Nearly every mail only needs plain commands, which are MAIL, RCPT and DATA in their usual spelling, and content. They
are answered as they arrive, without waking the task that serves the connection; everything else goes to that task and
to aiosmtpd.
"""

import logging
import re

from gateway.doors.smtp.connection import OVERFULL, ConnectionStage, SmtpServerConnection
from gateway.doors.smtp.data_reader import DataReader

SMALL = 64 * 1024  # octets up to which a mail's memory is not counted
_ADDRESS = rb"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})"
PLAIN = re.compile(
    rb"MAIL FROM:<" + _ADDRESS + rb">(?: SIZE=(\d{1,12}))?\r\n|RCPT TO:<" + _ADDRESS + rb">\r\n|DATA\r\n", re.IGNORECASE
)
OK = "250 OK"
GO_ON = "354 End with CR LF . CR LF"
MOST_RECIPIENT_COMMANDS = 2  # times the allowed recipients of a mail: some may be refused
TEMPORARY = "451 4.3.0 Something is wrong on our side, try again later"
UNWELL = "421 4.3.0 Something is wrong on our side, try again later"
SLOWEST = 1000.0  # octets of a mail in a second; a slower client falls behind in its progress

log = logging.getLogger(__name__)


class FastPath(SmtpServerConnection):
    """Serves one connection after another, as far as plain commands and content go."""

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
            self._octets, self.last_heard = 0, self.loop.time()
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
        self.last_heard = self.loop.time()
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
        self.last_heard = self.loop.time()
        self._stage = ConnectionStage.TALKING
        self.transport.write(reply.encode() + b"\r\n")
        if self._last_words is not None:
            self._part(self._last_words)
            return
        if held := self._wire.released():
            self._hear(held)
        if self._over:
            self._wire.end()
