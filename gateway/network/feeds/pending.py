"""The own update that has not left yet: what is written on the web waits a little, so that it can be taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class PendingPost:
    """`seconds`: until it leaves, at `at`; `private`: it is a private message."""

    id: int
    at: datetime
    seconds: int
    private: bool


def find(session: Session, author_id: int, hold: float) -> PendingPost | None:
    """The newest that still waits; None when there is none."""
    row = session.execute(PENDING, {"author": author_id, "hold": timedelta(seconds=hold)}).one_or_none()
    return PendingPost(row.id, row.at, max(1, round(row.seconds)), row.private) if row else None


PENDING: Final = text("""
    SELECT p.id, p.created_at + :hold AS at, extract(epoch FROM p.created_at + :hold - now()) AS seconds,
           p.visibility = 'direct' AS private
    FROM posts p
    WHERE p.author_id = :author AND p.id >= id_at(now() - :hold) AND p.via = 'web' AND p.deleted_at IS NULL
      AND p.created_at + :hold > now()
    ORDER BY p.id DESC LIMIT 1
""")
