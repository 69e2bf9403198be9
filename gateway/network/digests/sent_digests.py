"""The digests that have left: what their numbers stand for."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.tables import Delivery, Digest

LEFT: Final = ("sent", "delivered", "unknown")
NUMBERS_COUNT: Final = timedelta(hours=12)  # how long the numbers of a digest stand for its items


def newest(session: Session, address_id: int) -> Digest | None:
    """The digest that was sent to this address last, as long as its numbers count."""
    mine = select(Digest).join(Delivery, Delivery.message_id == Digest.message_id)
    left = mine.where(Digest.address_id == address_id, Delivery.state.in_(LEFT))
    left = left.where(func.coalesce(Delivery.sent_at, Delivery.created_at) > func.now() - NUMBERS_COUNT)
    return session.scalars(left.order_by(Digest.message_id.desc()).limit(1)).first()
