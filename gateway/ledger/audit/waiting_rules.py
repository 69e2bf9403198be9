"""Rules about what waits for its reader (I11), and about quiet hours (I12): each is a query that returns the rows that
break it. invariants.py runs them.

I12 asks by the wall clock, minute by minute, in a statement of its own: gateway/attention/quiet_hours, which decides
about each delivery, computes instants instead, so a mistake in one of the two shows.
"""

from typing import Final

from gateway.ledger.audit.rules import Rule

ENDS: Final = "what waits for its reader is decided about when its time has come"
PAIRED: Final = "a delivery is held exactly while something waits or is in a digest"
FOLDED: Final = "what is in a digest is in one of its own reader"
ONCE: Final = "nobody gets an item both in a digest and by itself"
SEEN: Final = "what its reader has seen on the web is not sent any more"
QUIET: Final = "nothing unasked is begun in somebody's quiet hours"

LATE: Final = """
    SELECT message_id || ':' || address_id,
           'due for ' || round(extract(epoch FROM now() - until) / 60) || ' min, and still waiting'
    FROM held WHERE state = 'waiting' AND until < now() - interval '15 minutes'
"""

# The items of a digest that has left follow it within seconds.
UNFOLLOWED: Final = """
    SELECT h.message_id || ':' || h.address_id,
           'its digest ended ' || round(extract(epoch FROM now() - d.ended_at) / 60) || ' min ago'
    FROM held h JOIN deliveries d ON d.message_id = h.digest_id
    WHERE h.state = 'folded' AND d.ended_at < now() - interval '15 minutes'
"""

UNWAITED: Final = """
    SELECT d.message_id || ':' || d.address_id, 'is held, and nothing will send it'
    FROM deliveries d
    WHERE d.state = 'held' AND NOT EXISTS (
        SELECT FROM held h WHERE h.message_id = d.message_id AND h.address_id = d.address_id
          AND h.state IN ('waiting', 'folded'))
"""

# A late report of the carrier about an earlier try may have ended the delivery; the wake-up then ends the row.
UNHELD: Final = """
    SELECT h.message_id || ':' || h.address_id,
           h.state || ', and its delivery is ' || coalesce(d.state, 'gone')
    FROM held h LEFT JOIN deliveries d ON d.message_id = h.message_id AND d.address_id = h.address_id
    WHERE h.state IN ('waiting', 'folded') AND d.state IS DISTINCT FROM 'held'
      AND (d.state IS NULL OR d.state = 'cancelled' OR NOT EXISTS (
          SELECT FROM attempts a WHERE a.message_id = h.message_id AND a.address_id = h.address_id))
"""

ENDLESS: Final = """
    SELECT message_id || ':' || address_id,
           state || CASE WHEN ended_at IS NULL THEN ', and yet nobody knows when' ELSE ', and yet ended' END
    FROM held WHERE (ended_at IS NULL) <> (state IN ('waiting', 'folded'))
"""

# Of the same person, and not of the same address: what was for a phone may come in the mailbox's digest.
STRAYED: Final = """
    SELECT h.message_id || ':' || h.address_id,
           CASE WHEN g.message_id IS NULL THEN 'in a digest that is none' ELSE 'in somebody else''s digest' END
    FROM held h LEFT JOIN digests g ON g.message_id = h.digest_id
    WHERE h.state = 'folded' AND g.account_id IS DISTINCT FROM h.account_id
"""

# A digest that did not leave keeps its number in the row, and then the item goes by itself. What was pushed and not
# seen comes to the phone as well, perhaps with the digest of the morning.
TWICE: Final = """
    SELECT h.message_id || ':' || h.address_id, 'left in digest ' || h.digest_id || ', and by itself'
    FROM held h
    JOIN deliveries digest ON digest.message_id = h.digest_id AND digest.state IN ('sent', 'delivered')
    JOIN deliveries d ON d.message_id = h.message_id AND d.state IN ('sent', 'delivered')
    JOIN addresses a ON a.id = d.address_id AND a.account_id = h.account_id
    WHERE h.digest_id IS NOT NULL AND d.reason IS DISTINCT FROM 'digest'
      AND NOT d.possible_duplicate AND NOT digest.possible_duplicate
      AND NOT (d.channel = 'push' AND h.delayed_until IS NOT NULL)
"""

