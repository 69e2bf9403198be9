"""Counts the phones that a post may reach before it is sent, for the question whether its writer must be asked.

gateway/actions/reach_estimate.py asks for every post, so it counts no further than it must; post_preview.py beside it
finds out the rest.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause
from gateway.attention.way_sql import CAUSE_OF_ACCOUNT, CHOSEN_FOR_CAUSE, TEXT_CHOSEN, devices, mailbox
from gateway.store.arrays import numbers

EVERY: Final = 2**31 - 1


def phones(session: Session, sources: Collection[int], people: Collection[int], most: int = EVERY) -> int:
    """How many phones get it by text: those of the followers of `sources`, and those of `people`. It stops counting at
    `most`."""
    keys = {"sources": numbers(sources), "people": numbers(people), "most": most}
    return int(session.scalar(PHONES, keys) or 0)


_SOURCES: Final = "CAST(:sources AS bigint[])"
# By text comes what was asked for from a phone, or chosen so: for that follow itself, or for all of its cause, which
# few do (attention_texts). Whoever has a row in `attention` is looked at again: they may have chosen otherwise. What is
# on the web alone may come by text when it was not seen.
_REACHED: Final = f"""
        SELECT a.address FROM (
            SELECT f.follower_id AS account_id, f.way, {CAUSE_OF_ACCOUNT} AS cause
            FROM follows_in_force f JOIN accounts source ON source.id = f.account_id
            WHERE f.account_id = ANY ({_SOURCES}) AND f.by_text
            UNION ALL SELECT f.follower_id, f.way, NULL FROM follows_in_force f
            WHERE f.account_id = ANY ({_SOURCES}) AND f.way = 'text' AND NOT f.by_text
            UNION ALL SELECT follower_id, way, {DeliveryCause.TAG:d} FROM topic_follows_in_force
            WHERE topic_id = ANY ({_SOURCES}) AND (by_text OR way = 'text')
            UNION ALL SELECT DISTINCT t.follower_id, t.way, {DeliveryCause.TRACKED:d} FROM trackers_in_force t
            WHERE t.track_id = ANY ({_SOURCES}) AND (t.by_text OR t.way = 'text') AND NOT EXISTS (
                SELECT FROM follows_in_force f WHERE f.follower_id = t.follower_id
                  AND f.account_id = ANY ({_SOURCES}) AND f.by_text)
            UNION ALL SELECT s.follower_id, s.way, s.cause
            FROM attention w JOIN subscriptions_in_force s ON s.follower_id = w.account_id
            WHERE {TEXT_CHOSEN} AND s.source_id = ANY ({_SOURCES}) AND s.way IS NULL AND NOT s.by_text
            UNION ALL SELECT unnest(CAST(:people AS bigint[])), NULL, {DeliveryCause.PRIVATE:d}
        ) AS reach
        JOIN addresses a USING (account_id)
        LEFT JOIN attention w ON w.account_id = reach.account_id
        WHERE a.is_primary AND a.channel = 'sms' AND a.state = 'verified'
          AND (w.account_id IS NULL OR CASE
               WHEN w.prefer = 'web' OR coalesce(reach.way, {CHOSEN_FOR_CAUSE}, 'text') IN ('push', 'web')
                    OR w.prefer = 'push' AND {devices("w.account_id")} IS NOT NULL
               THEN w.unseen_after IS NOT NULL AND reach.cause <= {DeliveryCause.REPLY:d}
                    AND coalesce({CHOSEN_FOR_CAUSE}, 'text') IN ('text', 'push', 'web')
               ELSE coalesce(reach.way, {CHOSEN_FOR_CAUSE}, 'text') = 'text'
                    AND NOT (w.prefer = 'mail' AND {mailbox("w.account_id")} IS NOT NULL) END)
        LIMIT :most
"""  # noqa: S608 - put together from constants
PHONES: Final = text(f"SELECT count(*) FROM ({_REACHED}) AS reached")  # noqa: S608
