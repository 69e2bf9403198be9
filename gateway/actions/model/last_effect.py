"""What somebody did last and was told about it. gateway/actions asks."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from gateway.store.tables import Effect


def last_effect(session: Session, account_id: int, within: timedelta, passed_by: Collection[str] = ()) -> Effect | None:
    """Their newest effect, also one that was taken back or cannot be: who says `undo` does not mean the one before.
    `passed_by`: kinds that do not count now. It is locked, so that two who take it back at once do it once."""
    mine = select(Effect).where(Effect.account_id == account_id, Effect.kind.not_in(["undo", *passed_by]))
    recent = mine.where(Effect.created_at > func.now() - within)
    newest = recent.order_by(Effect.action_id.desc(), Effect.number.desc()).limit(1)
    return session.scalars(newest.with_for_update()).first()


WEEK = timedelta(days=7)


def told_unheard(session: Session, account_id: int, source_id: int) -> bool:
    """Whether they were told within a week that this person or group has no followers; the index of their effects is
    enough to find it."""
    notified = exists().where(
        Effect.account_id == account_id,
        Effect.action_id >= func.id_at(func.now() - WEEK),
        Effect.created_at > func.now() - WEEK,
        Effect.detail.contains({"unheard": source_id}),
    )
    return bool(session.scalar(select(notified)))
