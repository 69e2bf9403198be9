"""How a post went out: counts for each channel, and who does not have it, with the reason. Only set-based queries.

`who got` (gateway/actions/lookups), `critter trace` and the report an hour after a broadcast
(workers/author_reports) ask.
`asked_about` decides who may ask: when in doubt, a private post is not found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, exists, or_, select, text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.channels import NAMES, PUSH
from gateway.i18n.phrases import Phrase
from gateway.ledger.outbox.redirects import REDIRECTED
from gateway.mail.bounces import failure_reasons
from gateway.network.posts.timelines import by_tag
from gateway.store.channel_sql import rank, reached, such
from gateway.store.tables import Post
from gateway.store.views import FollowInForce

CLASSES: Final = ("sent", "delivered", "failed", "waiting", "later", "on_web", "opted_out")
ON_WEB: Final = ("on_web", "seen")  # reasons of what was not sent because its reader has it on the web


@dataclass(frozen=True, slots=True)
class ChannelTally:
    """Deliveries of one channel. `sent`: the carrier took it and did not report that it arrived; `failed`: it was not
    sent, or was not to be sent any more; `later`: it waits for its reader (ledger/outbox/held); `on_web`: its reader
    has it on the web, and wants it there alone or has seen it; `got`: how many readers count as reached by it."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    later: int = 0
    on_web: int = 0
    opted_out: int = 0
    got: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptTally:
    """The counts of one post. `instead`: failed texts that were sent by mail instead; `spreading`: more deliveries may
    come; `unreached`: followers who have no phone or mailbox that it could be sent to."""

    by_channel: Mapping[str, ChannelTally]
    instead: int
    spreading: bool
    unreached: int = 0

    @property
    def got(self) -> int:
        return sum(each.got for each in self.by_channel.values())

    @property
    def waiting(self) -> int:
        return sum(each.waiting for each in self.by_channel.values())

    @property
    def later(self) -> int:
        return sum(each.later for each in self.by_channel.values())

    @property
    def on_web(self) -> int:
        return sum(each.on_web for each in self.by_channel.values())

    @property
    def missed(self) -> int:
        """How many people missed it. Who got the mail instead is not counted, and who missed both the text and the mail
        counts once."""
        out = sum(each.failed + each.opted_out for each in self.by_channel.values())
        return max(0, out - self.instead) + self.unreached

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            **{channel: {kind: getattr(each, kind) for kind in CLASSES} for channel, each in self.by_channel.items()},
            "by_mail_instead": self.instead,
            "unreached": self.unreached,
            "spreading": self.spreading,
        }


class MissedReader(NamedTuple):
    """Somebody who does not have it (or whose text is still on its way), and the state."""

    name: str
    handle: str | None
    channel: str
    state: str
    reason: str | None
    opted_out_on: date | None

    @property
    def why(self) -> Phrase:
        return failure_reasons.describe_failure(self.state, self.reason, self.channel, self.opted_out_on)


class PostReader(NamedTuple):
    """One reader of a post, and how it reached them: `at`, or `why` not (yet)."""

    name: str
    channel: str
    state: str
    reason: str | None
    opted_out_on: date | None
    at: datetime | None

    @property
    def missed(self) -> bool:
        """`list_missed` has them, too."""
        return self.state in ("failed", "cancelled") and self.reason not in ON_WEB

    @property
    def why(self) -> Phrase:
        return failure_reasons.describe_failure(self.state, self.reason, self.channel, self.opted_out_on)


class ReaderReceipt(NamedTuple):
    """How one person got a post: by which channel, or why not."""

    channel: str
    state: str
    reason: str | None
    opted_out_on: date | None

    @property
    def why(self) -> Phrase:
        return failure_reasons.describe_failure(self.state, self.reason, self.channel, self.opted_out_on)


def tally(session: Session, post_id: int) -> ReceiptTally:
    rows = session.execute(COUNTS, {"post": post_id, "opted_out": list(failure_reasons.OPTED_OUT)}).all()
    counts: dict[str, dict[str, int]] = {channel: dict.fromkeys((*CLASSES, "got"), 0) for channel in NAMES}
    for channel, kind, number, got in rows:
        counts[channel][kind] = number
        counts[channel]["got"] += got
    instead, spreading = session.execute(BESIDES, {"post": post_id}).one()
    unreached = session.scalar(UNREACHED_COUNT, {"post": post_id}) or 0
    tallies = {channel: ChannelTally(**each) for channel, each in counts.items()}
    return ReceiptTally(tallies, instead, spreading, unreached)


