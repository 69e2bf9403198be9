"""Rules about who may have got a post (I5): each is a query that returns the deliveries that break it. invariants.py
runs them."""

from typing import Final

from gateway.ledger.audit.rules import Rule

AUDIENCE: Final = "nobody outside the audience gets a post"
SINGLE: Final = "each person gets an item at most once"

# Most of these queries begin with this: copies of posts that left, or may have left. `tried_as`: the message
# of the tries, which is the digest for what came in one.
GONE: Final = """
    WITH gone AS (
    SELECT d.message_id || ':' || d.address_id AS key, coalesce(m.instead_of, d.message_id) AS spread_as, d.message_id,
           coalesce(h.digest_id, d.message_id) AS tried_as, d.source_id, d.created_at,
           coalesce(d.sent_at, d.created_at) AS left_at, a.account_id, a.id AS address_id, p.id AS post_id, p.author_id,
           p.visibility, p.group_id
    FROM deliveries d
    JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
    JOIN posts p ON p.id = m.post_id
    JOIN addresses a ON a.id = d.address_id
    LEFT JOIN held h ON d.reason = 'digest' AND h.message_id = d.message_id AND h.address_id = d.address_id
    WHERE d.sent_at IS NOT NULL OR d.state IN ('sending', 'sent', 'delivered', 'unknown'))
"""

OWN: Final = """
    SELECT key, 'its author got it' FROM gone WHERE account_id = author_id
    UNION ALL SELECT key, 'it went to an address that is nobody''s' FROM gone WHERE account_id IS NULL
"""

PRIVATE: Final = """
    SELECT key, 'post ' || post_id || ' is private, and not for @' || reader.handle
    FROM gone JOIN accounts reader ON reader.id = gone.account_id
    WHERE visibility = 'direct' AND gone.account_id <> author_id
      AND NOT EXISTS (SELECT FROM post_recipients r WHERE r.post_id = gone.post_id AND r.account_id = gone.account_id)
"""

# Whoever left the group since then is recognised by a row: an unfollow of their own, their deactivation, or an audit
# entry about them.
OUTSIDER: Final = """
    SELECT key, 'post ' || post_id || ' is for members of @' || g.handle || ', and @' || reader.handle || ' was none'
    FROM gone
    JOIN accounts g ON g.id = gone.group_id AND g.access = 'closed' AND g.state = 'active'
    JOIN accounts reader ON reader.id = gone.account_id
    WHERE visibility = 'group' AND gone.account_id <> author_id
      AND NOT EXISTS (SELECT FROM follows f WHERE f.follower_id = reader.id AND f.account_id = g.id
                      AND f.state = 'active' AND f.created_at <= gone.left_at + interval '1 minute')
      AND NOT EXISTS (SELECT FROM mentions n WHERE n.post_id = gone.post_id AND n.account_id = reader.id)
      AND NOT coalesce(reader.deactivated_at >= gone.created_at, false)
      AND NOT EXISTS (SELECT FROM inbound i LEFT JOIN actions a ON a.inbound_id = i.id
                      LEFT JOIN effects e ON e.action_id = a.id
                      WHERE i.account_id = reader.id AND i.done_at >= gone.created_at
                        AND (e.kind IN ('unfollow', 'undo') AND e.subject_id = g.id
                             OR i.intent = 'unfollow' AND e.kind IS NULL))
      AND NOT EXISTS (SELECT FROM audit t WHERE t.subject_id = reader.id AND t.created_at >= gone.created_at)
"""

UNASKED: Final = """
    SELECT key, 'nothing brings it there: no follow, no mention, no address in the post'
    FROM gone
    WHERE (source_id IS NULL
           AND NOT EXISTS (SELECT FROM mentions n WHERE n.post_id = gone.post_id AND n.account_id = gone.account_id)
           AND NOT EXISTS (SELECT FROM post_recipients r
                           WHERE r.post_id = gone.post_id AND r.account_id = gone.account_id))
       OR (source_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM fanouts f WHERE f.message_id = gone.spread_as AND f.source_id = gone.source_id))
"""

# Only what everyone may read is spread by its words. A group may have been closed since then; OUTSIDER asks about that.
BY_WORDS: Final = """
    SELECT x.message_id, 'its fan-out to who follows a word of it is of a post that is ' ||
           CASE WHEN p.repeat_of IS NULL THEN 'private' ELSE 'a repeat' END
    FROM fanouts x JOIN posts p ON p.id = x.post_id AND (p.visibility = 'direct' OR p.repeat_of IS NOT NULL)
    WHERE EXISTS (SELECT FROM topics t WHERE t.id = x.source_id)
       OR EXISTS (SELECT FROM tracks t WHERE t.id = x.source_id)
"""

DEACTIVATED: Final = """
    SELECT key, '@' || reader.handle || ' had been deactivated'
    FROM gone JOIN accounts reader ON reader.id = gone.account_id AND reader.state = 'deactivated'
    WHERE EXISTS (SELECT FROM attempts t WHERE t.message_id = gone.tried_as AND t.address_id = gone.address_id
                  AND t.started_at > reader.deactivated_at + interval '1 second')
"""

# Lifting a block or a mute deletes its row, so only those still in force can be compared with what left since.
SILENCED: Final = """
    SELECT key, '@' || reader.handle || ' and @' || writer.handle || ' do not hear each other'
    FROM gone
    JOIN accounts reader ON reader.id = gone.account_id
    JOIN accounts writer ON writer.id = gone.author_id
    JOIN attempts t ON t.message_id = gone.tried_as AND t.address_id = gone.address_id
    WHERE EXISTS (SELECT FROM silences s
                  WHERE (s.account_id = reader.id AND s.other_id IN (writer.id, gone.group_id, gone.source_id)
                         OR s.account_id = writer.id AND s.other_id = reader.id AND s.kind = 'block')
                    AND t.started_at > s.created_at + interval '1 second'
                    AND (s.expires_at IS NULL OR t.started_at < s.expires_at))
"""

DOUBLED: Final = """
    SELECT d.message_id, '@' || reader.handle || ' gets it at ' || count(*) || ' addresses'
    FROM deliveries d
    JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
    JOIN addresses a ON a.id = d.address_id
    JOIN accounts reader ON reader.id = a.account_id
    WHERE d.state NOT IN ('failed', 'cancelled')
      AND NOT (m.priority = 0 AND m.instead_of IS NOT NULL)  -- a later step of an urgent call goes to all other phones
      AND NOT (d.channel = 'push' AND EXISTS (  -- a push goes to the phone as well when it was not seen
          SELECT FROM held h WHERE h.message_id = d.message_id AND h.account_id = reader.id
            AND h.delayed_until IS NOT NULL))
    GROUP BY d.message_id, reader.id HAVING count(*) > 1
"""

RULES: Final = (
    Rule("I5", AUDIENCE, "delivery", OWN, GONE),
    Rule("I5", AUDIENCE, "delivery", PRIVATE, GONE),
    Rule("I5", AUDIENCE, "delivery", OUTSIDER, GONE),
    Rule("I5", AUDIENCE, "delivery", UNASKED, GONE),
    Rule("I5", AUDIENCE, "message", BY_WORDS),
    Rule("I5", AUDIENCE, "delivery", DEACTIVATED, GONE),
    Rule("I5", AUDIENCE, "delivery", SILENCED, GONE),
    Rule("I5", SINGLE, "message", DOUBLED),
)
