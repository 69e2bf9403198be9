"""The mail door: it decides who may be written to and what a mail must have, and answers 250 only after the commit.
critter/ serves it."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import MISSING, Envelope, Session
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.doors.smtp import header_peek, tls_certificates
from gateway.doors.smtp.auth import SignIn
from gateway.doors.smtp.connection import Security
from gateway.doors.smtp.connection_limits import ConnectionLimiter, ConnectionLimits
from gateway.doors.smtp.fast_path import OK, TEMPORARY
from gateway.doors.smtp.lmtp import Lmtp
from gateway.doors.smtp.loop_callbacks import CommitCallback, LoopCallbacks
from gateway.doors.smtp.protocol import Listeners, SmtpProtocol
from gateway.doors.smtp.recipient_cache import RecipientCache
from gateway.doors.smtp.tls_certificates import Certificates
from gateway.ledger.audit import audit_log
from gateway.ledger.commit.admission import Closed
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.mail.auth import trace_headers
from gateway.mail.auth.dmarc import Envelope as Came
from gateway.mail.auth.sender_trust import known_relay, trusted
from gateway.network.mail import mail_addresses, secret_addresses
from gateway.network.mail.mail_addresses import Recipient
from gateway.security.signed_tokens import Signer
from gateway.setting_types.values import Place, netloc
from gateway.settings import Settings
from gateway.store.database import transaction

PATIENCE = 20.0  # seconds for the commit
GRACE = 20.0  # seconds at SIGTERM for mails that are coming in
BACKLOG = 512
NULL = "<>"  # aiosmtpd's word for the null envelope sender

ACCEPTED = "250 2.0.0 Accepted"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, send the rest in another mail"
ELSEWHERE = "550 5.7.1 We do not pass on mail for others"
UNKNOWN = "550 5.1.1 No such address here"
BY_ADDRESS = "relay: CRITTER_MAIL_TRUST"
BY_TOKEN = "nobody: our own token"  # noqa: S105
BY_NOBODY = "nobody: a null sender"
BAD_SENDER = "550 5.6.0 Exactly one From with exactly one mailbox is needed"

log = logging.getLogger(__name__)


class Storing:
    """A mail that is being committed, and the callback that waits for the reply."""

    def __init__(self, answered: Callable[[str], None], loop: asyncio.AbstractEventLoop) -> None:
        self._answered = answered
        self._waits = True
        self._patience = loop.call_later(PATIENCE, self._late)

    def ended(self, error: Exception | None) -> None:
        if error is not None and not isinstance(error, Closed):
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

    def __init__(self, settings: Settings, intake: Intake, known: RecipientCache, limits: ConnectionLimits) -> None:
        self._settings = settings
        self._signer = Signer(settings.secret_keys)
        self._intake = intake
        self._known = known
        self._limits = limits
        self._home = LoopCallbacks(asyncio.get_running_loop())
        self._trusted = lru_cache(1000)(self._is_trusted)
        self.knows = lru_cache(1000)(self._knows)
        # Each recipient is asked about when it is named, and again when its mail has come.
        self._meaning = lru_cache(1000)(partial(mail_addresses.read, signer=self._signer))

    async def handle_EHLO(  # noqa: N802
        self, server: SmtpProtocol, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["\r\n".join([*replies[:-1], "250-PIPELINING", *server.offered(), replies[-1]])]  # sent as one

    async def handle_RCPT(  # noqa: N802
        self, server: SmtpProtocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Any:
        """Answers RCPT; aiosmtpd's MISSING means yes."""
        if len(envelope.rcpt_tos) >= self._limits.recipients:
            return TOO_MANY_RECIPIENTS
        local, _, domain = address.rpartition("@") if "@" in address else (address, "", self._settings.mail_domain)
        if domain.lower() != self._settings.mail_domain:
            return ELSEWHERE
        recipient = self._meaning(local)
        with server.our_turn():
            exists = recipient is not None and await self._exists(recipient)
        if not exists:
            return UNKNOWN
        if "@" in address:
            return MISSING
        envelope.rcpt_tos.append(f"{address}@{domain}")  # postmaster needs no domain (RFC 5321, 4.5.1)
        return OK

    def admits(self, envelope: Envelope, address: str) -> bool:
        """Tells whether this recipient can be accepted at once; False also when only a query could tell."""
        local, _, domain = address.rpartition("@")
        if len(envelope.rcpt_tos) >= self._limits.recipients or domain.lower() != self._settings.mail_domain:
            return False
        recipient = self._meaning(local)
        if recipient is None or recipient.secret:
            return False
        return not recipient.handle or self._known.remembers(recipient.handle)

    async def _exists(self, recipient: Recipient) -> bool:
        if recipient.secret:
            return await self._known.has_secret(recipient.secret)
        return not recipient.handle or await self._known.has(recipient.handle)

    def take(self, server: SmtpProtocol, envelope: Envelope, answered: Callable[[str], None]) -> None:
        """Stores a mail. `answered` is called once with the reply: when the mail is committed, or when that takes too
        long; the mail may still be committed after that."""
        incoming = self._incoming(server, envelope)
        if incoming is None:
            answered(BAD_SENDER)
            return
        storing = Storing(answered, asyncio.get_running_loop())
        self._intake.hand_in(incoming, CommitCallback(self._home, storing.ended))

    def _incoming(self, server: SmtpProtocol, envelope: Envelope) -> Incoming | None:
        content = envelope.content
        assert isinstance(content, bytes)
        header = header_peek.header(content)
        envelope_from = "" if envelope.mail_from in (NULL, None) else str(envelope.mail_from)
        to = tuple(sorted({address.lower() for address in envelope.rcpt_tos}))
        sender = header_peek.sender(header) or (NULL if self._is_bounce(envelope_from, to) else None)
        if sender is None:
            return None
        proof = self._proof(server, envelope_from, to)
        came = Came(_peer(server), server.session.host_name or "", envelope_from)
        return Incoming(
            channel="email",
            identity=hashlib.sha256("\n".join([envelope_from, *to, "", ""]).encode() + content).digest(),
            sender=sender,
            recipients=secret_addresses.redact(to) if proof else to,
            raw=trace_headers.write_header(came, self._settings.mail_domain, server.spoken) + content,
            trusted=proof is not None,
            proof=proof,
            message_id=header_peek.message_id(header),
        )

    def _proof(self, server: SmtpProtocol, envelope_from: str, to: tuple[str, ...]) -> str | None:
        """Returns what proves the mail already here, without asking anybody; workers/mail_auth proves all others."""
        if server.trusts and (by := server.proof or (BY_ADDRESS if self._trusted(_peer(server)) else None)):
            return by
        return self._nobodys(envelope_from, to)

    def _is_trusted(self, peer: str) -> bool:
        return trusted(self._settings, peer)

    def _knows(self, peer: str) -> bool:
        """Tells whether places are reserved for this relay. Whoever uses a local socket is a server of ours."""
        return not peer or known_relay(self._settings, peer)

    def _nobodys(self, envelope_from: str, to: tuple[str, ...]) -> str | None:
        """Returns the proof of a mail that needs no known writer: for an unsubscription or a bounce our token is enough
        (gateway/inbound/bounce_intake), and other mails with a null sender come from machines and are used for nothing
        else."""
        if self._all(to, "bounce") or self._all(to, "unsubscribe"):
            return BY_TOKEN
        return None if envelope_from else BY_NOBODY

    def _is_bounce(self, envelope_from: str, to: tuple[str, ...]) -> bool:
        """Tells whether a mail is a bounce. Servers write anything into the From of a report, such as `MAILER-DAEMON`
        or nothing. Our token is enough, and a mail with a null sender is used for nothing else."""
        return not envelope_from and self._all(to, "bounce")

    def _all(self, to: tuple[str, ...], kind: str) -> bool:
        if not all(address[0] == kind[0] for address in to):
            return False
        found = (self._meaning(address.rpartition("@")[0]) for address in to)
        return all(one is not None and one.kind == kind for one in found)


