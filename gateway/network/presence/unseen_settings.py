"""After how long what somebody has not seen on the web goes to their phone, as they set it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Attention


def minutes_of(session: Session, account_id: int) -> int | None:
    """None: it stays on the web."""
    after = session.scalar(select(Attention.unseen_after).where(Attention.account_id == account_id))
    return round(after.total_seconds() / 60) if after else None


def put(session: Session, account_id: int, minutes: int | None) -> None:
    after = timedelta(minutes=minutes) if minutes else None
    row = insert(Attention).values(account_id=account_id, unseen_after=after)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"unseen_after": after}))
