"""What is new for people whose pages are open: ids and places, never words. The stream asks once a second, for all of
them in one statement each; a page that was away asks for what it missed."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds.conditions import blocked, silenced, waits

LATE: Final = 60.0  # seconds: a post may commit after one with a higher id, and a repeat waits for what it repeats
ALL: Final = 0  # stands for everybody whose page is open
RECEIPTS: Final = "10 minutes"  # after which a receipt hardly changes any more


class News(NamedTuple):
    """A post that is new for somebody (or for ALL), and where their page has it: home, to_you, private, everyone,
    group:ID. In the place "changed" it is one whose counts, receipt or words are others than before; `version` tells
    one change from the next."""

    account_id: int
    post_id: int
    place: str
    version: int = 0


def newest(session: Session) -> int:
    """The highest id that a post can have now."""
    return int(session.scalar(text("SELECT id_at(now())")) or 0)


def find(session: Session, account_ids: Collection[int], since: int, hold: float) -> Sequence[News]:
    """What became readable for these people after `since` (an id), also of what was written before and waited for undo,
    at most `hold` seconds; and what has changed. Whoever asks again leaves out what they know. Nothing of somebody whom
    the reader muted or blocked, or who blocked the reader."""
    given = {"accounts": list(account_ids), "since": since - (round(1000 * (hold + LATE)) << 16)}
    return [News(*row) for statement in (NEWS, CHANGES) for row in session.execute(statement, given)]


NEWS: Final = text(f"""
    WITH fresh AS (
        SELECT p.id, p.author_id, p.group_id, p.visibility FROM posts p JOIN accounts a ON a.id = p.author_id
        WHERE p.id > :since AND p.deleted_at IS NULL AND a.state = 'active' AND NOT {waits("p.id")}
    ), listed AS (
        SELECT p.id, p.author_id, p.group_id, p.visibility = 'company' OR g.access <> 'closed' AS open
        FROM fresh p LEFT JOIN accounts g ON g.id = p.group_id WHERE p.visibility <> 'direct'
    ), heard AS (
        SELECT f.follower_id AS account_id, p.id, 'home' AS place FROM fresh p
        JOIN follows_in_force f ON f.account_id = CASE p.visibility WHEN 'company' THEN p.author_id ELSE p.group_id END
        WHERE p.visibility <> 'direct' AND f.follower_id = ANY (CAST(:accounts AS bigint[]))
        UNION
        SELECT f.follower_id, p.id, 'home' FROM fresh p JOIN tags t ON t.post_id = p.id
        JOIN topics w ON w.tag = t.tag JOIN topic_follows_in_force f ON f.topic_id = w.id
        LEFT JOIN accounts g ON g.id = p.group_id
        WHERE p.visibility <> 'direct' AND g.access IS DISTINCT FROM 'closed'
          AND f.follower_id = ANY (CAST(:accounts AS bigint[]))
        UNION
        SELECT m.account_id, p.id, 'to_you' FROM fresh p JOIN mentions m ON m.post_id = p.id
        LEFT JOIN accounts g ON g.id = p.group_id
        WHERE p.visibility <> 'direct' AND m.account_id = ANY (CAST(:accounts AS bigint[]))
          AND (g.access IS DISTINCT FROM 'closed' OR EXISTS (
                SELECT FROM follows_in_force i WHERE i.follower_id = m.account_id AND i.account_id = p.group_id))
        UNION
        SELECT r.account_id, p.id, 'private' FROM fresh p JOIN post_recipients r ON r.post_id = p.id
        WHERE p.visibility = 'direct' AND r.account_id = ANY (CAST(:accounts AS bigint[]))
        UNION
        SELECT f.follower_id, p.id, 'group:' || p.group_id FROM listed p
        JOIN follows_in_force f ON f.account_id = p.group_id
        WHERE f.follower_id = ANY (CAST(:accounts AS bigint[]))
    )
    SELECT h.account_id, h.id, h.place FROM heard h JOIN fresh p ON p.id = h.id
    WHERE p.author_id <> h.account_id
      AND NOT {silenced("h.account_id", "p.author_id")} AND NOT {blocked("h.account_id", "p.author_id")}
    UNION ALL
    SELECT 0, id, 'everyone' FROM listed WHERE open
    ORDER BY id
""")  # noqa: S608 - put together from constants
# Everything that somebody did has a row in `effects`, in the order of time. What changed in a closed group or in a
# private talk is told to its people alone.
CHANGES: Final = text(f"""
    WITH touched AS (
        SELECT subject_id AS id, action_id AS version FROM effects
        WHERE action_id > :since AND kind IN ('reaction', 'undo')
        UNION ALL
        SELECT coalesce(p.in_reply_to, p.repeat_of), p.id FROM posts p
        WHERE p.id > :since AND p.visibility <> 'direct' AND NOT {waits("p.id")}
    ), changed AS (
        SELECT p.id, p.author_id, p.visibility, p.group_id, max(t.version) AS version,
               p.visibility = 'company' OR p.visibility = 'group' AND g.access <> 'closed' AS open
        FROM touched t JOIN posts p ON p.id = t.id LEFT JOIN accounts g ON g.id = p.group_id
        GROUP BY p.id, g.access
    )
    SELECT 0 AS account_id, id, 'changed' AS place, version FROM changed WHERE open
    UNION ALL
    SELECT f.follower_id, c.id, 'changed', c.version FROM changed c JOIN follows_in_force f ON f.account_id = c.group_id
    WHERE c.visibility = 'group' AND NOT c.open AND f.follower_id = ANY (CAST(:accounts AS bigint[]))
    UNION ALL
    SELECT r.account_id, c.id, 'changed', c.version FROM changed c JOIN post_recipients r ON r.post_id = c.id
    WHERE c.visibility = 'direct' AND r.account_id = ANY (CAST(:accounts AS bigint[]))
    UNION ALL
    SELECT p.author_id, p.id, 'changed',
           CAST(1000 * extract(epoch FROM max(greatest(d.created_at, d.ended_at))) AS bigint)
    FROM posts p JOIN messages m ON m.post_id = p.id JOIN deliveries d ON d.message_id = m.id
    WHERE p.id > id_at(now() - interval '{RECEIPTS}') AND p.author_id = ANY (CAST(:accounts AS bigint[]))
    GROUP BY p.id
""")  # noqa: S608 - put together from constants
