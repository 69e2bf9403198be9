"""Finds what an id from an operator stands for: an input, a post or a delivery, in any form. trace and retry call
it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.store.tables import Attempt, Delivery, Inbound, Message, Post

Kind = Literal["inbound", "post", "message", "delivery"]
LARGEST = 2**63 - 1
_DELIVERY = re.compile(r"(\d{1,19}):(\d{1,19})")


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What was found, with what it came from: each id is None where there is none. `kind` says which of them was asked
    for."""

    kind: Kind
    inbound_id: int | None = None
    post_id: int | None = None
    message_id: int | None = None
    address_id: int | None = None


def look_up(session: Session, given: str) -> LookupResult:
    """Looks up our own id (of an input, a post, a message, an attempt), MESSAGE:ADDRESS, a MessageSid, or a mail's
    Message-ID. Raises Refused when it is nothing here, or several things."""
    given = given.strip()
    if match := _DELIVERY.fullmatch(given):
        found = _delivery(session, int(match[1]), int(match[2]))
    elif given.isascii() and given.isdigit():
        found = _by_id(session, int(given))
    else:
        found = _by_carriers_id(session, given)
    if found is None:
        raise Refused(f"There is nothing with the id {given[:80]!r}: no input, post, message, delivery or attempt.")
    return found


def _by_id(session: Session, given: int) -> LookupResult | None:
    if given > LARGEST:
        return None
    if session.get(Inbound, given):
        return LookupResult("inbound", given)
    if post := session.get(Post, given):
        return LookupResult("post", post.inbound_id, given)
    if message := session.get(Message, given):
        return _message(session, message)
    attempt = session.get(Attempt, given)
    return _delivery(session, attempt.message_id, attempt.address_id) if attempt else None


def _message(session: Session, message: Message, kind: Kind = "message", address_id: int | None = None) -> LookupResult:
    post = session.get(Post, message.post_id) if message.post_id else None
    inbound_id = post.inbound_id if post else message.inbound_id
    return LookupResult(kind, inbound_id, message.post_id, message.id, address_id)


def _delivery(session: Session, message_id: int, address_id: int) -> LookupResult | None:
    if max(message_id, address_id) > LARGEST or not session.get(Delivery, (message_id, address_id)):
        return None
    return _message(session, session.get_one(Message, message_id), "delivery", address_id)


def _by_carriers_id(session: Session, given: str) -> LookupResult | None:
    """By a text's MessageSid, in or out, or by a mail's Message-ID, with or without its angle brackets."""
    names = {given, f"<{given.strip('<>')}>", given.strip("<>")}
    inbounds = session.scalars(select(Inbound.id).where(Inbound.message_id.in_(names)).order_by(Inbound.id)).all()
    if len(inbounds) > 1:
        raise Refused(f"Several inputs have that Message-ID: {_listed(inbounds)}. Ask for one of them.")
    if inbounds:
        return LookupResult("inbound", inbounds[0])
    attempt = session.scalars(select(Attempt).where(Attempt.carrier_id == given).order_by(Attempt.id)).first()
    return _delivery(session, attempt.message_id, attempt.address_id) if attempt else None


def _listed(ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, ids[:5]))
    return f"{shown} and {len(ids) - 5} more" if len(ids) > 5 else shown
