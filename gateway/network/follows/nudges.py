"""Who asked whom for an update, and when: once a day for each pair. gateway/actions/nudging calls it."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Nudge

AGAIN: Final = timedelta(days=1)


def record(session: Session, account_id: int, other_id: int) -> bool:
    """Records it; False when it was done within the last day."""
    row = insert(Nudge).values(account_id=account_id, other_id=other_id)
    key = ["account_id", "other_id"]
    due = Nudge.created_at <= func.now() - AGAIN
    renewed = row.on_conflict_do_update(index_elements=key, set_={"created_at": func.now()}, where=due)
    return session.scalar(renewed.returning(Nudge.other_id)) is not None
