"""What is known about deliveries that are about to leave: raw facts, without an order of importance. The rules in
gateway/attention/eligibility.py judge them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gateway.attention import way_sql
from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.ways import WayChoice, read_choice
from gateway.attention.zones import ZoneNow
from gateway.channels import SMS
from gateway.store.arrays import numbers
from gateway.store.carrier_sql import leaves_opt_outs_to_us

Key = tuple[int, int]  # message, address

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
KINDS: Final = ("update", "answer", "notice", "code", "welcome", "daily", "digest")  # of messages


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one message on its way to one address.

    The default of each fact is what is usual. It is the same for every kind of message: whatever concerns one kind
    alone (a daily mail, a direct post, a post in a closed group) has its default for all others.
    """

    # The circumstances. By themselves they are no reason for anything, so they have no part in what is usual.
    kind: str = "update"  # of the message
    channel: str = SMS  # of the address
    now: datetime = LONG_AGO  # by the database's clock
    answers_stop: bool = False  # it answers STOP or HELP, which no carrier has answered
    test_mail: bool = False  # it tests whether mails to this address come back
    cause: int = Cause.PERSON  # what brings it
    timezone: str = "UTC"  # of the reader's clock now
    zone_until: datetime | None = None  # when they are home again, in the zone `home`
    home: str = "UTC"
    off_until: datetime | None = None  # the end of an `off` of this address
    in_conversation: bool = False  # it answers its reader, who has just written from this address
    digest_every: str | None = None  # day, week, or back: when they are
    digest_at: time = time(8)
    digest_weekday: int | None = None
    digest_last: datetime | None = None  # the date of the reader's last digest, at 00:00 and without a zone
    digest_failed: bool = False  # it was in a digest that did not leave
    texts_a_day: int | None = None  # how many texts the reader wants on a day
    choice: str | None = None  # what brings it, and the ways that its reader chose, for ways.read_choice
    urgent: bool = False  # an urgent call, or what belongs to one
    # What may be a reason. A delivery is looked at only if one of these is unusual.
    give_up_at: datetime = NEVER  # when trying ends; usual: later
    address_state: str = "verified"
    bouncing: bool = False  # mails to this address come back
    reader_state: str | None = "active"  # of these three accounts; None: there is no such person
    author_state: str | None = "active"
    first_state: str | None = "active"  # of whoever wrote what this post repeats
    retracted: bool = False  # the post, or what it repeats
    silenced: bool = False  # by a block in either direction, or by a mute of the reader's
    addressed: bool = True  # the reader is among those for whom a direct post is
    member: bool = True  # the reader is in the closed group
    daily_wanted: bool = True  # the reader wants the daily mail
    daily_outdated: bool = False  # a post in the daily mail must not be read by its reader any more
    address_off: bool = False  # the reader switched off this address for now
    subscribed: bool = True  # the reader still follows or tracks what brings it
    source_off: bool = False  # the reader switched off what brings it for now
    choosing: bool = False  # the reader chose how something comes, perhaps this
    quiet: str | None = None  # hours in which this address is not to ring
    behind: bool = False  # something that waited for this address is about to leave
    limited: bool = False  # to a phone whose owner wants only so many texts a day

    @property
    def clock(self) -> ZoneNow:
        return ZoneNow(self.timezone, self.zone_until, self.home)

    @property
    def in_question(self) -> bool:
        """Whether the circumstances that are looked up can change what is decided."""
        stopped = self.address_state == "stopped" or self.bouncing
        resting = self.quiet is not None or self.behind or self.address_off
        return stopped or resting or self.choosing or self.limited

    @property
    def chosen(self) -> WayChoice | None:
        """What its reader chose, if they chose anything."""
        return read_choice(self.choice) if self.choosing and self.choice else None

    @property
    def way(self) -> str | None:
        """How its reader wants it; None when that is as usual."""
        return self.chosen.way if self.chosen else None


TIMES: Final = ("now", "give_up_at")
# These are asked only where one of them can matter: in a statement of their own, so that the one for all stays short.
LOOKED_UP: Final = (
    "answers_stop",
    "test_mail",
    "cause",
    "timezone",
    "zone_until",
    "home",
    "off_until",
    "in_conversation",
    "digest_every",
    "digest_at",
    "digest_weekday",
    "digest_last",
    "digest_failed",
    "texts_a_day",
    "choice",
    "urgent",
)
CIRCUMSTANCES: Final = frozenset({"kind", "channel", "now", *LOOKED_UP})


class UnusualDelivery(NamedTuple):
    """One about which something is unusual, or which quotes posts."""

    message_id: int
    address_id: int
    reader_id: int | None  # whose address it is; None: nobody's
    quotes: Sequence[int] | None  # posts whose words are in the message, besides the one it carries

    @property
    def key(self) -> Key:
        return self.message_id, self.address_id


