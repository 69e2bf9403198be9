"""Who gets a post: makes the deliveries of a fan-out chunk by chunk, and finds out whether anybody gets it at all."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import fanouts
from gateway.ledger.outbox.fanouts import ExpandedChunk
from gateway.store.channel_sql import rank, such
from gateway.store.tables import Fanout, Post

_FINAL = such("channel", lambda channel: channel.opt_out_is_final)


def _unasked(column: str) -> str:
    """As a condition: a follow alone brings updates by this channel."""
    return such(column, lambda channel: not channel.on_request)


def _chosen(column: str) -> str:
    """As a condition: nothing comes by this channel but what its reader wants by it."""
    return such(column, lambda channel: channel.only_if_chosen)


WAY_OF_CHOSEN: Final = "push"  # the way of that channel
# The one address at which somebody gets it, of `asked`: account_id, named, and the way that they asked for.
ADDRESS: Final = f"""
        SELECT id, channel, sender_id, address FROM addresses_now
        WHERE account_id = asked.account_id AND is_primary AND state IN ('verified', 'stopped')
          AND ({_chosen("channel")}) = (asked.way = '{WAY_OF_CHOSEN}')
          AND ({_unasked("channel")} OR asked.named OR asked.way <> 'mail')
        ORDER BY asked.named AND NOT receives,
                 asked.way <> 'text' AND NOT ({_unasked("channel")} AND state = 'verified' AND bouncing_since IS NULL),
                 {rank("channel")} DESC LIMIT 1
