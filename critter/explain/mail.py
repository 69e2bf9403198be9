"""What would become of a mail in a file: who wrote it and how that is proved, its words, how they would be read."""

import re
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from critter.explain.text import forget_person
from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.process import process
from gateway.inbound.thread_history import earlier_words
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.unauthenticated import Unproved
from gateway.mail.auth import sender_trust, trace_headers
from gateway.mail.auth.dmarc import Envelope
from gateway.mail.auth.dns import of_settings
from gateway.mail.auth.sender_trust import KnownBeforeDns, SenderTrust, trusted
from gateway.mail.decode import mime
from gateway.mail.parse import own_words
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.network.mail import secret_addresses, sender_verdicts
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Inbound

BARE_LF = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class MailExplained:
    """`rung`: 1 to 4, the step of the sender trust; `proof`: None on the last. `machine`: why no person wrote it.
    `intent` and what follows: as it would be read if it were proved."""

    sender: str | None
    to: list[str]
    rung: int
    proof: str | None
    why: str
    words: str
    trimmed: str
    machine: str | None
    intent: str | None
    reason: str
    would_answer: str | None

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def explain_mail(
    connection: Connection, registry: CommandRegistry, content: bytes, came: Envelope, to: tuple[str, ...] = ()
) -> MailExplained:
    """`to`: our addresses that it came to; without any those in its header, else post@. Raises Refused when it has too
    many parts."""
    mail = ReceivedMail(BARE_LF.sub(b"\r\n", content))
    recipients = [each.lower() for each in to] or _ours(mail, registry.settings.mail_domain)
    own, machine = mail.words, mail.machine(null_sender=bool(came.peer) and not came.sender)
    try:
        sender = mail.sender
    except Refused as refused:
        report = came.peer and not came.sender and all(each[:1] == "b" for each in recipients)
        reason = "a report: the token of its address counts, whoever it is from" if report else "refused at the door"
        return _told(None, recipients, SenderTrust(None, str(refused)), own, machine, None, reason, None)
    with forget_person(connection) as session:
        standing = _standing(session, registry, mail, sender, recipients, came)
        inbound = _inbound(session, mail.octets, sender, recipients, came)
        arrived = InboundMail(inbound, registry.signer, mail)
        own = mail.words_after(earlier_words(session, registry, arrived))
        outcome = process(session, registry, inbound, arrived)
    intent = outcome.intent or outcome.state
    return _told(sender, recipients, standing, own, machine, intent, outcome.reason, outcome.answer)


def _told(
    sender: str | None,
    recipients: list[str],
    standing: SenderTrust,
    own: own_words.OwnWords,
    machine: str | None,
    intent: str | None,
    reason: str,
    answer: str | None,
) -> MailExplained:
    to = list(secret_addresses.redact(recipients))
    known = (standing.rung, standing.proof, standing.reason, own.text, own.trimmed, machine)
    return MailExplained(sender, to, *known, intent, reason, answer)


def _ours(mail: ReceivedMail, domain: str) -> list[str]:
    named = " ".join(each for field in ("To", "Cc", "Delivered-To") for each in mime.fields(mail.message, field))
    found = re.findall(rf"[^\s<>,;:\"()]+@{re.escape(domain)}(?![\w.-])", named, re.IGNORECASE)
    return list(dict.fromkeys(each.lower() for each in found)) or [f"post@{domain}"]


def _standing(
    session: Session, registry: CommandRegistry, mail: ReceivedMail, sender: str, recipients: list[str], came: Envelope
) -> SenderTrust:
    """Evaluates the sender trust as workers/mail_auth does."""
    settings = registry.settings
    raw = trace_headers.write_header(came, settings.mail_domain or "localhost") + mail.octets
    one = Unproved(0, 0, sender, recipients, raw, datetime.now(UTC))
    signer = Signer(settings.secret_keys)
    case = sender_verdicts.case(session, signer, one, mail)
    known = KnownBeforeDns(trusted(settings, came.peer), case.known.posting)
    found = case.standing or sender_trust.evaluate_trust(settings, of_settings(settings), mail, came, recipients, known)
    return sender_verdicts.judge_delivery(session, signer, case, found, sender_verdicts.parse(case, found))


def _inbound(session: Session, mail: bytes, sender: str, recipients: list[str], came: Envelope) -> Inbound:
    """The row that the door would have made."""
    one = Incoming(
        channel=EMAIL,
        identity=uuid.uuid4().bytes,
        sender=sender,
        recipients=tuple(secret_addresses.redact(recipients)),
        raw=f"Return-Path: <{came.sender or sender}>\r\n".encode() + mail,
        trusted=True,
    )
    return inbox.put_claimed(session, one)
