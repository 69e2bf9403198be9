"""The rule as it was: one CASE in one statement. The rules of gateway/attention are compared with it.

It is kept as it was, to the letter. PRIVACY_FIRST is the same with its last two reasons put before what is a
preference, which is the one order that was changed on purpose.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from gateway.network.audience.visibility import may_read_all
from gateway.store.arrays import numbers
from gateway.store.carrier_sql import leaves_opt_outs_to_us
from gateway.store.channel_sql import such

_ANSWERED = such("a.channel", lambda channel: channel.answers_opted_out)

_UNANSWERED = leaves_opt_outs_to_us("s.carrier")

# Why a delivery must not leave, decided at the moment when it is about to. The reasons are in order of importance. `o`
# is what a repeat repeats, and `first` wrote that; a reader who blocked or muted either writer, or muted the group,
# does not get it. An invited phone gets answers and one welcome. A code is to prove whose an address is now, so it goes
# also to one that its last owner lost. To a mailbox that bounces only the test mail and codes are sent. To a phone that
# opted out only the answer to STOP or HELP is sent, which is made only where no carrier answers; a mailbox that opted
# out still gets what it asks for.
_AS_IT_WAS: Final = f"""
SELECT d.message_id, d.address_id, a.account_id, m.quotes, CASE
    WHEN a.state = 'stopped' AND NOT (m.kind = 'answer' AND ({_ANSWERED} OR EXISTS (
        SELECT FROM inbound i WHERE i.id = m.inbound_id AND i.intent IN ('optout', 'help')
          AND (i.intent = 'optout' AND i.opt_out_type IS NULL OR i.recipients[1] ~ '^[0-9]{{3,8}}$' OR EXISTS (
              SELECT FROM senders s WHERE s.number = i.recipients[1] AND {_UNANSWERED}))
    ))) THEN 'opted_out'
    WHEN a.state NOT IN ('verified', 'stopped') AND m.kind <> 'code'
        AND NOT (a.state = 'invited' AND m.kind IN ('answer', 'welcome')) THEN a.state
    WHEN m.kind = 'code' AND d.give_up_at > now() THEN NULL
    WHEN a.bouncing_since IS NOT NULL AND NOT EXISTS (
        SELECT FROM bouncing b WHERE b.address_id = a.id AND b.probe_id = m.id) THEN 'bouncing'
    WHEN 'suspended' IN (reader.state, author.state, first.state) THEN 'suspended'
    WHEN reader.state <> 'active' THEN 'deactivated'
    WHEN d.give_up_at <= now() THEN 'gave_up'
    WHEN p.deleted_at IS NOT NULL OR o.deleted_at IS NOT NULL THEN 'retracted'
    WHEN EXISTS (
        SELECT FROM silences_in_force s WHERE s.account_id = a.account_id
          AND s.other_id = ANY (ARRAY[m.author_id, o.author_id, g.id, d.source_id])
    ) OR EXISTS (
        SELECT FROM silences_in_force s WHERE s.account_id = ANY (ARRAY[m.author_id, o.author_id])
          AND s.other_id = a.account_id AND s.kind = 'block'
    ) OR p.visibility = 'direct' AND EXISTS (
        SELECT FROM post_recipients r
        JOIN silences_in_force s ON s.account_id = r.account_id AND s.other_id = r.named_id
        WHERE r.post_id = p.id AND r.account_id = a.account_id
    ) THEN 'silenced'
    WHEN m.kind = 'daily' AND NOT reader.daily THEN 'off'
    WHEN m.kind = 'daily' AND EXISTS (
        SELECT FROM daily_mails had CROSS JOIN unnest(had.posts) AS shown (id)
        LEFT JOIN posts it ON it.id = shown.id
        LEFT JOIN accounts writer ON writer.id = it.author_id
        LEFT JOIN accounts place ON place.id = it.group_id
        WHERE had.message_id = m.id AND (
            it.id IS NULL OR it.deleted_at IS NOT NULL OR writer.state <> 'active'
            OR NOT (it.visibility = 'company' OR it.visibility = 'group' AND place.access = 'open')
            OR EXISTS (SELECT FROM silences_in_force s WHERE
                s.account_id = a.account_id AND s.other_id IN (it.author_id, it.group_id)
                OR s.account_id = it.author_id AND s.other_id = a.account_id AND s.kind = 'block'))
    ) THEN 'retracted'
    WHEN m.kind IN ('update', 'daily') AND a.off_now THEN 'off'
    WHEN d.source_id IS NOT NULL AND f.account_id IS NULL AND t.topic_id IS NULL AND NOT EXISTS (
        SELECT FROM trackers_in_force k WHERE k.track_id = d.source_id AND k.follower_id = a.account_id) THEN 'left'
    WHEN d.source_id IS NOT NULL AND f.off_now THEN 'off'
    WHEN p.visibility = 'direct' AND NOT EXISTS (
        SELECT FROM post_recipients r WHERE r.post_id = p.id AND r.account_id = a.account_id) THEN 'private'
    WHEN g.access = 'closed' AND coalesce(o.visibility, p.visibility) = 'group' AND NOT EXISTS (
        SELECT FROM follows_in_force c WHERE c.follower_id = a.account_id AND c.account_id = g.id
    ) THEN 'left'
    END AS reason
FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS k (message_id, address_id)
JOIN deliveries d USING (message_id, address_id)
JOIN messages m ON m.id = d.message_id
JOIN addresses_now a ON a.id = d.address_id
LEFT JOIN accounts reader ON reader.id = a.account_id
LEFT JOIN accounts author ON author.id = d.author_id
LEFT JOIN posts p ON p.id = m.post_id
LEFT JOIN posts o ON o.id = p.repeat_of
LEFT JOIN accounts first ON first.id = o.author_id
LEFT JOIN accounts g ON g.id = coalesce(o.group_id, p.group_id)
LEFT JOIN follows_in_force f ON f.follower_id = a.account_id AND f.account_id = d.source_id
LEFT JOIN topic_follows_in_force t ON t.follower_id = a.account_id AND t.topic_id = d.source_id
"""


_PRIVACY = _AS_IT_WAS[
    _AS_IT_WAS.index("    WHEN p.visibility = 'direct' AND NOT EXISTS (") : _AS_IT_WAS.index("    END AS reason")
]
_PREFERENCES = "    WHEN m.kind = 'daily' AND NOT reader.daily"
assert _AS_IT_WAS.count(_PREFERENCES) == _PRIVACY.count("THEN 'private'") == _PRIVACY.count("THEN 'left'") == 1

AS_IT_WAS: Final = text(_AS_IT_WAS)
PRIVACY_FIRST: Final = text(_AS_IT_WAS.replace(_PRIVACY, "").replace(_PREFERENCES, _PRIVACY + _PREFERENCES))


def find_refusals(
    session: Session, keys: Collection[tuple[int, int]], statement: TextClause = AS_IT_WAS
) -> dict[tuple[int, int], str]:
    """(message, address) → why it must not leave, for those of `keys` that must not."""
    messages, addresses = numbers(key[0] for key in keys), numbers(key[1] for key in keys)
    rows = session.execute(statement, {"messages": messages, "addresses": addresses}).all()
    reasons = {(row.message_id, row.address_id): row.reason or _quotes_lost(session, row) for row in rows}
    return {key: reason for key, reason in reasons.items() if reason}


def _quotes_lost(session: Session, row: Row[Any]) -> str | None:
    lost = row.quotes and not may_read_all(session, row.account_id, row.quotes)
    return "retracted" if lost else None
