"""What must hold in the ledger, as queries that return the rows that break an invariant.

Every query is one pass over its tables, so that a hundred thousand deliveries take seconds. invariants.py runs them,
together with audience_rules.py, budget_rules.py, call_rules.py and waiting_rules.py.
"""

from dataclasses import dataclass
from typing import Final

from gateway.store.carrier_sql import leaves_opt_outs_to_us
from gateway.store.channel_sql import such


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of an invariant. `broken` selects (row id, why); `opening` is a WITH clause that it may select from.
    `:settled` in it is the age from which on an accepted input must be finished."""

    invariant: str
    says: str
    noun: str
    broken: str
    opening: str = ""


SHOWN: Final = "what hangs on a post is there"
READ: Final = "what was accepted is read within a minute"
KEPT: Final = "what was read keeps what it did"
SPREAD: Final = "a post is spread, and no delivery of it is lost"
ONCE: Final = "nothing takes effect twice"
SENT_ONCE: Final = "a delivery is sent at most once, unless it is marked as a possible duplicate"
INSTEAD: Final = "a text goes by mail instead only to its own reader, and never for an opt-out"
ENDS: Final = "no delivery stays open past its end"
CHAINED: Final = "the audit was only ever added to"
OPT_OUT: Final = "no try begins more than a second after the opt-out"

# When an operator puts an old row back (held, quarantined), its minute starts again.
UNREAD: Final = """
    SELECT id, 'accepted ' || round(extract(epoch FROM now() - received_at)) || ' s ago and still ' || state
    FROM inbound
    WHERE state IN ('unproved', 'new', 'working')
      AND coalesce(not_before, received_at) < now() - CAST(:settled AS interval)
      AND id NOT IN (SELECT subject_id FROM audit
                     WHERE id >= id_at(now() - CAST(:settled AS interval)) AND subject_id IS NOT NULL)
"""

UNENDED: Final = "SELECT id, 'done, and nobody knows when' FROM inbound WHERE state = 'done' AND done_at IS NULL"

# Messages up to this id were deleted for their age; the rules that need messages skip older rows.
FORGOTTEN: Final = "WITH forgotten AS (SELECT coalesce(max(upto), 0) AS upto FROM retention WHERE what = 'messages')"

# Each of these intents makes a post or is answered with the reason why not. No answer is sent beyond 60 answers an
# hour, or when the same text comes for the fourth time in a row: then there are three answers shortly before it.
FRUITLESS: Final = """
    SELECT i.id, 'read as ' || i.intent || ', but there is neither a post nor an answer'
    FROM inbound i
    WHERE i.state = 'done' AND i.intent IN ('update', 'group', 'reply', 'direct')
      AND i.id > (SELECT upto FROM forgotten)
      AND NOT EXISTS (SELECT FROM messages m WHERE m.kind = 'answer' AND m.inbound_id = i.id)
      AND i.id NOT IN (SELECT inbound_id FROM posts WHERE inbound_id IS NOT NULL)
      AND i.account_id IS NOT NULL
      AND 3 > (SELECT count(*) FROM inbound e JOIN messages m ON m.inbound_id = e.id AND m.kind = 'answer'
               WHERE e.account_id = i.account_id AND e.id < i.id AND e.id >= id_at(i.received_at - interval '1 hour'))
"""

# Erasing a person deletes their posts; their inputs then belong to no account.
UNKEPT: Final = """
    SELECT coalesce(i.id, a.id), 'made post ' || e.subject_id || ', which is gone'
    FROM effects e JOIN actions a ON a.id = e.action_id LEFT JOIN inbound i ON i.id = a.inbound_id
    LEFT JOIN posts p ON p.id = e.subject_id
    WHERE e.kind = 'post' AND p.id IS NULL AND (i.account_id IS NOT NULL OR a.key IS NOT NULL)
"""

UNSPREAD: Final = """
    SELECT p.id, CASE WHEN m.id IS NULL THEN 'has no message' ELSE 'has no fan-out' END
    FROM posts p
    LEFT JOIN messages m ON m.post_id = p.id AND m.kind = 'update' AND m.instead_of IS NULL
    LEFT JOIN fanouts f ON f.message_id = m.id
    WHERE p.inbound_id IS NOT NULL AND f.message_id IS NULL AND p.id > (SELECT upto FROM forgotten)
"""

# Old months of deliveries are dropped, fan-outs are not: only young fan-outs can be compared with their deliveries.
LOST: Final = """
    SELECT made.message_id, 'made ' || made.count || ' deliveries, and ' || coalesce(there.count, 0) || ' are there'
    FROM (SELECT message_id, sum(texts + mails + pushes) AS count FROM fanouts
          WHERE created_at > now() - interval '30 days' GROUP BY message_id) made
    LEFT JOIN (SELECT message_id, count(*) AS count FROM deliveries GROUP BY message_id) there
           ON there.message_id = made.message_id
    WHERE made.count > coalesce(there.count, 0)
