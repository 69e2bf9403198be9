"""A follow as it was, in the form that an effect keeps it in, so that `undo` brings exactly that back."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Follow

Memento = dict[str, Any]
PLAIN: Final = ("role", "state", "by_text", "off")
MOMENTS: Final = ("off_until", "expires_at", "created_at")


def taken(session: Session, follower_id: int, account_id: int) -> Memento | None:
    """What stands now; None when there is no such follow, membership or request."""
    mine = select(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
    row = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        return None
    moments = {name: getattr(row, name) for name in MOMENTS}
    written = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    return {**{name: getattr(row, name) for name in PLAIN}, **written}


def restore(session: Session, follower_id: int, account_id: int, was: Memento | None) -> None:
    """Makes it so again, also that there is none."""
    if was is None:
        mine = delete(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
        session.execute(mine)
        return
    values = {name: was[name] for name in PLAIN}
    values |= {name: datetime.fromisoformat(was[name]) if was[name] else None for name in MOMENTS}
    row = insert(Follow).values(follower_id=follower_id, account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["follower_id", "account_id"], set_=values))
