"""The digests that have left: what their numbers stand for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.store.tables import Delivery, Digest

LEFT = ("sent", "delivered", "unknown")


def newest(session: Session, address_id: int) -> Digest | None:
    """The digest that was sent to this address last."""
    mine = select(Digest).join(Delivery, Delivery.message_id == Digest.message_id)
    left = mine.where(Digest.address_id == address_id, Delivery.state.in_(LEFT))
    return session.scalars(left.order_by(Digest.message_id.desc()).limit(1)).first()
