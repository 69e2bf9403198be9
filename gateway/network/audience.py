"""Who may read a post, and who gets it: the one rule, asked by every door, every list and every send."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from gateway.store.arrays import numbers
from gateway.store.tables import Account, Fanout, Follow, Post, PostRecipient

OPEN_TO_ALL = ("open", "broadcast")


def following(follower: Any, account: Any) -> ColumnElement[bool]:
    """The follow is in force: asked for, granted, not run out."""
    follow = aliased(Follow)
    in_force = or_(follow.expires_at.is_(None), follow.expires_at > func.now())
    return exists().where(
        follow.follower_id == follower, follow.account_id == account, follow.state == "active", in_force
    )


def readable_by(account: Any) -> ColumnElement[bool]:
    """The rule as a condition on Post: its author always; company posts everyone; group posts everyone, or the members
    when the group is closed; direct posts those they were addressed to, as they were at that moment."""
    group = aliased(Account)
    open_group = exists().where(group.id == Post.group_id, group.access.in_(OPEN_TO_ALL))
    addressed = exists().where(PostRecipient.post_id == Post.id, PostRecipient.account_id == account)
    allowed = or_(
        Post.author_id == account,
        Post.visibility == "company",
        and_(Post.visibility == "group", or_(open_group, following(account, Post.group_id))),
        and_(Post.visibility == "direct", addressed),
    )
    return and_(Post.deleted_at.is_(None), allowed)


def may_read(session: Session, account_id: int, post_id: int) -> bool:
    """Deny unless the reader is active and the rule allows."""
    active = exists().where(Account.id == account_id, Account.state == "active")
    found = session.scalar(select(Post.id).where(Post.id == post_id, active, readable_by(account_id)))
    return found is not None


def may_post(session: Session, account_id: int, group: Account) -> bool:
    """Open groups: everyone. Closed ones: members, while it lasts. Broadcast ones: owners and posters."""
    if group.access == "open":
        return True
    roles = ["owner", "poster"] if group.access == "broadcast" else ["owner", "poster", "member", "follower"]
    mine = exists().where(Follow.role.in_(roles), Follow.follower_id == account_id, Follow.account_id == group.id)
    in_force = or_(Follow.expires_at.is_(None), Follow.expires_at > func.now())
    return bool(session.scalar(select(mine.where(Follow.state == "active", in_force))))


# Why a delivery must not leave now, decided when it is about to. The order is that of importance.
_REFUSALS = text("""
SELECT d.message_id, d.address_id, CASE
    WHEN a.state = 'stopped' THEN 'opted_out'
    WHEN a.state <> 'verified' AND NOT (a.state = 'invited' AND m.kind IN ('answer', 'code', 'welcome')) THEN a.state
    WHEN reader.state <> 'active' THEN 'deactivated'
    WHEN d.give_up_at <= now() THEN 'gave_up'
    WHEN p.deleted_at IS NOT NULL THEN 'retracted'
    WHEN m.kind = 'update' AND NOT a.receiving AND coalesce(a.off_until > now(), true) THEN 'off'
    WHEN d.source_id IS NOT NULL AND (f.state IS DISTINCT FROM 'active' OR f.expires_at <= now()) THEN 'left'
    WHEN d.source_id IS NOT NULL AND f.off AND coalesce(f.off_until > now(), true) THEN 'off'
    WHEN p.visibility = 'direct' AND NOT EXISTS (
        SELECT FROM post_recipients r WHERE r.post_id = p.id AND r.account_id = a.account_id) THEN 'private'
    WHEN g.access = 'closed' AND p.visibility = 'group' AND NOT EXISTS (
        SELECT FROM follows c WHERE c.follower_id = a.account_id AND c.account_id = g.id AND c.state = 'active'
          AND (c.expires_at IS NULL OR c.expires_at > now())
    ) THEN 'left'
    END AS reason
FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS k (message_id, address_id)
JOIN deliveries d USING (message_id, address_id)
JOIN messages m ON m.id = d.message_id
JOIN addresses a ON a.id = d.address_id
LEFT JOIN accounts reader ON reader.id = a.account_id
LEFT JOIN posts p ON p.id = m.post_id
LEFT JOIN accounts g ON g.id = p.group_id
LEFT JOIN follows f ON f.follower_id = a.account_id AND f.account_id = d.source_id
""")


def refusals(session: Session, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """(message, address) → why it must not leave, for those of `keys` that must not."""
    messages, addresses = numbers(key[0] for key in keys), numbers(key[1] for key in keys)
    rows = session.execute(_REFUSALS, {"messages": messages, "addresses": addresses})
    return {(row.message_id, row.address_id): row.reason for row in rows if row.reason}


# One chunk of a post's audience: followers of its source after the cursor, and whoever it names, up to where the
# followers of this chunk end. One address each; an item goes out once, however many roads lead to it. What names
# somebody whose phone is off goes to their mailbox; what only a follow by text brings does not. An opt-out of texts
# never raises another channel: that row is made and ends as opted out, so that the receipts tell.
_CHUNK = text("""
WITH f AS (
    SELECT follower_id AS account_id, by_text
    FROM follows
    WHERE account_id = :source AND follower_id > :reached AND state = 'active'
      AND (expires_at IS NULL OR expires_at > now())
    ORDER BY follower_id LIMIT :chunk
), bound AS (
    SELECT CASE WHEN count(*) = :chunk THEN max(account_id) ELSE 9223372036854775807 END AS upto FROM f
), named AS (
    SELECT account_id FROM mentions WHERE post_id = :post
    UNION SELECT account_id FROM post_recipients WHERE post_id = :post
), reach AS (
    SELECT account_id, bool_or(named) AS named, bool_or(by_text) AS by_text FROM (
        SELECT account_id, false AS named, by_text FROM f
        UNION ALL
        SELECT account_id, true, false FROM named, bound WHERE account_id > :reached AND account_id <= upto
    ) AS both_roads GROUP BY account_id
), chosen AS (
    SELECT reach.account_id, reach.named, road.id, road.channel
    FROM reach
    JOIN accounts reader ON reader.id = reach.account_id AND reader.state = 'active' AND reader.id <> :author
    CROSS JOIN LATERAL (
        SELECT id, channel FROM addresses
        WHERE account_id = reach.account_id AND is_primary AND state IN ('verified', 'stopped')
          AND (channel = 'email' OR reach.named OR reach.by_text)
        ORDER BY reach.named AND NOT receiving AND coalesce(off_until > now(), true), channel DESC LIMIT 1
    ) AS road
), made AS (
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT :message, id, :author, CASE WHEN NOT named THEN CAST(:source AS bigint) END, channel, :priority,
           now() + CASE channel WHEN 'sms' THEN interval '4 hours' ELSE interval '2 days' END
    FROM chosen
    ON CONFLICT DO NOTHING
    RETURNING channel
)
SELECT (SELECT upto FROM bound) AS upto,
       (SELECT count(*) FROM made WHERE channel = 'sms') AS texts,
       (SELECT count(*) FROM made WHERE channel = 'email') AS mails
""")
END = 2**63 - 1


def expand(session: Session, fanout: Fanout, priority: int, chunk: int) -> tuple[int, int, int]:
    """Puts the deliveries of the next `chunk` followers: (new cursor, texts, mails); the cursor END: that was all."""
    row = session.execute(
        _CHUNK,
        {
            "source": fanout.source_id,
            "post": fanout.post_id,
            "author": fanout.author_id,
            "message": fanout.message_id,
            "priority": priority,
            "reached": fanout.reached,
            "chunk": chunk,
        },
    ).one()
    return row.upto, row.texts, row.mails


_HEARD = text("""
SELECT EXISTS (
    SELECT FROM (
        SELECT follower_id AS account_id, by_text FROM follows
        WHERE account_id = ANY(CAST(:sources AS bigint[])) AND state = 'active'
          AND (expires_at IS NULL OR expires_at > now())
        UNION ALL SELECT account_id, true FROM mentions WHERE post_id = :post
        UNION ALL SELECT account_id, true FROM post_recipients WHERE post_id = :post
    ) AS reach
    JOIN accounts reader ON reader.id = reach.account_id AND reader.state = 'active' AND reader.id <> :author
    JOIN addresses a ON a.account_id = reach.account_id AND a.is_primary AND a.state = 'verified'
     AND (a.channel = 'email' OR reach.by_text)
    WHERE NOT (reach.by_text AND EXISTS (
        SELECT FROM addresses WHERE account_id = reach.account_id AND is_primary AND state = 'stopped'))
)
""")


def heard(session: Session, post: Post, sources: Sequence[int]) -> bool:
    """Whether anyone at all would get it now."""
    keys = {"sources": list(sources), "post": post.id, "author": post.author_id}
    return bool(session.scalar(_HEARD, keys))


def readers_among(session: Session, post_id: int, accounts: Collection[int]) -> set[int]:
    """Those of `accounts` who may read the post."""
    wanted = select(Account.id).join(Post, Post.id == post_id)
    allowed = wanted.where(Account.id.in_(accounts), Account.state == "active", readable_by(Account.id))
    return set(session.scalars(allowed))
