"""A follow as it was, in the form in which an effect keeps it, so that `undo` restores exactly that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Follow

FollowSnapshot = dict[str, Any]
PLAIN: Final = ("role", "state", "by_text", "off", "way")
MOMENTS: Final = ("off_until", "expires_at", "created_at")
SWITCH: Final = ("off", "off_until")  # what `off NAME` and `on NAME` change
RENEWED: Final = (*SWITCH, "state", "by_text", "way", "expires_at")  # what following once more changes


def take_snapshot(session: Session, follower_id: int, account_id: int) -> FollowSnapshot | None:
    """The follow as it is now; None when there is no such follow, membership or request."""
    mine = select(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
    row = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        return None
    moments = {name: getattr(row, name) for name in MOMENTS}
    written = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    return {**{name: getattr(row, name) for name in PLAIN}, **written}


def restore(session: Session, follower_id: int, account_id: int, was: FollowSnapshot | None) -> None:
    """Restores the follow to that, including that there was none."""
    if was is None:
        mine = delete(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
        session.execute(mine)
        return
    values = _values(was, (*PLAIN, *MOMENTS))
    row = insert(Follow).values(follower_id=follower_id, account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["follower_id", "account_id"], set_=values))


def amend(session: Session, follower_id: int, account_id: int, was: FollowSnapshot, columns: Sequence[str]) -> bool:
    """Restores some columns to what they were; False when the follow is gone. What others changed since is not undone
    with it: that it is gone, or has another role."""
    mine = update(Follow).where(Follow.follower_id == follower_id, Follow.account_id == account_id)
    changed = session.execute(mine.values(_values(was, columns)).returning(Follow.account_id))
    return changed.first() is not None


def _values(was: FollowSnapshot, columns: Sequence[str]) -> dict[str, Any]:
    """An effect of the version before has no `way`."""
    known = [name for name in columns if name in was]
    return {name: datetime.fromisoformat(was[name]) if name in MOMENTS and was[name] else was[name] for name in known}
