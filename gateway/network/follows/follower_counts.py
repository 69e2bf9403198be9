"""How many people hear what a person or a group says, for several of them at once; the page to write on shows it."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.views import FollowInForce


def count_followers(session: Session, account_ids: Collection[int]) -> Mapping[int, int]:
    """Those whom nobody follows are left out."""
    rows = select(FollowInForce.account_id, func.count()).where(FollowInForce.account_id.in_(account_ids))
    return dict(session.execute(rows.group_by(FollowInForce.account_id)).all())