def _knows_relays(settings: Settings) -> bool:
    return bool(settings.mail_trust or settings.mail_authserv_ids or isinstance(settings.lmtp_listen, str))


def _peer(server: SmtpProtocol) -> str:
    assert server.session.peer is not None
    return str(server.session.peer[0])


async def serve(
    settings: Settings,
    engine: Engine,
    intake: Intake,
    stop: asyncio.Event,
    limits: ConnectionLimits = ConnectionLimits(),
    tls: Certificates | None = None,
) -> None:
    """Listens until `stop` is set; then no new client may connect, and mails in DATA have GRACE seconds to finish."""
    loop = asyncio.get_running_loop()
    known, limiter = RecipientCache(engine), ConnectionLimiter(limits, loop.time, keeps_places=_knows_relays(settings))
    door = MailDoor(settings, intake, known, limits)
    tls = tls or tls_certificates.of(settings)
    sign_in = SignIn(settings.smtp_users, loop.time, partial(_note_lock, engine)) if settings.smtp_users else None
    common = (door, limiter, settings.mail_domain, loop)
    opened = []
    if settings.smtps_listen:
        opened.append(await _open(settings.smtps_listen, Listeners(*common, Security(tls, sign_in, at_once=True))))
    if settings.lmtp_listen:
        opened.append(await _open(settings.lmtp_listen, Listeners(*common, Security(tls), Lmtp)))
    opened.append(await _open(settings.smtp_listen, Listeners(*common, Security(tls, sign_in))))  # last: all is open
    watches = [loop.create_task(limiter.watch()), *([loop.create_task(tls.watch())] if tls else [])]
    await stop.wait()
    for server in opened:
        server.close()
    await limiter.close(GRACE)
    for watch in watches:
        watch.cancel()
    _tidy(settings.lmtp_listen)
    if sign_in:
        sign_in.close()
    known.close()


def _note_lock(engine: Engine, name: str) -> None:
    """Logs and audits a lock. The name is one of the settings, not a person's, so it may be logged."""
    log.warning("wrong passwords for %s from many addresses: each has one more try within an hour", name)
    try:
        with transaction(engine) as session:
            audit_log.record(session, "mail door", "smtp_user.locked", None, {"name": name})
    except SQLAlchemyError:
        log.exception("a lock of %s is not in the audit", name)


async def _open(place: Place, listeners: Listeners) -> asyncio.AbstractServer:
    loop = asyncio.get_running_loop()
    if isinstance(place, str):
        server: asyncio.AbstractServer = await loop.create_unix_server(listeners, place, backlog=BACKLOG)
        _let_all_in(place)
    else:
        server = await loop.create_server(listeners, *place, backlog=BACKLOG)
    log.info("mail door open on %s", place if isinstance(place, str) else netloc(place))
    return server


def _let_all_in(path: str) -> None:
    """Lets every local user connect, as with a port: the permissions of the socket's folder say who may reach it, and
    nobody is trusted because of it."""
    Path(path).chmod(0o666)


def _tidy(place: Place | None) -> None:
    if isinstance(place, str):
        Path(place).unlink(missing_ok=True)
