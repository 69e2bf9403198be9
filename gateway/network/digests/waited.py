"""What waited before it came: why one item did, and the digest that came last. `why` asks."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class LastDigest:
    """`kind`: as in the table of digests; `number`: of updates that it had when it left."""

    kind: str
    number: int
    age: timedelta


def reason(session: Session, post_id: int, address_id: int) -> str | None:
    """Why an item that has come to this address waited before; None when it did not."""
    found: str | None = session.scalar(REASON, {"post": post_id, "address": address_id})
    return found


def last_digest(session: Session, address_id: int) -> LastDigest | None:
    """The digest that left for this address last. What it brought has the same age."""
    row = session.execute(LAST, {"address": address_id}).first()
    return LastDigest(*row) if row else None


REASON: Final = text("""
    SELECT h.reason FROM held h JOIN messages m ON m.id = h.message_id
    WHERE m.post_id = :post AND h.address_id = :address AND h.state = 'sent'
    ORDER BY h.message_id DESC LIMIT 1
""")

LAST: Final = text("""
    SELECT g.kind, cardinality(g.posts), now() - coalesce(d.sent_at, d.created_at)
    FROM digests g JOIN deliveries d ON d.message_id = g.message_id
    WHERE g.address_id = :address AND d.state IN ('sent', 'delivered', 'unknown')
    ORDER BY g.message_id DESC LIMIT 1
""")
