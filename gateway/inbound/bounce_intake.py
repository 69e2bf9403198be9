"""Finds out whether a mail is a bounce of one of ours, which delivery it is about, as our token proves, and counts it.

`process` asks before anything else is read of a mail. Only a valid token counts: the one in the address that it came to
(our mails leave with the envelope sender b+TOKEN@), or, where a relay replaces that, the one in the headers of our mail
that the bounce returns. A bounce with neither changes nothing, whoever it says it is from.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.inbound import out_of_office
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.outcome import InboundOutcome
from gateway.ledger.commit import counters
from gateway.mail.bounces import dsn
from gateway.mail.bounces.dsn import BounceReport
from gateway.mail.decode import mime
from gateway.network.mail import bounce_scores, mail_addresses
from gateway.network.mail.bounce_scores import CountedBounce
from gateway.store import tables

Key = tuple[int, int]  # message, address

INTENT: Final = "bounce"
_MOST_RETURNED: Final = 5  # mails that one bounce brings back and that are looked at
_TELLING: Final = ("Return-Path", "Reply-To")
_BARE: Final = "X-Critter-Token"  # the token alone
_ADDRESS: Final = re.compile(r"([br][-+.][a-z2-7]{45})@([a-z0-9.-]+)", re.IGNORECASE)
_OURS: Final = re.compile(r"<critter\.(\d{1,19})\.(\d{1,19})@([a-z0-9.-]+)>", re.IGNORECASE)


def take_bounce(session: Session, registry: CommandRegistry, mail: InboundMail) -> InboundOutcome | None:
    """Counts the bounce and returns how its row ends; None for any other mail."""
    keys = _addressed(mail)
    if not keys and not mail.null_sender:
        return None
    if mail.mail.refused:
        return InboundOutcome("dropped", "machine", mail.mail.refused)
    message = mail.mail.message
    bounce = dsn.read(message)
    if bounce is None:
        return _answered(session, mail, keys) if keys else None
    proved = keys or frozenset(_brought_back(session, registry, message))
    if not proved:
        counters.add("bounces", "unproved")
        return InboundOutcome("dropped", INTENT, "a bounce that brings nothing back of ours")
    return _told(bounce, [bounce_scores.count_bounce(session, *key, bounce) for key in sorted(proved)])


def _answered(session: Session, mail: InboundMail, keys: frozenset[Key]) -> InboundOutcome:
    """An auto-responder wrote to the return address of our mail, as RFC 3834 wants it to."""
    away = out_of_office.note_answer(session, mail, frozenset(address_id for _, address_id in keys))
    reason = "an automatic answer to a return address"
    return InboundOutcome("dropped", "machine", f"{reason}: its writer is away" if away else reason)


def is_unlimited(mail: InboundMail) -> bool:
    """Whether the mail may be a bounce. Bounces are not rate-limited: one server may return as many as we have mails
    out, and none of them may be lost."""
    return mail.null_sender or bool(_addressed(mail))


def _told(bounce: BounceReport, done: list[CountedBounce]) -> InboundOutcome:
    counted = any(each.counted for each in done)
    counters.add("bounces", bounce.kind if counted or not bounce.failed else "again")
    reason = f"a bounce: {bounce.kind} {bounce.status}".rstrip()
    return InboundOutcome(
        "done", INTENT, reason, queues=frozenset().union(*(each.queues for each in done)), counted=counted
    )


def _addressed(mail: InboundMail) -> frozenset[Key]:
    """The deliveries that the addresses name which it came to."""
    return frozenset((one.ids[0], one.ids[1]) for one in mail.came_to("bounce"))


def _bounce_token(registry: CommandRegistry, local: str) -> Key | None:
    found = mail_addresses.read(local, registry.signer)
    return (found.ids[0], found.ids[1]) if found and found.kind == "bounce" else None


def _brought_back(session: Session, registry: CommandRegistry, message: "Message[Any, Any]") -> Iterator[Key]:
    """The deliveries whose mails, or their headers, the bounce returns, each with a token that only that mail had."""
    for number, ours in enumerate(dsn.find_original(message)):
        if number == _MOST_RETURNED:
            return
        values = [value for name in _TELLING for value in mime.fields(ours, name)]
        locals_ = [local for value in values for local, domain in _ADDRESS.findall(value) if _here(registry, domain)]
        named = _OURS.search(" ".join(mime.fields(ours, "Message-ID")))
        bare = [f"b+{value.strip()}" for value in mime.fields(ours, _BARE)]
        yield from (key for local in (*locals_, *bare) if (key := _bounce_token(registry, local)))
        if named and _here(registry, named[3]):
            key = int(named[1]), int(named[2])
            if any(_reply_token(session, registry, local, key) for local in locals_):
                yield key


def _here(registry: CommandRegistry, domain: str) -> bool:
    return domain.lower() == registry.settings.mail_domain


def _reply_token(session: Session, registry: CommandRegistry, local: str, key: Key) -> bool:
    """The reply address that only that mail had: that of its post, for its reader."""
    found = mail_addresses.read(local, registry.signer)
    if found is None or found.kind != "reply" or found.ids[1] != key[1]:
        return False
    message = session.get(tables.Message, key[0]) if key[0] < 2**63 else None
    return message is not None and message.post_id == found.ids[0]
