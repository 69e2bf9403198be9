"""The statements that find facts about deliveries (gateway/attention/facts.py): one for all, which returns only what is
unusual, and one for what is asked of few. fact_lookup.py runs them."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Final

from sqlalchemy import TextClause, text

from gateway.attention import way_sql
from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.facts import CIRCUMSTANCES, LOOKED_UP, Facts
from gateway.attention.planned_post import PLANNED
from gateway.channels import SMS
from gateway.store.carrier_sql import leaves_opt_outs_to_us


def _unusual(name: str, usual: object) -> str:
    """As a condition: this column has another value than the usual one. NULL counts as usual: there is nobody whose
    state could be a reason."""
    if usual is None:
        return f"{name} IS NOT NULL"
    if isinstance(usual, bool):
        return f"NOT {name}" if usual else name
    if isinstance(usual, datetime):
        return f"{name} <= now"
    assert isinstance(usual, str), name
    return f"{name} <> '{usual}'"


NAMES = tuple(each.name for each in fields(Facts) if each.name not in LOOKED_UP)
_UNUSUAL = " OR ".join(_unusual(each.name, each.default) for each in fields(Facts) if each.name not in CIRCUMSTANCES)

# Nearly always nothing at all is due, which is asked once for all rows.
_DUE = "h.state = 'waiting' AND h.until BETWEEN now() - interval '15 minutes' AND now()"

# `o` is what a repeat repeats, and `first` wrote that: a reader who blocked or muted either writer, or muted the group,
# is to get nothing. A topic or a track is looked up only where no account's follow brings it. OFFSET 0 keeps the
# planner from copying each expression into the condition: the plan would be twice as long, and so would be its making.
_BEHIND = f"""
        (SELECT EXISTS (SELECT FROM held h WHERE {_DUE})) AND EXISTS (
            SELECT FROM held h WHERE h.account_id = a.account_id AND h.address_id = a.id AND {_DUE})"""  # noqa: S608
_STATEMENT = f"""
SELECT message_id, address_id, reader_id, quotes, json_build_array({", ".join(NAMES)})::text AS known FROM (
    SELECT d.message_id, d.address_id, m.kind, a.channel, now() AS now, d.give_up_at, a.account_id AS reader_id,
        a.state AS address_state, a.bouncing_since IS NOT NULL AS bouncing, a.off_now AS address_off,
        reader.state AS reader_state, author.state AS author_state, first.state AS first_state, m.quotes,
        p.deleted_at IS NOT NULL OR o.deleted_at IS NOT NULL AS retracted,
        coalesce(f.off_now, false) AS source_off,
        m.kind <> 'daily' OR coalesce(reader.daily, true) AS daily_wanted,
        EXISTS (
            SELECT FROM silences_in_force s WHERE s.account_id = a.account_id
              AND s.other_id = ANY (ARRAY[m.author_id, o.author_id, g.id, d.source_id])
        ) OR EXISTS (
            SELECT FROM silences_in_force s WHERE s.account_id = ANY (ARRAY[m.author_id, o.author_id])
              AND s.other_id = a.account_id AND s.kind = 'block'
        ) OR p.visibility = 'direct' AND EXISTS (
            SELECT FROM post_recipients r
            JOIN silences_in_force s ON s.account_id = r.account_id AND s.other_id = r.named_id
            WHERE r.post_id = p.id AND r.account_id = a.account_id
        ) AS silenced,
        p.visibility IS DISTINCT FROM 'direct' OR EXISTS (
            SELECT FROM post_recipients r WHERE r.post_id = p.id AND r.account_id = a.account_id
        ) AS addressed,
        g.access IS DISTINCT FROM 'closed' OR coalesce(o.visibility, p.visibility) <> 'group' OR EXISTS (
            SELECT FROM follows_in_force c WHERE c.follower_id = a.account_id AND c.account_id = g.id
        ) AS member,
        m.kind = 'daily' AND EXISTS (
            SELECT FROM daily_mails had CROSS JOIN unnest(had.posts) AS shown (id)
            LEFT JOIN posts it ON it.id = shown.id
            LEFT JOIN accounts w ON w.id = it.author_id
            LEFT JOIN accounts c ON c.id = it.group_id
            WHERE had.message_id = m.id AND (
                it.id IS NULL OR it.deleted_at IS NOT NULL OR w.state <> 'active'
                OR NOT (it.visibility = 'company' OR it.visibility = 'group' AND c.access = 'open')
                OR EXISTS (SELECT FROM silences_in_force s WHERE
                    s.account_id = a.account_id AND s.other_id IN (it.author_id, it.group_id)
                    OR s.account_id = it.author_id AND s.other_id = a.account_id AND s.kind = 'block'))
        ) AS daily_outdated,
        d.source_id IS NULL OR f.account_id IS NOT NULL OR EXISTS (
            SELECT FROM topic_follows_in_force t WHERE t.follower_id = a.account_id AND t.topic_id = d.source_id
        ) OR EXISTS (
            SELECT FROM trackers_in_force k WHERE k.track_id = d.source_id AND k.follower_id = a.account_id
        ) AS subscribed,
        m.kind = 'update' AND coalesce(reader.chooses, false) AS choosing,
        a.quiet, a.limited, m.kind = 'update' AND a.online AS online, {{behind}} AS behind
    {{rows}}
    JOIN addresses_now a ON a.id = d.address_id
    LEFT JOIN accounts reader ON reader.id = a.account_id
    LEFT JOIN accounts author ON author.id = d.author_id
    LEFT JOIN {{posts}} p ON p.id = m.post_id
    LEFT JOIN posts o ON o.id = p.repeat_of
    LEFT JOIN accounts first ON first.id = o.author_id
    LEFT JOIN accounts g ON g.id = coalesce(o.group_id, p.group_id)
    LEFT JOIN follows_in_force f ON f.follower_id = a.account_id AND f.account_id = d.source_id
    OFFSET 0
) AS facts
WHERE {_UNUSUAL} OR quotes IS NOT NULL
"""  # noqa: S608
# The rows that are there, and those of a planned post.
_ROWS: Final = {
    "rows": """FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS k (message_id, address_id)
        JOIN deliveries d USING (message_id, address_id)
        JOIN messages m ON m.id = d.message_id""",
    "posts": "posts",
    "sources": "ARRAY(SELECT x.source_id FROM fanouts x WHERE x.message_id = coalesce(m.instead_of, m.id))",
}
_PLANNED_ROWS: Final = {
    "rows": f"""FROM (
            SELECT CAST({PLANNED} AS bigint) AS message_id, address_id, source_id, CAST(:author AS bigint) AS author_id,
                timestamptz '3000-01-01' AS give_up_at, 5 AS priority
            FROM unnest(CAST(:addresses AS bigint[]), CAST(:sources AS bigint[])) AS k (address_id, source_id)
        ) d
        CROSS JOIN (
            SELECT CAST({PLANNED} AS bigint) AS id, 'update' AS kind, CAST(:author AS bigint) AS author_id,
                CAST({PLANNED} AS bigint) AS post_id, CAST(NULL AS bigint) AS inbound_id,
                CAST(NULL AS bigint[]) AS quotes, CAST(NULL AS bigint) AS instead_of
        ) m""",  # noqa: S608
    "posts": f"""(
            SELECT CAST({PLANNED} AS bigint) AS id, CAST(:visibility AS text) AS visibility,
                CAST(:group AS bigint) AS group_id, CAST(:parent AS bigint) AS in_reply_to,
                CAST(NULL AS bigint) AS repeat_of, CAST(NULL AS timestamptz) AS deleted_at
        )""",
    "sources": "CAST(:all_sources AS bigint[])",
}

_SOURCES = "d.source_id || {sources}"
_NAMED = f"""
    EXISTS (SELECT FROM mentions n WHERE n.post_id = p.id AND n.account_id = a.account_id)
    OR EXISTS (SELECT FROM post_recipients r WHERE r.post_id = p.id AND r.account_id = a.account_id)
    OR p.id = {PLANNED} AND d.source_id IS NULL"""  # noqa: S608 - whom a planned post names is known


def _statement(written: str, rows: Mapping[str, str], behind: str = "") -> TextClause:
    return text(" ".join(written.format(behind=behind, **rows).split()))


# psycopg remembers how it reads a statement only of those with at most 4,096 characters.
FACTS, FACTS_OF_WAITING = (_statement(_STATEMENT, _ROWS, each) for each in (_BEHIND, "false"))
FACTS_OF_PLANNED: Final = _statement(_STATEMENT, _PLANNED_ROWS, _BEHIND)

# Part of a statement that has claimed the rows `taken`: whether anything is unusual about one of them.
UNUSUAL: Final = " ".join(
    _STATEMENT.format(
        behind=_BEHIND,
        **{
            **_ROWS,
            "rows": """FROM (
                SELECT taken.message_id, taken.address_id, taken.source_id, taken.author_id, taken.give_up_at,
                       taken.priority) d
            JOIN messages m ON m.id = d.message_id""",
        },
    ).split()
)

_MORE_FACTS: Final = f"""
SELECT message_id, address_id, json_build_array({", ".join(LOOKED_UP)})::text AS known FROM (
SELECT d.message_id, d.address_id,
    a.state = 'stopped' AND EXISTS (
        SELECT FROM inbound i WHERE i.id = m.inbound_id AND i.intent IN ('optout', 'help')
          AND (i.intent = 'optout' AND i.opt_out_type IS NULL OR i.recipients[1] ~ '^[0-9]{{{{3,8}}}}$' OR EXISTS (
              SELECT FROM senders n WHERE n.number = i.recipients[1] AND {leaves_opt_outs_to_us("n.carrier")}))
    ) AS answers_stop,
    a.bouncing_since IS NOT NULL AND EXISTS (
        SELECT FROM bouncing b WHERE b.address_id = a.id AND b.probe_id = m.id) AS test_mail,
    CASE WHEN m.kind <> 'update' THEN {Cause.OURS:d}
        WHEN d.source_id IS NULL THEN (SELECT cause FROM ({way_sql.named_causes("p", "a.account_id")}) AS named)
        WHEN s.kind = 'person' THEN {Cause.PERSON:d}
        WHEN s.kind = 'group' THEN CASE s.access WHEN 'broadcast' THEN {Cause.BROADCAST:d} ELSE {Cause.GROUP:d} END
        WHEN EXISTS (SELECT FROM topics WHERE id = d.source_id) THEN {Cause.TAG:d}
        ELSE {Cause.TRACKED:d} END AS cause,
    coalesce(z.zone, 'UTC') AS timezone, z.until AS zone_until, coalesce(z.home, 'UTC') AS home, a.off_until,
    coalesce(a.seen_at > now() - interval '30 minutes', false) AND (
        m.kind = 'notice' OR d.source_id IS NULL AND EXISTS (
            SELECT FROM posts mine WHERE mine.id = p.in_reply_to AND mine.author_id = a.account_id)) AS in_conversation,
    CASE WHEN w.digest_back AND w.digest_every = 'day' THEN 'back' ELSE w.digest_every END AS digest_every,
    coalesce(w.digest_at, '08:00') AS digest_at, w.digest_weekday,
    CASE WHEN w.digest_every IS NOT NULL THEN (
        SELECT max(had.slot) FROM digests had WHERE had.account_id = a.account_id AND had.kind IN ('day', 'week')
    ) END AS digest_last,
    (w.digest_every IS NOT NULL OR w.texts_a_day IS NOT NULL) AND (
        SELECT h.digest_id FROM held h WHERE h.message_id = d.message_id AND h.account_id = a.account_id
    ) IS NOT NULL AS digest_failed,
    w.texts_a_day,
    CASE WHEN m.kind = 'update' AND a.id = ANY (CAST(:choosing AS bigint[])) THEN json_build_array((
        SELECT coalesce(json_agg(json_build_array(cause, way, by_text) ORDER BY cause, way, by_text), '[]') FROM (
            {way_sql.subscribed_causes("a.account_id", _SOURCES)}
            UNION ALL {way_sql.named_causes("p", "a.account_id")}
            WHERE {_NAMED}
        ) AS causes
    ), {way_sql.CHOSEN}, CASE WHEN a.channel = '{SMS}' THEN {way_sql.mailbox("a.account_id")} END,
        {way_sql.devices("a.account_id")})::text END AS choice,
    d.priority = 0 AS urgent, date_part('epoch', w.unseen_after) AS unseen_after,
    CASE WHEN a.channel = '{SMS}' OR w.unseen_after IS NOT NULL THEN (
        SELECT h.delayed_until FROM held h WHERE h.message_id = d.message_id AND h.account_id = a.account_id
    ) END AS delayed_until,
    CASE WHEN a.channel = '{SMS}' THEN greatest((
        SELECT max(h.until) FROM held h WHERE h.address_id = a.id AND h.state = 'waiting' AND h.reason = 'online'
    ), (
        SELECT now() + interval '3 minutes' FROM presence_now here WHERE here.account_id = a.account_id
    )) END AS online_until
{{rows}}
JOIN addresses a ON a.id = d.address_id
LEFT JOIN zones_now z ON z.account_id = a.account_id
LEFT JOIN {{posts}} p ON p.id = m.post_id
LEFT JOIN accounts s ON s.id = d.source_id
LEFT JOIN attention w ON w.account_id = a.account_id
) AS facts
"""  # noqa: S608
MORE, MORE_OF_PLANNED = (_statement(_MORE_FACTS, each) for each in (_ROWS, _PLANNED_ROWS))