Found = tuple[Facts, list[UnusualDelivery]]


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post that is not written yet, as far as it matters to who gets it. `people`: of a direct post, each with whom
    the writer named; `mentioned`: whom its words name."""

    author_id: int
    visibility: str
    sources: Sequence[int]
    group_id: int | None = None
    in_reply_to: int | None = None
    people: Sequence[tuple[int, int]] = ()
    mentioned: Sequence[int] = ()


PLANNED: Final = 0  # stands for the message of a planned post; no row has such an id


def find_planned(session: Session, post: PlannedPost, deliveries: Mapping[int, int | None]) -> list[Found]:
    """The same for the deliveries that a planned post would have: address → the source that would bring it. Whom it
    names privately is known from the plan, and so is not asked of the tables."""
    found = _collected(session.execute(_FACTS_OF_PLANNED, _planned(post, deliveries)))
    found = [(replace(known, addressed=True), rows) for known, rows in found]
    asked = {one.address_id: deliveries[one.address_id] for one in _in_question(found)}
    return _with_more(found, session.execute(_MORE_OF_PLANNED, _planned(post, asked)).all()) if asked else found


def _planned(post: PlannedPost, deliveries: Mapping[int, int | None]) -> dict[str, object]:
    return {
        "addresses": numbers(deliveries),
        "sources": numbers(deliveries.values()),
        "all_sources": numbers(post.sources),
        "author": post.author_id,
        "visibility": post.visibility,
        "group": post.group_id,
        "parent": post.in_reply_to,
    }


def find(session: Session, keys: Collection[Key], *, waited: bool = False) -> list[Found]:
    """The facts of those of `keys` about which anything is unusual, and of those that quote posts. Equal facts come
    once, with all deliveries that have them. Most have only the usual facts: they cost no transfer and no Python.
    `waited`: these are items that waited, and they are behind nobody but themselves."""
    given = {"messages": numbers(key[0] for key in keys), "addresses": numbers(key[1] for key in keys)}
    found = _collected(session.execute(_FACTS_OF_WAITING if waited else _FACTS, given))
    asked = {one.key for one in _in_question(found)}
    if not asked:
        return found
    given = {"messages": numbers(key[0] for key in asked), "addresses": numbers(key[1] for key in asked)}
    return _with_more(found, session.execute(_MORE, given).all())


def _collected(rows: Iterable[Sequence[Any]]) -> list[Found]:
    found: dict[str, list[UnusualDelivery]] = {}
    for *delivery, known in rows:
        found.setdefault(known, []).append(UnusualDelivery(*delivery))
    return [(_read(known), deliveries) for known, deliveries in found.items()]


def _in_question(found: Iterable[Found]) -> Iterator[UnusualDelivery]:
    """Those about which more is asked."""
    return (one for known, deliveries in found if known.in_question for one in deliveries)


def _with_more(found: Iterable[Found], rows: Iterable[Sequence[Any]]) -> list[Found]:
    """Adds the circumstances that are asked for few."""
    more = {(row[0], row[1]): tuple(row[2:]) for row in rows}
    return [each for known, deliveries in found for each in _split(known, deliveries, more)]


def _split(known: Facts, deliveries: list[UnusualDelivery], more: Mapping[Key, tuple[Any, ...]]) -> Iterator[Found]:
    """Once for each combination of what was looked up."""
    alike: dict[tuple[Any, ...], list[UnusualDelivery]] = {}
    for one in deliveries:
        alike.setdefault(more.get(one.key, ()), []).append(one)
    for looked_up, rows in alike.items():
        yield replace(known, **dict(zip(LOOKED_UP, looked_up, strict=False))), rows


def _read(known: str) -> Facts:
    """The facts come as one column, a JSON array: a result of twenty columns costs more to prepare than to read, also
    when it is empty, and equal facts are seen by comparing one string."""
    facts = dict(zip(_NAMES, json.loads(known), strict=True))
    times = {name: datetime.fromisoformat(facts[name]) for name in TIMES if facts[name]}
    return Facts(**facts | times)


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


_NAMES = tuple(each.name for each in fields(Facts) if each.name not in LOOKED_UP)
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
SELECT message_id, address_id, reader_id, quotes, json_build_array({", ".join(_NAMES)})::text AS known FROM (
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
            LEFT JOIN accounts writer ON writer.id = it.author_id
            LEFT JOIN accounts place ON place.id = it.group_id
            WHERE had.message_id = m.id AND (
                it.id IS NULL OR it.deleted_at IS NOT NULL OR writer.state <> 'active'
                OR NOT (it.visibility = 'company' OR it.visibility = 'group' AND place.access = 'open')
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
        a.quiet, a.limited, {{behind}} AS behind
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
# Part of a statement that has claimed the rows `taken`: whether anything is unusual about one of them.
UNUSUAL: Final = " ".join(
    _STATEMENT.format(
        behind=_BEHIND,
        posts="posts",
        rows="""FROM (SELECT taken.message_id, taken.address_id, taken.source_id, taken.author_id, taken.give_up_at) d
        JOIN messages m ON m.id = d.message_id""",
    ).split()
)
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
_FACTS, _FACTS_OF_WAITING = (_statement(_STATEMENT, _ROWS, each) for each in (_BEHIND, "false"))
_FACTS_OF_PLANNED: Final = _statement(_STATEMENT, _PLANNED_ROWS, _BEHIND)

_MORE_FACTS: Final = f"""
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
    CASE WHEN w.account_id IS NOT NULL AND m.kind = 'update' THEN json_build_array((
        SELECT coalesce(json_agg(json_build_array(cause, way, by_text) ORDER BY cause, way, by_text), '[]') FROM (
            {way_sql.subscribed_causes("a.account_id", _SOURCES)}
            UNION ALL {way_sql.named_causes("p", "a.account_id")}
            WHERE {_NAMED}
        ) AS causes
    ), {way_sql.CHOSEN}, CASE WHEN a.channel = '{SMS}' THEN {way_sql.MAILBOX} END)::text END AS choice,
    d.priority = 0 AS urgent
{{rows}}
JOIN addresses a ON a.id = d.address_id
LEFT JOIN zones_now z ON z.account_id = a.account_id
LEFT JOIN {{posts}} p ON p.id = m.post_id
LEFT JOIN accounts s ON s.id = d.source_id
LEFT JOIN attention w ON w.account_id = a.account_id
"""  # noqa: S608
_MORE, _MORE_OF_PLANNED = (_statement(_MORE_FACTS, each) for each in (_ROWS, _PLANNED_ROWS))
