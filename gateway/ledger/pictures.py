"""Pictures that the carrier keeps for us: which are to be fetched, and how that ended. workers/pictures takes them."""

import random
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.ledger.schedule import again as retry
from gateway.store.tables import Media

TRIES: Final = 8  # with the waits of the retry schedule, some hours


def due(session: Session, limit: int) -> Sequence[Media]:
    """The oldest that may be tried, locked until the transaction ends: a worker that dies lets go of them."""
    waiting = select(Media).where(Media.state == "new", Media.not_before <= func.now())
    return session.scalars(waiting.order_by(Media.not_before).limit(limit).with_for_update(skip_locked=True)).all()


def fetched(row: Media, digest: bytes, size: int, content_type: str) -> None:
    row.state, row.sha256, row.size, row.content_type = "fetched", digest, size, content_type
    row.reason = None


def failed(row: Media, reason: str, *, again: bool) -> None:
    """Tried again later when that can help, up to TRIES times."""
    row.attempt += 1
    row.reason = reason
    if not again or row.attempt >= TRIES:
        row.state = "failed"
    row.not_before = func.now() + retry(row.attempt, random.uniform(0.5, 1))  # noqa: S311