"""

# Deliveries have no foreign keys: whoever deletes a message or an address must delete its deliveries, too.
ORPHANED: Final = """
    SELECT d.message_id || ':' || d.address_id,
           CASE WHEN m.id IS NULL THEN 'its message is gone' ELSE 'its address is gone' END
    FROM deliveries d LEFT JOIN messages m ON m.id = d.message_id LEFT JOIN addresses a ON a.id = d.address_id
    WHERE m.id IS NULL OR a.id IS NULL
"""

TWICE_ACCEPTED: Final = """
    SELECT max(id), 'the text was accepted before, as ' || min(id)
    FROM inbound WHERE channel = 'sms' AND message_id IS NOT NULL
    GROUP BY message_id HAVING count(*) > 1
"""

TWICE_POSTED: Final = """
    SELECT inbound_id, 'made ' || count(*) || ' posts: ' || string_agg(CAST(id AS text), ', ' ORDER BY id)
    FROM posts WHERE inbound_id IS NOT NULL GROUP BY inbound_id HAVING count(*) > 1
"""

UNCAUSED: Final = """
    SELECT p.id, 'says it comes from inbound ' || p.inbound_id || ', which did not make it'
    FROM posts p
    LEFT JOIN actions a ON a.inbound_id = p.inbound_id
    LEFT JOIN effects e ON e.action_id = a.id AND e.kind = 'post' AND e.subject_id = p.id
    WHERE p.inbound_id IS NOT NULL AND e.action_id IS NULL
"""

TWICE_ANSWERED: Final = """
    SELECT inbound_id, 'has ' || count(*) || ' answers: messages ' || string_agg(CAST(id AS text), ', ' ORDER BY id)
    FROM messages WHERE kind = 'answer' AND inbound_id IS NOT NULL GROUP BY inbound_id HAVING count(*) > 1
    UNION ALL
    SELECT m.inbound_id, 'its answer, message ' || m.id || ', goes to ' || count(*) || ' addresses'
    FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.kind = 'answer' AND m.inbound_id IS NOT NULL GROUP BY m.inbound_id, m.id HAVING count(*) > 1
"""

TWICE_RENDERED: Final = """
    SELECT post_id, 'has ' || count(*) || ' messages: ' || string_agg(CAST(id AS text), ', ' ORDER BY id)
    FROM messages WHERE kind = 'update' AND post_id IS NOT NULL AND instead_of IS NULL
    GROUP BY post_id HAVING count(*) > 1
"""

FALLEN: Final = """
    SELECT f.message_id || ':' || f.address_id,
           CASE WHEN f.reason IN ('21610', 'opted_out', 'stopped') THEN 'went by mail because of an opt-out'
                ELSE 'went by mail to somebody else' END
    FROM fallbacks f JOIN addresses phone ON phone.id = f.address_id JOIN addresses mailbox ON mailbox.id = f.mailbox_id
    WHERE phone.account_id <> mailbox.account_id OR f.reason IN ('21610', 'opted_out', 'stopped')
"""

TWICE_SENT: Final = """
    SELECT d.message_id || ':' || d.address_id, count(*) || ' tries of it were sent'
    FROM attempts a JOIN deliveries d ON d.message_id = a.message_id AND d.address_id = a.address_id
    WHERE a.state IN ('sent', 'delivered') AND NOT d.possible_duplicate
    GROUP BY d.message_id, d.address_id HAVING count(*) > 1
"""

OVERDUE: Final = """
    SELECT message_id || ':' || address_id,
           state || ', though it was to be given up ' || round(extract(epoch FROM now() - give_up_at)) || ' s ago'
    FROM deliveries WHERE ended_at IS NULL AND state IN ('queued', 'retry') AND give_up_at < now()
"""

# A worker whose lease ran out is gone, or slow; the sweeper looks every 15 s.
ABANDONED: Final = """
    SELECT message_id || ':' || address_id, 'sending, though its lease is long over'
    FROM deliveries
    WHERE state = 'sending' AND ended_at IS NULL AND (lease_until IS NULL OR lease_until < now() - interval '1 minute')
"""

UNRESOLVED: Final = """
    SELECT d.message_id || ':' || d.address_id, 'in doubt for more than ten minutes'
    FROM deliveries d
    LEFT JOIN attempts a ON a.message_id = d.message_id AND a.address_id = d.address_id AND a.number = d.attempt
    WHERE d.state = 'unknown' AND d.ended_at IS NULL
      AND least(d.not_before, a.started_at + interval '1 minute') < now() - interval '10 minutes'
"""

ENDLESS: Final = """
    SELECT message_id || ':' || address_id,
           state || CASE WHEN ended_at IS NULL THEN ', and yet open' ELSE ', and yet ended' END
    FROM deliveries
    WHERE (ended_at IS NULL) <> (state IN ('queued', 'sending', 'retry'))
      AND NOT (state = 'unknown' AND ended_at IS NULL)