SENT_ALL_THE_SAME: Final = """
    SELECT h.message_id || ':' || h.address_id, 'was seen on the web, and then sent'
    FROM held h JOIN attempts t ON t.message_id = h.message_id AND t.address_id = h.address_id
    WHERE h.state = 'seen' AND t.started_at > h.seen_at + interval '1 second'
    UNION ALL
    SELECT h.message_id || ':' || h.address_id, 'was seen on the web, and its delivery is ' || d.state
    FROM held h JOIN deliveries d ON d.message_id = h.message_id AND d.address_id = h.address_id
    WHERE h.state = 'seen' AND (h.seen_at IS NULL OR d.state IN ('held', 'queued', 'retry'))
"""

ZONES: Final = "WITH zones AS MATERIALIZED (SELECT name FROM pg_timezone_names)"


def _inside(moment: str) -> str:
    """As a condition: the wall clock of the reader is then in one of the spans. One that ends at or before its begin
    ends on the next day."""
    wall = f"date_trunc('minute', {moment} AT TIME ZONE coalesce(zones.name, 'UTC'))"
    return f"""EXISTS (
        SELECT FROM regexp_split_to_table(a.quiet, '; ') AS span
        CROSS JOIN LATERAL (
            SELECT string_to_array(split_part(span, ' ', 1), ',') AS days,
                   CAST(split_part(split_part(span, ' ', 2), '-', 1) AS time) AS begins,
                   CAST(split_part(split_part(span, ' ', 2), '-', 2) AS time) AS ends,
                   CAST({wall} AS time) AS clock,
                   lower(left(to_char({wall}, 'DY'), 2)) AS today,
                   lower(left(to_char({wall} - interval '1 day', 'DY'), 2)) AS yesterday
        ) AS shown
        WHERE CASE WHEN ends > begins THEN today = ANY (days) AND clock >= begins AND clock < ends
                   ELSE today = ANY (days) AND clock >= begins OR yesterday = ANY (days) AND clock < ends END)"""


# The clock of a reader who was away is that of there till they were home again. What it was before they last changed it
# is not kept, so it is not asked. A delivery is decided about shortly before its try begins. Whoever wrote to us within
# half an hour before is in a conversation: what answers them comes at once.
RUNG: Final = f"""
    SELECT t.id, 'of delivery ' || t.message_id || ':' || t.address_id || ', in quiet hours: ' || a.quiet
    FROM attempts t
    JOIN addresses a ON a.id = t.address_id AND a.quiet IS NOT NULL
    JOIN messages m ON m.id = t.message_id AND m.kind IN ('update', 'notice', 'daily', 'digest')
    JOIN deliveries d ON d.message_id = t.message_id AND d.address_id = t.address_id
    LEFT JOIN accounts reader ON reader.id = a.account_id
    LEFT JOIN attention w ON w.account_id = a.account_id AND coalesce(t.started_at < w.zone_until, true)
    LEFT JOIN attention home ON home.account_id = a.account_id
    LEFT JOIN zones ON zones.name = coalesce(w.zone, reader.timezone)
    LEFT JOIN posts p ON p.id = m.post_id
    WHERE d.priority > 0 AND t.id >= id_at(now() - interval '1 day') AND t.started_at > now() - interval '1 day'
      AND t.started_at - interval '2 seconds' > greatest(
            a.quiet_since, reader.zone_since, CASE WHEN home.zone_until <= t.started_at THEN home.zone_until END)
      AND {_inside("t.started_at")} AND {_inside("(t.started_at - interval '2 seconds')")}
      AND NOT ((m.kind = 'notice' OR d.source_id IS NULL AND EXISTS (
                    SELECT FROM posts mine WHERE mine.id = p.in_reply_to AND mine.author_id = a.account_id))
               AND (a.seen_at BETWEEN t.started_at - interval '31 minutes' AND t.started_at OR EXISTS (
                    SELECT FROM inbound i WHERE i.channel = a.channel AND i.sender = a.address
                      AND i.id >= id_at(t.started_at - interval '31 minutes') AND i.id < t.id)))
      AND NOT (m.kind = 'notice' AND EXISTS (SELECT FROM bouncing b WHERE b.address_id = t.address_id))
"""  # noqa: S608

RULES: Final = (
    Rule("I11", ENDS, "delivery", LATE),
    Rule("I11", ENDS, "delivery", UNFOLLOWED),
    Rule("I11", PAIRED, "delivery", UNWAITED),
    Rule("I11", PAIRED, "delivery", UNHELD),
    Rule("I11", PAIRED, "delivery", ENDLESS),
    Rule("I11", FOLDED, "delivery", STRAYED),
    Rule("I11", ONCE, "delivery", TWICE),
    Rule("I11", SEEN, "delivery", SENT_ALL_THE_SAME),
    Rule("I12", QUIET, "attempt", RUNG, ZONES),
)
