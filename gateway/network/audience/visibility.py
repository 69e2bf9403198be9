"""Who may read a post, and who gets it: the one rule, asked by every door, every list and every send."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session, aliased

from gateway.ledger.outbox import fanouts
from gateway.store.arrays import numbers
from gateway.store.carrier_sql import leaves_opt_outs_to_us
from gateway.store.channel_sql import rank, such
from gateway.store.tables import Account, Address, Fanout, Post, PostRecipient
from gateway.store.views import FollowInForce, another_follow, another_silence

OPEN_TO_ALL = ("open", "broadcast")
KNOWN = ("verified", "stopped")  # still the reader's address; one that opted out may look


def following(follower: Any, account: Any) -> ColumnElement[bool]:
    """As a condition: the follow is in force, that is, asked for, granted and not run out."""
    follow = another_follow()
    return exists().where(follow.follower_id == follower, follow.account_id == account)


def blocked(one: Any, other: Any) -> ColumnElement[bool]:
    """As a condition: one of the two has blocked the other, so that neither gets or reads the other's posts."""
    silence = another_silence()
    either_way = or_(
        and_(silence.account_id == one, silence.other_id == other),
        and_(silence.account_id == other, silence.other_id == one),
    )
    return exists().where(silence.kind == "block", either_way)


def readable_by(account: Any) -> ColumnElement[bool]:
    """The rule as a condition on Post. The author may always read it. Company posts are for everyone; group posts for
    everyone, or for the members when the group is closed; direct posts for those they were addressed to, as they were
    at that moment. Nobody reads what is from somebody whom they blocked, or who blocked them, or who is suspended. A
    repeat may be read only while what it repeats may be. What was taken back may be read by nobody."""
    return and_(Post.deleted_at.is_(None), _allowed(account, retracted=False))


def _allowed(account: Any, *, retracted: bool) -> ColumnElement[bool]:
    """The rule without the check whether the post, or with `retracted` what it repeats, was taken back."""
    original = aliased(Post)
    there = true() if retracted else original.deleted_at.is_(None)
    repeated = exists().where(original.id == Post.repeat_of, there, _readable(original, account))
    return and_(_readable(Post, account), or_(Post.repeat_of.is_(None), repeated))


def _readable(post: type[Post], account: Any) -> ColumnElement[bool]:
    away = aliased(Account)
    suspended = exists().where(away.id == post.author_id, away.state == "suspended")
    group = aliased(Account)
    open_group = exists().where(group.id == post.group_id, group.access.in_(OPEN_TO_ALL))
    addressed = exists().where(PostRecipient.post_id == post.id, PostRecipient.account_id == account)
    allowed = or_(
        post.author_id == account,
        post.visibility == "company",
        and_(post.visibility == "group", or_(open_group, following(account, post.group_id))),
        and_(post.visibility == "direct", addressed),
    )
    return and_(allowed, ~suspended, ~blocked(account, post.author_id))


def may_read(session: Session, account_id: int, post_id: int) -> bool:
    """False unless the reader is active and the rule allows it."""
    return session.scalar(_MAY_READ, {"reader": account_id, "post": post_id}) is not None


# The rule takes milliseconds to write as SQL, so the statements that ask it are built once.
_READER: BindParameter[int] = bindparam("reader", type_=BigInteger)
_READABLE = and_(exists().where(Account.id == _READER, Account.state == "active"), readable_by(_READER))
_MAY_READ = select(Post.id).where(Post.id == bindparam("post"), _READABLE)
_READABLE_OF = select(func.count()).select_from(Post).where(Post.id.in_(bindparam("posts", expanding=True)), _READABLE)


def open_post() -> ColumnElement[bool]:
    """As a condition on Post: anyone in the company may read it, because it is neither direct nor in a closed group."""
    group = aliased(Account)
    there = exists().where(group.id == Post.group_id, group.access.in_(OPEN_TO_ALL))
    return or_(Post.visibility == "company", and_(Post.visibility == "group", there))


def may_read_all(session: Session, account_id: int, post_ids: Collection[int]) -> bool:
    """The rule for several posts: what is kept of posts is given only while all of them may be read (R58)."""
    if not post_ids:
        return True
    return session.scalar(_READABLE_OF, {"reader": account_id, "posts": list(post_ids)}) == len(set(post_ids))


