"""What is new for people whose pages are open: ids and places, never words. The stream asks once a second, for all of
them in one statement; a page that was away asks for what it missed."""

from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds.conditions import blocked, silenced, waits

Place = Literal["home", "to_you", "private"]
LATE: Final = 60.0  # seconds: a post may commit after one with a higher id, and a repeat waits for what it repeats


class News(NamedTuple):
    """A post that is new for somebody, and where their page has it."""

    account_id: int
    post_id: int
    place: Place


def newest(session: Session) -> int:
    """The highest id that a post can have now."""
    return int(session.scalar(text("SELECT id_at(now())")) or 0)


def find(session: Session, account_ids: Collection[int], since: int, hold: float) -> Sequence[News]:
    """What became readable for these people after `since` (an id), also of what was written before and waited for undo,
    at most `hold` seconds. Whoever asks again leaves out what they know. Nothing of somebody whom the reader muted or
    blocked, or who blocked the reader."""
    given = {"accounts": list(account_ids), "since": since - (round(1000 * (hold + LATE)) << 16)}
    return [News(*row) for row in session.execute(NEWS, given)]


NEWS: Final = text(f"""
    WITH fresh AS (
        SELECT p.id, p.author_id, p.group_id, p.visibility FROM posts p JOIN accounts a ON a.id = p.author_id
        WHERE p.id > :since AND p.deleted_at IS NULL AND a.state = 'active' AND NOT {waits("p.id")}
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
    )
    SELECT h.account_id, h.id, h.place FROM heard h JOIN fresh p ON p.id = h.id
    WHERE p.author_id <> h.account_id
      AND NOT {silenced("h.account_id", "p.author_id")} AND NOT {blocked("h.account_id", "p.author_id")}
    ORDER BY h.id
""")  # noqa: S608 - put together from constants
