"""The digest that left for an address last: what its numbers stand for, and what `why` tells about it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

NUMBERS_COUNT: Final = timedelta(hours=12)  # how long the numbers of a digest stand for its items


class SentDigest(NamedTuple):
    """`kind`: as in the table of digests; `posts`: in the order of their numbers; `over`: how many of them had been
    over the texts of a day. What it brought has the same age."""

    message_id: int
    kind: str
    posts: Sequence[int]
    age: timedelta
    over: int


def newest(session: Session, address_id: int) -> SentDigest | None:
    row = session.execute(NEWEST, {"address": address_id}).first()
    return SentDigest(*row) if row else None


def numbered(session: Session, address_id: int) -> SentDigest | None:
    """The same, as long as its numbers count."""
    digest = newest(session, address_id)
    return digest if digest and digest.age < NUMBERS_COUNT else None


NEWEST: Final = text("""
    SELECT g.message_id, g.kind, g.posts, now() - coalesce(d.sent_at, d.created_at), (
        SELECT count(*) FROM held h WHERE h.digest_id = g.message_id AND h.state = 'sent' AND h.reason = 'over')
    FROM digests g JOIN deliveries d ON d.message_id = g.message_id
    WHERE g.address_id = :address AND d.state IN ('sent', 'delivered', 'unknown')
    ORDER BY g.message_id DESC LIMIT 1
""")
