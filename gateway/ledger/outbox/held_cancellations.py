"""Ends what waits for its reader when it is taken back, when its author's words are stopped, or when nothing goes to
its address any more. cancellations.py calls it beside the deliveries that are open.

An item in a digest is taken out as long as the digest can be kept from leaving. What is in one that a worker has in
hand may leave; it follows its digest.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.claims import Key


def cancel_posts(session: Session, post_ids: Collection[int]) -> int:
    """Ends what waits of posts that were taken back; returns how many. The digests of such items are locked first, so
    that none is claimed meanwhile: what is in one that was claimed may leave (`count_leaving`)."""
    given = {"posts": list(post_ids)}
    session.execute(LOCK_DIGESTS, given)
    return len(session.execute(CANCEL_POSTS, given).all())


def count_leaving(session: Session, post_ids: Collection[int]) -> int:
    """How many readers have, or may have, these posts in a digest that nobody can stop any more."""
    return session.scalar(LEAVING, {"posts": list(post_ids)}) or 0


def cancel_words(session: Session, author_id: int, reason: str) -> None:
    session.execute(CANCEL_WORDS, {"author": author_id, "reason": reason})


def cancel_addresses(session: Session, address_ids: Collection[int], reason: str) -> list[Key]:
    """Returns the keys of the deliveries that end so. The caller has cancelled the open deliveries there, and so the
    digests that nobody is sending."""
    rows = session.execute(CANCEL_ADDRESSES, {"addresses": list(address_ids), "reason": reason})
    return [(row.message_id, row.address_id) for row in rows]


# It waits, or its digest surely does not leave before it is put together anew.
CAN_END: Final = """(h.state = 'waiting' OR h.state = 'folded' AND EXISTS (
    SELECT FROM deliveries digest
    WHERE digest.message_id = h.digest_id AND digest.state IN ('queued', 'retry', 'failed', 'cancelled')))"""
_END: Final = "UPDATE held h SET state = 'cancelled', why = :reason, ended_at = now()"
_DELIVERIES: Final = """
    UPDATE deliveries d SET state = 'cancelled', reason = :reason, ended_at = now()
    FROM gone WHERE d.message_id = gone.message_id AND d.address_id = gone.address_id AND d.state = 'held'
    RETURNING d.message_id, d.address_id"""

LOCK_DIGESTS: Final = text("""
    SELECT FROM messages m JOIN held h ON h.message_id = m.id AND h.state = 'folded'
    JOIN deliveries digest ON digest.message_id = h.digest_id AND digest.ended_at IS NULL
    WHERE m.post_id = ANY (CAST(:posts AS bigint[])) ORDER BY digest.message_id FOR UPDATE OF digest
""")

CANCEL_POSTS: Final = text(f"""
    WITH gone AS (
        {_END.replace(":reason", "'retracted'")} FROM messages m
        WHERE m.post_id = ANY (CAST(:posts AS bigint[])) AND h.message_id = m.id AND {CAN_END}
        RETURNING h.message_id, h.address_id
    ) {_DELIVERIES.replace(":reason", "'retracted'")}
""")

LEAVING: Final = text("""
    SELECT count(*) FROM messages m JOIN held h ON h.message_id = m.id AND h.state = 'folded'
    JOIN deliveries digest ON digest.message_id = h.digest_id AND digest.state NOT IN ('failed', 'cancelled')
    WHERE m.post_id = ANY (CAST(:posts AS bigint[]))
""")

CANCEL_WORDS: Final = text(f"""
    WITH gone AS (
        {_END} WHERE h.author_id = :author AND {CAN_END} RETURNING h.message_id, h.address_id
    ) {_DELIVERIES}
""")

CANCEL_ADDRESSES: Final = text(f"""
    WITH gone AS (
        {_END} WHERE h.address_id = ANY (CAST(:addresses AS bigint[])) AND {CAN_END}
        RETURNING h.message_id, h.address_id
    ) {_DELIVERIES}
""")
