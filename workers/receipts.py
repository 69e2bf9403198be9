"""Applies the status callbacks that the SMS door recorded. RQ calls `drain`; the door rings after it stored one."""

from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.carriers.by_name import BY_NAME
from gateway.carriers.receipt import Receipt
from gateway.ledger import attempts
from gateway.ledger.attempts import Report
from gateway.ledger.callbacks import open_callbacks
from gateway.store.database import transaction
from gateway.store.tables import Attempt, Callback
from workers import effects
from workers.drain import drain as drained
from workers.room import Room

BATCH: Final = 500
TURN: Final = 5.0  # seconds

log = structlog.get_logger()


def drain() -> None:
    drained("receipts", step, TURN)


def step(here: Room) -> bool:
    """The oldest callbacks; False when there were none. One whose attempt is gone has nothing to say."""
    with transaction(here.engine) as session:
        found = open_callbacks(session, BATCH)
        receipts = [(one, _receipt(one)) for one in found]
        known = [(one, receipt) for one, receipt in receipts if receipt is not None]
        attempts.advance(session, [_report(one, receipt) for one, receipt in known])
        _apply_effects(session, known)
        for one in found:
            one.applied_at = func.now()
    return bool(found)


def _receipt(callback: Callback) -> Receipt | None:
    """Each carrier's words are read by its own table."""
    carrier = BY_NAME.get(callback.carrier)
    receipt = carrier.receipt(callback.status, callback.reason) if carrier else None
    if receipt is None:
        log.warning("unheard-of status", callback=callback.id, carrier=callback.carrier, status=callback.status)
    return receipt


def _report(callback: Callback, receipt: Receipt) -> Report:
    name = callback.carrier_id or None
    return Report(callback.attempt_id, name, receipt.step, receipt.reason or None, receipt.retries)


def _apply_effects(session: Session, known: list[tuple[Callback, Receipt]]) -> None:
    """What the codes say about the phones; few callbacks carry one."""
    telling = {one.attempt_id: receipt for one, receipt in known if receipt.action != "none" or receipt.strikes}
    if not telling:
        return
    phones = session.execute(select(Attempt.id, Attempt.address_id).where(Attempt.id.in_(telling)))
    for attempt_id, address_id in phones.all():
        receipt = telling[attempt_id]
        effects.apply(session, address_id, receipt.action, receipt.reason, receipt.strikes)