"""  # noqa: S608

# One chunk of a post's audience: followers of its source (a person, a group, a topic or a track) after the cursor, and
# the people it names, up to where the followers of this chunk end. Each person gets it at one address and once, however
# many sources lead to them: with several sources, whoever asked for texts from one of them gets it by text from
# whichever is first; a follow that is off asks for nothing there. A post that names somebody whose phone is off goes to
# their mailbox; one that only a follow by text brings does not. An opt-out of texts never leads to another channel:
# that row is made and ends as opted out, so that the receipts show it. `deaf`: who blocked or muted the source, and the
# author of what it repeats. `told`: the other messages with the same words.
_CHUNK = fanouts.expansion(f"""
WITH others AS MATERIALIZED (
    SELECT array_agg(source_id) AS sources FROM fanouts WHERE message_id = :message HAVING count(*) > 1
), f AS (
    (SELECT follower_id AS account_id, by_text AND NOT (off_now AND EXISTS (SELECT FROM others)) AS by_text
    FROM follows_in_force
    WHERE account_id = :source AND follower_id > :reached
    ORDER BY follower_id LIMIT :chunk)
    UNION ALL
    (SELECT follower_id, by_text
    FROM topic_follows_in_force
    WHERE topic_id = :source AND follower_id > :reached
    ORDER BY follower_id LIMIT :chunk)
    UNION ALL
    (SELECT follower_id, by_text
    FROM trackers_in_force
    WHERE track_id = :source AND follower_id > :reached
    ORDER BY follower_id LIMIT :chunk)
), bound AS (
    SELECT CASE WHEN count(*) = :chunk THEN max(account_id) ELSE 9223372036854775807 END AS upto FROM f
), named AS (
    SELECT account_id FROM mentions WHERE post_id = :post
    UNION SELECT account_id FROM post_recipients WHERE post_id = :post
), p AS MATERIALIZED (
    SELECT post.repeat_of, original.author_id,
           ARRAY[:author, :source, post.group_id, original.author_id, original.group_id] AS origins
    FROM posts post LEFT JOIN posts original ON original.id = post.repeat_of WHERE post.id = :post
), deaf AS MATERIALIZED (
    SELECT s.account_id FROM silences_in_force s
    WHERE s.other_id = ANY ((SELECT origins FROM p)::bigint[])
    UNION ALL SELECT s.other_id FROM silences_in_force s
    WHERE s.account_id = ANY (ARRAY[:author, (SELECT author_id FROM p)]) AND s.kind = 'block'
    UNION ALL SELECT r.account_id
    FROM post_recipients r JOIN silences_in_force s ON s.account_id = r.account_id AND s.other_id = r.named_id
    WHERE r.post_id = :post
    UNION ALL SELECT author_id FROM p WHERE author_id IS NOT NULL
), told AS MATERIALIZED (
    SELECT m.id FROM p JOIN messages m ON m.post_id = p.repeat_of
    UNION ALL SELECT m.id FROM p JOIN posts again ON again.repeat_of = p.repeat_of AND again.id <> :post
    JOIN messages m ON m.post_id = again.id
), reach AS (
    SELECT account_id, bool_or(named) AS named, bool_or(by_text) AS by_text FROM (
        SELECT account_id, false AS named, by_text FROM f
        UNION ALL
        SELECT account_id, true, false FROM named, bound WHERE account_id > :reached AND account_id <= upto
    ) AS both_ways GROUP BY account_id
), asked AS (
    SELECT account_id, named, CASE
        WHEN reader.chooses
        THEN chosen_way(:message, :post, account_id, coalesce((SELECT sources FROM others), ARRAY[:source]), named)
        WHEN named OR by_text OR (SELECT sources FROM others) IS NOT NULL AND (EXISTS (
            SELECT FROM follows_in_force WHERE follower_id = reach.account_id
              AND account_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text AND NOT off_now
        ) OR EXISTS (
            SELECT FROM topic_follows_in_force WHERE follower_id = reach.account_id
              AND topic_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text
        ) OR EXISTS (
            SELECT FROM trackers_in_force WHERE follower_id = reach.account_id
              AND track_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text
        )) THEN 'text' ELSE 'mail' END AS way
    FROM reach
    JOIN accounts reader ON reader.id = reach.account_id AND reader.state = 'active' AND reader.id <> :author
    OFFSET 0
), recipients AS (
    SELECT place.id AS address_id, place.channel, place.sender_id,
           CASE WHEN NOT asked.named THEN CAST(:source AS bigint) END AS source_id
    FROM asked
    CROSS JOIN LATERAL ({ADDRESS}) AS place
    WHERE asked.way <> 'had' AND asked.account_id NOT IN (SELECT account_id FROM deaf)
      AND ((SELECT repeat_of FROM p) IS NULL OR NOT EXISTS (
        SELECT FROM told JOIN deliveries d ON d.message_id = told.id JOIN addresses mine ON mine.id = d.address_id
        WHERE mine.account_id = asked.account_id AND d.state NOT IN ('cancelled', 'failed')))
)
""")  # noqa: S608

END = 2**63 - 1


def expand(session: Session, fanout: Fanout, priority: int, chunk: int) -> ExpandedChunk:
    """Inserts the deliveries of the next `chunk` followers. The cursor END means that this was the last chunk."""
    return fanouts.expand(session, _CHUNK, fanout, priority, chunk)


_HEARD = text(f"""
WITH spread AS MATERIALIZED (
    SELECT array_agg(source_id) AS sources FROM fanouts WHERE post_id = :post
)
SELECT EXISTS (
    SELECT FROM (
        SELECT follower_id AS account_id,
               by_text OR coalesce(way IN ('text', 'push', 'digest', 'web'), false) AS by_text
        FROM subscriptions_in_force WHERE source_id = ANY ((SELECT sources FROM spread)::bigint[])
        UNION ALL SELECT account_id, true FROM mentions WHERE post_id = :post
        UNION ALL SELECT account_id, true FROM post_recipients WHERE post_id = :post
    ) AS reach
    JOIN accounts reader ON reader.id = reach.account_id AND reader.state = 'active' AND reader.id <> :author
    JOIN addresses a ON a.account_id = reach.account_id AND a.is_primary AND a.state = 'verified'
     AND ({_unasked("a.channel")} OR reach.by_text)
    WHERE NOT (reach.by_text AND EXISTS (
        SELECT FROM addresses
        WHERE account_id = reach.account_id AND {_FINAL} AND is_primary AND state = 'stopped'))
      AND NOT EXISTS (
        SELECT FROM silences_in_force s
        WHERE s.account_id = reach.account_id
          AND s.other_id = ANY (:author || (SELECT sources FROM spread)::bigint[]))
      AND NOT EXISTS (
        SELECT FROM silences_in_force s
        WHERE s.account_id = :author AND s.other_id = reach.account_id AND s.kind = 'block')
)
""")  # noqa: S608


def has_readers(session: Session, post: Post) -> bool:
    """Whether anyone at all would get the post now, by any of its fan-outs."""
    return bool(session.scalar(_HEARD, {"post": post.id, "author": post.author_id}))