def find_cut_off(session: Session, post_ids: Collection[int], address_ids: Collection[int]) -> set[int]:
    """Those of the addresses whose owners may not read all of these posts. They are the posts above an answer in its
    thread, which the subject of its mail would quote."""
    whole = select(Address.id).join(Post, Post.id.in_(post_ids)).where(Address.id.in_(address_ids))
    readers = whole.where(readable_by(Address.account_id)).group_by(Address.id)
    return set(address_ids) - set(session.scalars(readers.having(func.count() == len(set(post_ids)))))


Opened = Literal["readable", "retracted"]


def open_link(session: Session, post_id: int, address_id: int) -> Opened | None:
    """What a link to a post may show to the owner of the address that it was sent to: the one rule for every kind of
    link. None when they may not even know of the post: the address is not theirs any more, they are suspended or
    removed, or there is a block. "retracted" means that only the retraction of the post itself keeps them from reading
    it."""
    reader = _holder(address_id).scalar_subquery()
    found = select(Post.deleted_at.is_(None) & readable_by(reader)).where(
        Post.id == post_id, exists(_holder(address_id)), _allowed(reader, retracted=True)
    )
    readable = session.scalar(found)
    return None if readable is None else "readable" if readable else "retracted"


def holder(session: Session, address_id: int) -> int | None:
    """The person to whom what was sent to an address belongs now: its active owner, while it is surely theirs."""
    return session.scalar(_holder(address_id))


def _holder(address_id: int) -> Select[int]:
    owner = select(Account.id).join(Address, Address.account_id == Account.id)
    return owner.where(Address.id == address_id, Address.state.in_(KNOWN), Account.state == "active")


def open_to_all(session: Session, post_id: int) -> bool:
    """Whether anyone in the company may read it."""
    return bool(session.scalar(select(exists().where(Post.id == post_id, open_post()))))


def may_post(session: Session, account_id: int, group: Account) -> bool:
    """Whether the account may post there. Open groups: everyone. Closed ones: members, while their membership lasts.
    Broadcast ones: owners and posters."""
    if group.access == "open":
        return True
    roles = ["owner", "poster"] if group.access == "broadcast" else ["owner", "poster", "member", "follower"]
    mine = FollowInForce.follower_id == account_id, FollowInForce.account_id == group.id
    return bool(session.scalar(select(exists().where(FollowInForce.role.in_(roles), *mine))))


_ANSWERED = such("a.channel", lambda channel: channel.answers_opted_out)
_UNANSWERED = leaves_opt_outs_to_us("s.carrier")
_FINAL = such("channel", lambda channel: channel.opt_out_is_final)


def _unasked(column: str) -> str:
    """As a condition: a follow alone brings updates by this channel."""
    return such(column, lambda channel: not channel.on_request)


# Why a delivery must not leave, decided at the moment when it is about to. The reasons are in order of importance. `o`
# is what a repeat repeats, and `first` wrote that; a reader who blocked or muted either writer, or muted the group,
# does not get it. An invited phone gets answers and one welcome. A code is to prove whose an address is now, so it goes
# also to one that its last owner lost. To a mailbox that bounces only the test mail and codes are sent. To a phone that
# opted out only the answer to STOP or HELP is sent, which is made only where no carrier answers; a mailbox that opted
# out still gets what it asks for.
_REFUSALS = text(f"""
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
""")  # noqa: S608


