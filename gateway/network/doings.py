"""What somebody did last. handlers/undoing asks."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.tables import Effect


def last_doing(session: Session, account_id: int, within: timedelta) -> Effect | None:
    """Their newest effect, also one taken back, or one that nobody can take back: who says `undo` does not mean the
    one before."""
    mine = select(Effect).where(Effect.account_id == account_id, Effect.kind != "undo")
    recent = mine.where(Effect.created_at > func.now() - within)
    return session.scalars(recent.order_by(Effect.inbound_id.desc(), Effect.number.desc()).limit(1)).first()
