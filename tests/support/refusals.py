"""Why deliveries do not leave now, as plain words."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.ledger.outbox.claims import Key
from gateway.network.audience import delivery_decisions


def refusals(session: Session, keys: Collection[Key]) -> dict[Key, str]:
    return {key: one.reason for key, one in delivery_decisions.find(session, keys).refused.items()}
