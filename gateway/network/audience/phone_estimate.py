"""Counts the phones that a post may reach before it is sent, for the question whether its writer must be asked.

gateway/actions/reach_estimate.py asks for every post, so it counts no further than it must; post_preview.py beside it
finds out the rest.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.arrays import numbers

EVERY: Final = 2**31 - 1


def phones(session: Session, sources: Collection[int], people: Collection[int], most: int = EVERY) -> int:
    """How many phones get it by text: those of the followers of `sources`, and those of `people`. It stops counting at
    `most`."""
    keys = {"sources": numbers(sources), "people": numbers(people), "most": most}
    return int(session.scalar(PHONES, keys) or 0)


_REACHED: Final = """
        SELECT a.address FROM (
            SELECT follower_id AS account_id FROM follows_in_force
            WHERE account_id = ANY (CAST(:sources AS bigint[])) AND by_text
            UNION ALL SELECT follower_id FROM topic_follows_in_force
            WHERE topic_id = ANY (CAST(:sources AS bigint[])) AND by_text
            UNION ALL SELECT DISTINCT t.follower_id FROM trackers_in_force t
            WHERE t.track_id = ANY (CAST(:sources AS bigint[])) AND t.by_text AND NOT EXISTS (
                SELECT FROM follows_in_force f WHERE f.follower_id = t.follower_id
                  AND f.account_id = ANY (CAST(:sources AS bigint[])) AND f.by_text)
            UNION ALL SELECT unnest(CAST(:people AS bigint[]))
        ) AS reach
        JOIN addresses a USING (account_id)
        WHERE a.is_primary AND a.channel = 'sms' AND a.state = 'verified'
        LIMIT :most
"""
PHONES: Final = text(f"SELECT count(*) FROM ({_REACHED}) AS reached")  # noqa: S608
