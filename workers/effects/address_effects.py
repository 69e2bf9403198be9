"""Applies what a refusal says about a phone: opted out, dead, or in doubt. It is used when a carrier's answer or a
callback brings a code."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from gateway.carriers.common.delivery_report import Action
from gateway.carriers.common.protocol import Outcome
from gateway.carriers.twilio.error_codes import code_of
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.network.people import addresses
from gateway.network.verification import number_lifecycle
from gateway.store.tables import Address, Attempt, Delivery
from workers.effects import alarms

STRIKES: Final = 3  # so many of the codes STRIKING within WITHIN: the phone must be verified again (R40)
STRIKING: Final = ("30003", "30005", "30006")
WITHIN: Final = timedelta(days=90)
ON_ADDRESS: Final = ("opt_out", "dead_number", "count")
ALARMING: Final = ("alert", "pause_number", "pause_carrier")

log = structlog.get_logger()


def of_refusals(session: Session, ended: Sequence[tuple[ClaimedDelivery, Outcome]]) -> None:
    """Applies what the carrier's answers to our requests say about the phones."""
    refused = [(one, outcome.reason) for one, outcome in ended if outcome.state == "failed"]
    coded = [(one.address_id, reason, code_of(int(reason))) for one, reason in refused if reason.isdecimal()]
    for address_id, reason, code in coded:
        apply(session, address_id, code.action, reason)
    alarms.raise_alarms(session, Counter(reason for _, reason, code in coded if code.action in ALARMING))


def apply(session: Session, address_id: int, action: Action, reason: str, strikes: bool = False) -> None:
    """Does to the phone what one code asks for; repeating it is harmless. An opt-out also counts for a suspended
    phone: it stays in force when the phone is verified again."""
    if action not in ON_ADDRESS and not strikes:
        return
    row = session.get(Address, address_id, with_for_update=True)
    out = row is None or row.state == "stopped" or row.stopped_at is not None
    if row is None or out or (row.state == "suspended" and action != "opt_out"):
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
    """Sends no text there until the phone is verified again. The clock wakes the worker that tells its owner."""
    number_lifecycle.suspend(session, row, reason)
    log.warning("phone switched off", address=row.id, reason=reason)