def list_missed(session: Session, post_id: int, timezone: str, limit: int) -> Sequence[MissedReader]:
    """Those whom neither a text nor a mail reached, by name, also where nothing could be tried. What still waits, to be
    sent or for its reader, is not included. Dates are days in `timezone` (IANA)."""
    rows = session.execute(MISSED, {"post": post_id, "limit": limit})
    return [
        MissedReader(row.name, row.handle, row.channel, row.state, row.reason, _day(row.ended_at, timezone))
        for row in rows
    ]


def list_readers(session: Session, post_id: int, timezone: str, limit: int) -> Sequence[PostReader]:
    """Whom it went to, the way that counts for each, first those who have it."""
    rows = session.execute(READERS, {"post": post_id, "limit": limit})
    return [
        PostReader(row.name, row.channel, row.state, row.reason, _day(row.ended_at, timezone), row.at) for row in rows
    ]


def of_person(session: Session, post_id: int, account_id: int, timezone: str) -> ReaderReceipt | None:
    """The best result among this person's phones and mailboxes; None when the post was never for them."""
    row = session.execute(OF_PERSON, {"post": post_id, "account": account_id}).first()
    return ReaderReceipt(row.channel, row.state, row.reason, _day(row.ended_at, timezone)) if row else None


def _day(moment: datetime | None, timezone: str) -> date | None:
    """Computed here, for a zone that PostgreSQL does not know would fail the whole statement."""
    return moment.astimezone(zones.zone(timezone)).date() if moment else None


def asked_about(
    session: Session, account_id: int, *, group_id: int | None = None, tag: str | None = None
) -> Post | None:
    """The newest post whose receipts this person may see: their own; as owner of a group, any post to that group."""
    condition: list[ColumnElement[bool]] = [Post.author_id == account_id]
    if group_id is not None:
        owner = exists().where(
            FollowInForce.follower_id == account_id,
            FollowInForce.account_id == group_id,
            FollowInForce.role == "owner",
        )
        condition = [Post.group_id == group_id, Post.visibility == "group", or_(Post.author_id == account_id, owner)]
    if tag is not None:
        condition.append(by_tag(tag))
    mine = select(Post).where(*condition, Post.deleted_at.is_(None))
    return session.scalars(mine.order_by(Post.id.desc()).limit(1)).first()


# What went elsewhere instead, as its reader prefers, is counted there alone. Whoever has it by push has it: what comes
# to their phone as well when it was not seen does not count again.
_MINE: Final = f"""
    FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
    WHERE m.post_id = :post AND d.reason IS DISTINCT FROM '{REDIRECTED}'
      AND (d.channel = '{PUSH}' OR NOT (SELECT EXISTS (
               SELECT FROM messages own JOIN deliveries pushed ON pushed.message_id = own.id
               WHERE own.post_id = :post AND pushed.channel = '{PUSH}'))
           OR NOT EXISTS (
               SELECT FROM addresses devices JOIN deliveries pushed ON pushed.address_id = devices.id
               WHERE devices.account_id = a.account_id AND devices.channel = '{PUSH}'
                 AND pushed.message_id = d.message_id AND pushed.state IN ('sent', 'delivered')))
"""  # noqa: S608
_REACHED: Final = reached("d.channel", "d.state")
_ON_WEB: Final = f"(d.state = 'cancelled' AND d.reason IN {ON_WEB})"
_OPEN: Final = "(d.ended_at IS NULL OR d.state = 'held')"  # it may still arrive
_ENDED: Final = "coalesce(a.stopped_at, d.ended_at) AS ended_at"

COUNTS: Final = text(f"""
    SELECT d.channel, CASE WHEN d.state IN ('sent', 'delivered') THEN d.state
                           WHEN d.ended_at IS NULL THEN 'waiting'
                           WHEN d.state = 'held' THEN 'later'
                           WHEN {_ON_WEB} THEN 'on_web'
                           WHEN d.reason = ANY (CAST(:opted_out AS text[])) THEN 'opted_out'
                           ELSE 'failed' END AS kind, count(*), count(*) FILTER (WHERE {_REACHED})
    {_MINE} GROUP BY 1, 2
""")

# A mail instead of a text counts as such unless that failed too, because then both rows are one person's.
BESIDES: Final = text("""
    SELECT (SELECT count(*) FROM messages m JOIN fallbacks f ON f.message_id = m.id WHERE m.post_id = :post),
           EXISTS (SELECT FROM fanouts WHERE post_id = :post AND state = 'waiting')
""")

