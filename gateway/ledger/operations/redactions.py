"""Texts whose copy the carrier is to delete (R52). Retention and the erasing of people add them; workers/redaction
takes them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def due(session: Session, limit: int) -> Sequence[str]:
    """Claims the oldest, and returns the carrier's ids. Nobody else gets them for a while that doubles with each try,
    from a minute to a day."""
    return session.scalars(DUE, {"limit": limit}).all()


def mark_done(session: Session, carrier_ids: Sequence[str]) -> None:
    session.execute(text("DELETE FROM redactions WHERE carrier_id = ANY (:ids)"), {"ids": list(carrier_ids)})


def count_left(session: Session) -> int:
    return session.scalar(text("SELECT count(*) FROM redactions")) or 0


DUE: Final = text("""
    UPDATE redactions r
    SET attempt = r.attempt + 1, not_before = now() + interval '1 minute' * least(1440, power(2, least(r.attempt, 11)))
    FROM (SELECT carrier_id FROM redactions WHERE not_before <= now()
          ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED) mine
    WHERE r.carrier_id = mine.carrier_id
    RETURNING r.carrier_id
""")
