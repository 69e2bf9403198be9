"""Texts that may ask us to stop in other words: an operator decides. `critter consent` and the page of yes and no call
it."""

from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.people import consent


def stop(session: Session, inbound_id: int, actor: str) -> bool:
    """It was a no: the phone gets no more texts until it sends START. False when it was opted out already."""
    row = consent.read_one(session, inbound_id)
    first = consent.stop(session, row)
    audit_log.record(session, actor, "consent.stop", inbound_id, {"whom": row.handle})
    return first


def dismiss(session: Session, inbound_id: int, actor: str) -> bool:
    """It was no refusal; nothing changes. False when it was closed already."""
    row = consent.read_one(session, inbound_id)
    closed = consent.close(session, inbound_id)
    if closed:
        audit_log.record(session, actor, "consent.dismiss", inbound_id, {"whom": row.handle})
    return closed
