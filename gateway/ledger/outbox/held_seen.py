"""Ends what waits for somebody who has seen it on the web: nothing of it is sent any more. What is in a digest is taken
out of it as long as the digest can be kept from leaving. gateway/actions/seeing.py calls it."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.held_cancellations import CAN_END
from gateway.store.arrays import numbers


def mark(session: Session, account_id: int, post_ids: Collection[int]) -> int:
    """Returns how many items end so. The words of a post that was seen, or of one that repeats it, are the same words:
    they end as well."""
    if not post_ids:
        return 0
    given = {"account": account_id, "posts": numbers(post_ids)}
    session.execute(LOCK_DIGESTS, given)
    return len(session.execute(END, given).all())


_SAME_WORDS: Final = """
    WITH first AS (
        SELECT coalesce(repeat_of, id) AS id FROM posts WHERE id = ANY (CAST(:posts AS bigint[]))
    ), mine AS MATERIALIZED (
        SELECT h.message_id, h.account_id FROM (
            SELECT id FROM first UNION SELECT p.id FROM posts p JOIN first ON p.repeat_of = first.id
        ) AS post
        JOIN messages m ON m.post_id = post.id
        JOIN held h ON h.message_id = m.id AND h.account_id = :account AND h.state IN ('waiting', 'folded')
    )"""

# So that none of them is claimed meanwhile. What is in one that was claimed may leave.
LOCK_DIGESTS: Final = text(f"""{_SAME_WORDS}
    SELECT FROM held h JOIN mine USING (message_id, account_id)
    JOIN deliveries digest ON digest.message_id = h.digest_id AND digest.ended_at IS NULL
    WHERE h.state = 'folded' ORDER BY digest.message_id FOR UPDATE OF digest
""")
END: Final = text(f"""{_SAME_WORDS}, seen AS (
        UPDATE held h SET state = 'seen', seen_at = now(), ended_at = now() FROM mine
        WHERE h.message_id = mine.message_id AND h.account_id = mine.account_id AND {CAN_END}
        RETURNING h.message_id, h.address_id
    )
    UPDATE deliveries d SET state = 'cancelled', reason = 'seen', ended_at = now()
    FROM seen WHERE d.message_id = seen.message_id AND d.address_id = seen.address_id AND d.state = 'held'
    RETURNING d.message_id
""")  # noqa: S608
