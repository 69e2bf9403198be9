"""The mail door: who may be written to, what a mail must be, and 250 only once it is committed. critter/ serves it."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from aiosmtpd.smtp import MISSING, Envelope, Session
from sqlalchemy import Engine

from gateway.doors import authors
from gateway.doors.homecoming import Homecoming, Promise
from gateway.doors.house import House, Limits
from gateway.doors.known import Known
from gateway.doors.listener import TEMPORARY, Listener, Listeners
from gateway.ledger.inbox import Incoming
from gateway.ledger.intake import Draining, Intake
from gateway.network import recipients
from gateway.network.recipients import Recipient
from gateway.settings import Settings
from gateway.tokens import Signer

PATIENCE = 20.0  # seconds for the commit
GRACE = 20.0  # seconds at SIGTERM for mails on their way
BACKLOG = 512
SEPARATORS = ("+", "-", ".")  # between the letter of a token's address and the token; RCPT has read the token
NULL = "<>"  # aiosmtpd's word for the null envelope sender

ACCEPTED = "250 2.0.0 Accepted"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, send the rest in another mail"
ELSEWHERE = "550 5.7.1 We do not pass on mail for others"
UNKNOWN = "550 5.1.1 No such address here"
BAD_SENDER = "550 5.6.0 Exactly one From with exactly one mailbox is needed"

log = logging.getLogger(__name__)


class Storing:
    """A mail that is being committed, and whoever waits for the reply."""

    def __init__(self, answered: Callable[[str], None], loop: asyncio.AbstractEventLoop) -> None:
        self._answered = answered
        self._waits = True
        self._patience = loop.call_later(PATIENCE, self._late)

    def ended(self, error: Exception | None) -> None:
        if error is not None and not isinstance(error, Draining):
            log.error("a mail was not stored", exc_info=error)
        self._patience.cancel()
        self._say(TEMPORARY if error else ACCEPTED)

    def _late(self) -> None:
        log.warning("a mail was not stored in time")
        self._say(TEMPORARY)

    def _say(self, reply: str) -> None:
        if self._waits:
            self._waits = False
            self._answered(reply)


class MailDoor:
    """aiosmtpd's handler: one for all connections of the process, made in its loop."""

    def __init__(self, settings: Settings, intake: Intake, known: Known, limits: Limits) -> None:
        self._settings = settings
        self._signer = Signer(settings.secret_keys)
        self._intake = intake
        self._known = known
        self._limits = limits
        self._home = Homecoming(asyncio.get_running_loop())
        self._trusted = lru_cache(1000)(self._is_trusted)

    async def handle_EHLO(  # noqa: N802
        self, server: Listener, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["\r\n".join([*replies[:-1], "250-PIPELINING", replies[-1]])]  # sent as one

    async def handle_RCPT(  # noqa: N802
        self, server: Listener, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Any:
        """aiosmtpd's MISSING means yes."""
        if len(envelope.rcpt_tos) >= self._limits.recipients:
            return TOO_MANY_RECIPIENTS
        local, _, domain = address.rpartition("@") if "@" in address else (address, "", self._settings.mail_domain)
        if domain.lower() != self._settings.mail_domain:
            return ELSEWHERE
        recipient = recipients.read(local, self._signer)
        return MISSING if recipient and await self._exists(recipient) else UNKNOWN

    def admits(self, envelope: Envelope, address: str) -> bool:
        """Whether this recipient is one more for sure; False also where that takes longer to say."""
        local, _, domain = address.rpartition("@")
        if len(envelope.rcpt_tos) >= self._limits.recipients or domain.lower() != self._settings.mail_domain:
            return False
        recipient = recipients.read(local, self._signer)
        return recipient is not None and (not recipient.handle or self._known.remembers(recipient.handle))

    async def _exists(self, recipient: Recipient) -> bool:
        return not recipient.handle or await self._known.has(recipient.handle)

    def take(self, session: Session, envelope: Envelope, answered: Callable[[str], None]) -> None:
        """Stores a mail. `answered` hears the reply, once: when it is committed, or when that takes too long; it may
        be committed still after that."""
        assert session.peer is not None
        incoming = self._incoming(session.peer[0], envelope)
        if incoming is None:
            answered(BAD_SENDER)
            return
        storing = Storing(answered, asyncio.get_running_loop())
        self._intake.hand_in(incoming, Promise(self._home, storing.ended))

    def _incoming(self, peer: str, envelope: Envelope) -> Incoming | None:
        content = envelope.content
        assert isinstance(content, bytes)
        header = authors.header(content)
        sender = authors.sender(header)
        if sender is None:
            return None
        envelope_from = "" if envelope.mail_from in (NULL, None) else str(envelope.mail_from)
        to = tuple(sorted({address.lower() for address in envelope.rcpt_tos}))
        return Incoming(
            channel="email",
            identity=hashlib.sha256("\n".join([envelope_from, *to, "", ""]).encode() + content).digest(),
            sender=sender,
            recipients=to,
            raw=f"Return-Path: <{envelope_from}>\r\n".encode() + content,
            trusted=self._trusted(peer) or self._is_ours(envelope_from, to),
            message_id=authors.message_id(header),
        )

    def _is_trusted(self, peer: str) -> bool:
        ip = ip_address(peer.partition("%")[0])
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._settings.mail_trust)

    def _is_ours(self, envelope_from: str, to: tuple[str, ...]) -> bool:
        """Mail that goes by our own tokens alone: an unsubscription, or a bounce, which nobody's From could prove."""
        kinds = {address[0] if address[1:2] in SEPARATORS else "" for address in to}
        return kinds == {"u"} or (kinds == {"b"} and not envelope_from)


async def serve(
    settings: Settings, engine: Engine, intake: Intake, stop: asyncio.Event, limits: Limits = Limits()
) -> None:
    """Listens until `stop` is set; then nobody new comes in, and what is in DATA has GRACE seconds."""
    loop = asyncio.get_running_loop()
    known, house = Known(engine), House(limits, loop.time)
    door = MailDoor(settings, intake, known, limits)
    host, port = settings.smtp_listen
    listeners = Listeners(door, house, settings.mail_domain, loop)
    server = await loop.create_server(listeners, host, port, backlog=BACKLOG)
    watch = loop.create_task(house.watch())
    log.info("mail door open on %s:%d", host, port)
    await stop.wait()
    server.close()
    await house.close(GRACE)
    watch.cancel()
    known.close()
