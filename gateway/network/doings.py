"""What somebody did last that can be taken back. handlers/undoing asks."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.tables import Effect


def last_doing(session: Session, account_id: int, kinds: Collection[str], within: timedelta) -> Effect | None:
    """Their newest effect of these kinds, also one taken back: who says `undo` twice does not mean the one before."""
    mine = select(Effect).where(Effect.account_id == account_id, Effect.kind.in_(kinds))
    recent = mine.where(Effect.created_at > func.now() - within)
    return session.scalars(recent.order_by(Effect.inbound_id.desc(), Effect.number.desc()).limit(1)).first()
