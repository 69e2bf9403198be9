"""What a refusal says about a phone: opted out, dead, or in doubt. Used when a reply or a callback brings a code."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from gateway.carriers import Outcome
from gateway.carriers.receipt import Action
from gateway.carriers.twilio_codes import code_of
from gateway.ledger.claims import Claimed
from gateway.network import addresses
from gateway.store.tables import Address, Attempt, Delivery

STRIKES: Final = 3  # of these codes, within this time, and the phone must be verified again (R40)
STRIKING: Final = ("30003", "30005", "30006")
WITHIN: Final = timedelta(days=90)
ON_ADDRESS: Final = ("opt_out", "dead_number", "count")

log = structlog.get_logger()


def of_refusals(session: Session, ended: Sequence[tuple[Claimed, Outcome]]) -> None:
    """The carrier's answers to our requests."""
    for claimed, outcome in ended:
        if outcome.state == "failed" and outcome.reason.isdecimal():
            apply(session, claimed.address_id, code_of(int(outcome.reason)).action, outcome.reason)


def apply(session: Session, address_id: int, action: Action, reason: str, strikes: bool = False) -> None:
    """Does what one code asks for; harmless when repeated."""
    if action == "alert":
        log.error("carrier refuses texts", reason=reason)
    if action not in ON_ADDRESS and not strikes:
        return
    row = session.get(Address, address_id, with_for_update=True)
    if row is None or row.state in ("stopped", "suspended"):
        return
    if action == "opt_out":
        addresses.stop(session, row, f"refused by the carrier: {reason}", source="carrier")
    elif action == "dead_number" or _struck(session, address_id):
        _suspend(session, row, reason)


def _struck(session: Session, address_id: int) -> bool:
    key = and_(Attempt.message_id == Delivery.message_id, Attempt.address_id == Delivery.address_id)
    mine = select(func.count()).select_from(Delivery).join(Attempt, key).where(Delivery.address_id == address_id)
    recent = mine.where(Attempt.reason.in_(STRIKING), Attempt.started_at > func.now() - WITHIN)
    return (session.scalar(recent) or 0) >= STRIKES


def _suspend(session: Session, row: Address, reason: str) -> None:
    """No text goes there until it is verified again."""
    row.state = "suspended"
    session.flush()
    addresses.cancel_open(session, select(Address.id).where(Address.id == row.id), "suspended")
    log.warning("phone switched off", address=row.id, reason=reason)