"""

UNFINISHED: Final = """
    SELECT message_id,
           'its fan-out from ' || source_id || ' is due for ' || round(extract(epoch FROM now() - not_before)) || ' s'
    FROM fanouts WHERE state = 'waiting' AND not_before < now() - interval '1 minute'
"""

# The law itself allows the answer to STOP and HELP. We send it where the carrier does not: on short codes, and through
# carriers other than Twilio. A mailbox that opted out still gets the answers to what it asks.
_ANSWERED: Final = such("i.channel", lambda channel: channel.answers_opted_out)
_UNANSWERED: Final = leaves_opt_outs_to_us("s.carrier")
_CONFIRMS: Final = f"""EXISTS (SELECT FROM messages m JOIN inbound i ON i.id = m.inbound_id
                      WHERE m.id = t.message_id AND m.kind = 'answer' AND ({_ANSWERED}
                         OR i.intent IN ('optout', 'help')
                        AND (i.recipients[1] ~ '^[0-9]{{3,8}}$' OR EXISTS (
                            SELECT FROM senders s WHERE s.number = i.recipients[1] AND {_UNANSWERED}))))"""  # noqa: S608

STOPPED: Final = f"""
    SELECT t.id, 'begun ' || round(extract(epoch FROM t.started_at - o.created_at)::numeric, 1)
                 || ' s after the opt-out, of delivery ' || t.message_id || ':' || t.address_id
    FROM attempts t
    JOIN LATERAL (SELECT max(created_at) AS created_at FROM consent
                  WHERE address_id = t.address_id AND kind = 'opt_out'
                    AND created_at < t.started_at - interval '1 second') o ON o.created_at IS NOT NULL
    WHERE NOT EXISTS (SELECT FROM consent i WHERE i.address_id = t.address_id AND i.kind = 'opt_in'
                      AND i.created_at >= o.created_at AND i.created_at <= t.started_at)
      AND NOT {_CONFIRMS}
    UNION
    SELECT t.id, 'begun ' || round(extract(epoch FROM t.started_at - a.stopped_at)::numeric, 1)
                 || ' s after the opt-out, of delivery ' || t.message_id || ':' || t.address_id
    FROM attempts t JOIN addresses a ON a.id = t.address_id
    WHERE t.started_at > a.stopped_at + interval '1 second'
      AND NOT EXISTS (SELECT FROM consent c WHERE c.address_id = a.id AND c.kind = 'opt_out')
      AND NOT {_CONFIRMS}
"""  # noqa: S608

UNAUDITED: Final = """
    SELECT c.id, 'says that the audit has a row of it, and it has not'
    FROM consent c WHERE c.kind = 'opt_out' AND c.audit_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM audit t WHERE t.id = c.audit_id AND t.subject_id = c.address_id
                      AND t.action = 'address.opt_out')
"""

UNSHOWN: Final = """
    SELECT id, 'says that ' || coalesce(attached, 'nothing') || ' hangs on it, of upload '
               || coalesce(CAST(upload_id AS text), 'nobody')
    FROM posts p
    WHERE (attached IS NULL) <> (upload_id IS NULL)
       OR upload_id IS NOT NULL AND NOT EXISTS (SELECT FROM media m WHERE m.upload_id = p.upload_id)
"""

UNNAMED: Final = """
    SELECT upload_id || '.' || number, 'is kept, and nobody knows under which hash, how large or as what'
    FROM media WHERE state = 'fetched' AND (sha256 IS NULL OR size IS NULL OR content_type IS NULL)
"""

RULES: Final = (
    Rule("I10", SHOWN, "post", UNSHOWN),
    Rule("I10", SHOWN, "file", UNNAMED),
    Rule("I1", READ, "inbound", UNREAD),
    Rule("I1", READ, "inbound", UNENDED),
    Rule("I1", KEPT, "inbound", FRUITLESS, FORGOTTEN),
    Rule("I1", KEPT, "inbound", UNKEPT),
    Rule("I1", SPREAD, "post", UNSPREAD, FORGOTTEN),
    Rule("I1", SPREAD, "message", LOST),
    Rule("I1", SPREAD, "delivery", ORPHANED),
    Rule("I2", ONCE, "inbound", TWICE_ACCEPTED),
    Rule("I2", ONCE, "inbound", TWICE_POSTED),
    Rule("I2", ONCE, "post", UNCAUSED),
    Rule("I2", ONCE, "inbound", TWICE_ANSWERED),
    Rule("I2", ONCE, "post", TWICE_RENDERED),
    Rule("I3", SENT_ONCE, "delivery", TWICE_SENT),
    Rule("I5", INSTEAD, "delivery", FALLEN),
    Rule("I4", ENDS, "delivery", OVERDUE),
    Rule("I4", ENDS, "delivery", ABANDONED),
    Rule("I4", ENDS, "delivery", UNRESOLVED),
    Rule("I4", ENDS, "delivery", ENDLESS),
    Rule("I4", ENDS, "message", UNFINISHED),
    Rule("I7", OPT_OUT, "attempt", STOPPED),
    Rule("I9", CHAINED, "consent", UNAUDITED),
)