def refusals(session: Session, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """(message, address) → why it must not leave, for those of `keys` that must not."""
    messages, addresses = numbers(key[0] for key in keys), numbers(key[1] for key in keys)
    rows = session.execute(_REFUSALS, {"messages": messages, "addresses": addresses}).all()
    reasons = {(row.message_id, row.address_id): row.reason or _quotes_lost(session, row) for row in rows}
    return {key: reason for key, reason in reasons.items() if reason}


def _quotes_lost(session: Session, row: Row[Any]) -> str | None:
    """Refuses an answer or a notice with words of posts which its reader may not read any more. Few have any."""
    lost = row.quotes and not may_read_all(session, row.account_id, row.quotes)
    return "retracted" if lost else None


# One chunk of a post's audience: followers of its source (a person, a group, a topic or a track) after the cursor, and
# the people it names, up to where the followers of this chunk end. Each person gets it at one address and once, however
# many sources lead to them: with several sources, whoever asked for texts from one of them gets it by text from
# whichever is first. A post that names somebody whose phone is off goes to their mailbox; one that only a follow by
# text brings does not. An opt-out of texts never leads to another channel: that row is made and ends as opted out, so
# that the receipts show it. `deaf`: who blocked or muted the source, and the author of what it repeats. `told`: the
# other messages with the same words.
_CHUNK = fanouts.expansion(f"""
WITH f AS (
    (SELECT follower_id AS account_id, by_text
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
), others AS MATERIALIZED (
    SELECT array_agg(source_id) AS sources FROM fanouts WHERE message_id = :message HAVING count(*) > 1
), reach AS (
    SELECT account_id, bool_or(named) AS named, bool_or(by_text) AS by_text FROM (
        SELECT account_id, false AS named, by_text FROM f
        UNION ALL
        SELECT account_id, true, false FROM named, bound WHERE account_id > :reached AND account_id <= upto
    ) AS both_ways GROUP BY account_id
), asked AS (
    SELECT account_id, named, by_text OR (SELECT sources FROM others) IS NOT NULL AND (EXISTS (
        SELECT FROM follows_in_force
        WHERE follower_id = reach.account_id AND account_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text
    ) OR EXISTS (
        SELECT FROM topic_follows_in_force
        WHERE follower_id = reach.account_id AND topic_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text
    ) OR EXISTS (
        SELECT FROM trackers_in_force
        WHERE follower_id = reach.account_id AND track_id = ANY ((SELECT sources FROM others)::bigint[]) AND by_text
    )) AS by_text FROM reach
), recipients AS (
    SELECT way.id AS address_id, way.channel, way.sender_id,
           CASE WHEN NOT asked.named THEN CAST(:source AS bigint) END AS source_id
    FROM asked
    JOIN accounts reader ON reader.id = asked.account_id AND reader.state = 'active' AND reader.id <> :author
    CROSS JOIN LATERAL (
        SELECT id, channel, sender_id FROM addresses_now
        WHERE account_id = asked.account_id AND is_primary AND state IN ('verified', 'stopped')
          AND ({_unasked("channel")} OR asked.named OR asked.by_text)
        ORDER BY asked.named AND NOT receives, {rank("channel")} DESC LIMIT 1
    ) AS way
    WHERE asked.account_id NOT IN (SELECT account_id FROM deaf)
      AND ((SELECT repeat_of FROM p) IS NULL OR NOT EXISTS (
        SELECT FROM told JOIN deliveries d ON d.message_id = told.id JOIN addresses mine ON mine.id = d.address_id
        WHERE mine.account_id = asked.account_id AND d.state NOT IN ('cancelled', 'failed')))
)
""")  # noqa: S608
END = 2**63 - 1


def expand(session: Session, fanout: Fanout, priority: int, chunk: int) -> tuple[int, int, int]:
    """Inserts the deliveries of the next `chunk` followers: (new cursor, texts, mails). The cursor END means that this
    was the last chunk."""
    return fanouts.expand(session, _CHUNK, fanout, priority, chunk)


_HEARD = text(f"""
WITH spread AS MATERIALIZED (
    SELECT array_agg(source_id) AS sources FROM fanouts WHERE post_id = :post
)
SELECT EXISTS (
    SELECT FROM (
        SELECT follower_id AS account_id, by_text FROM follows_in_force
        WHERE account_id = ANY ((SELECT sources FROM spread)::bigint[])
        UNION ALL SELECT follower_id, by_text FROM topic_follows_in_force
        WHERE topic_id = ANY ((SELECT sources FROM spread)::bigint[])
        UNION ALL SELECT follower_id, by_text FROM trackers_in_force
        WHERE track_id = ANY ((SELECT sources FROM spread)::bigint[])
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


def readers_among(session: Session, post_id: int, accounts: Collection[int]) -> set[int]:
    """Those of `accounts` who may read the post."""
    wanted = select(Account.id).join(Post, Post.id == post_id)
    allowed = wanted.where(Account.id.in_(accounts), Account.state == "active", readable_by(Account.id))
    return set(session.scalars(allowed))