_ONLY_IF_CHOSEN: Final = such("channel", lambda channel: channel.only_if_chosen)
# Followers from before the post for whom no delivery was made: they have no verified address, or they did not ask for
# texts and have no mailbox. Who muted or blocked is not shown, and nobody is shown while the fan-out is not complete.
_UNREACHED: Final = f"""
    FROM (SELECT DISTINCT f.follower_id FROM fanouts x CROSS JOIN LATERAL (
              SELECT follower_id, created_at, expires_at FROM follows
              WHERE account_id = x.source_id AND state = 'active'
              UNION ALL SELECT follower_id, created_at, expires_at FROM topic_follows WHERE topic_id = x.source_id
              UNION ALL SELECT follower_id, created_at, expires_at FROM trackers WHERE track_id = x.source_id
          ) AS f
          WHERE x.post_id = :post AND x.state = 'done' AND f.created_at <= x.created_at
            AND (f.expires_at IS NULL OR f.expires_at > x.created_at) AND f.follower_id <> x.author_id
            AND NOT EXISTS (SELECT FROM silences s
                            WHERE s.account_id = f.follower_id AND s.other_id IN (x.author_id, x.source_id)
                               OR s.account_id = x.author_id AND s.other_id = f.follower_id AND s.kind = 'block')
         ) AS heard
    JOIN accounts p ON p.id = heard.follower_id AND p.state = 'active'
    LEFT JOIN LATERAL (SELECT channel, state FROM addresses
                       WHERE account_id = p.id AND is_primary AND NOT ({_ONLY_IF_CHOSEN})
                       ORDER BY {rank("channel")} DESC LIMIT 1) AS way ON true
    WHERE NOT EXISTS (SELECT FROM posts WHERE id = :post AND repeat_of IS NOT NULL)
      AND NOT EXISTS (SELECT FROM messages m JOIN deliveries d ON d.message_id = m.id
                      JOIN addresses a ON a.id = d.address_id WHERE m.post_id = :post AND a.account_id = p.id)
"""  # noqa: S608
UNREACHED_COUNT: Final = text(f"SELECT count(*) {_UNREACHED}")

# Of each person the row that matters: one that arrived or still may, else the last that ended.
MISSED: Final = text(f"""
    SELECT name, handle, channel, state, reason, ended_at FROM (
        SELECT DISTINCT ON (coalesce(a.account_id, a.id)) coalesce(p.name, 'a former phone') AS name, p.handle,
               d.channel, d.state, d.reason, {_OPEN} AS open, {_REACHED} OR {_ON_WEB} AS reached, {_ENDED},
               d.message_id, d.address_id
        FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
        LEFT JOIN accounts p ON p.id = a.account_id
        WHERE m.post_id = :post AND d.reason IS DISTINCT FROM '{REDIRECTED}'
        ORDER BY coalesce(a.account_id, a.id), {_REACHED} OR {_ON_WEB} DESC, {_OPEN} DESC,
                 d.message_id, d.address_id
    ) AS last
    WHERE NOT reached AND NOT open
    UNION ALL
    SELECT p.name, p.handle, coalesce(way.channel, '{NAMES[0]}'), 'failed',
           CASE WHEN way.state IN ('invited', 'suspended') THEN way.state ELSE 'nowhere' END, NULL
    {_UNREACHED}
    ORDER BY name, handle LIMIT :limit
""")  # noqa: S608

READERS: Final = text(f"""
    SELECT name, channel, state, reason, ended_at, at FROM (
        SELECT DISTINCT ON (coalesce(a.account_id, a.id)) coalesce(p.name, 'a former phone') AS name,
               d.channel, d.state, d.reason, {_ENDED},
               CASE WHEN {_REACHED} THEN coalesce(d.sent_at, d.ended_at) END AS at
        FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
        LEFT JOIN accounts p ON p.id = a.account_id
        WHERE m.post_id = :post AND d.reason IS DISTINCT FROM '{REDIRECTED}'
        ORDER BY coalesce(a.account_id, a.id), {_REACHED} DESC, {_OPEN} DESC, d.message_id, d.address_id
    ) AS each
    ORDER BY at IS NULL, {rank("channel")} DESC, name LIMIT :limit
""")  # noqa: S608

OF_PERSON: Final = text(f"""
    SELECT d.channel, d.state, d.reason, {_ENDED}
    {_MINE} AND a.account_id = :account
    ORDER BY {_REACHED} DESC, {_ON_WEB} DESC, {_OPEN} DESC, d.message_id, d.address_id LIMIT 1
""")
