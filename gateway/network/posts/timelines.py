"""What was written, newest first: by somebody, in a group, under a tag; and what last reached one phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Interval, Select, bindparam, exists, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from gateway.language.model.reading import NamedAccount
from gateway.network.audience import visibility
from gateway.network.audience.visibility import readable_by
from gateway.network.posts.rendering import RepeatOrigin
from gateway.store.tables import Account, Address, Delivery, Digest, Held, Message, Post, Tag
from gateway.store.views import FollowInForce, another_follow

LATE = 30  # how many items later one may arrive than it was written
DIGEST = "digest"  # the reason of deliveries that left in a digest
RECENT = timedelta(hours=12)  # how long what came in a digest is looked for among what came last
ON_THE_ROAD = ("sending", "sent", "delivered", "unknown")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A post with the names that a line of text needs; `origin`: who wrote what a repeat passes on."""

    post: Post
    author: Account
    group: Account | None
    age: timedelta
    origin: RepeatOrigin | None = None


@dataclass(frozen=True, slots=True)
class ReceivedItem:
    """An item that reached an address, how long ago, whether its reader only reads in that group, because of which
    follow it was sent, and whether it came in a digest."""

    post: Post
    author: Account
    group: Account | None
    age: timedelta
    broadcast: bool
    tag: str | None
    source_id: int | None
    digested: bool = False


def latest(session: Session, reader_id: int, of: ColumnElement[bool], limit: int) -> list[TimelineEntry]:
    """The newest posts that match and that the reader may read. Direct posts are never listed."""
    rows = session.execute(LATEST.where(of), {"reader": reader_id, "most": limit})
    return [
        TimelineEntry(post, author, in_group, age, RepeatOrigin(wrote, where) if post.repeat_of else None)
        for post, author, in_group, age, wrote, where in rows
    ]


def _age(since: Any) -> ColumnElement[timedelta]:
    return type_coerce(func.now() - since, Interval)


def _latest() -> Select[Post, Account, Account, timedelta, Account, Account]:
    group, original, writer, there = aliased(Account), aliased(Post), aliased(Account), aliased(Account)
    return (
        select(Post, Account, group, _age(Post.created_at), writer, there)
        .join(Account, Account.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .outerjoin(original, original.id == Post.repeat_of)
        .outerjoin(writer, writer.id == original.author_id)
        .outerjoin(there, there.id == original.group_id)
        .where(Post.visibility != "direct", readable_by(bindparam("reader")))
        .order_by(Post.id.desc())
        .limit(bindparam("most"))
    )


LATEST: Final = _latest()
UPDATES: Final = select(func.count()).where(readable_by(bindparam("reader")), Post.visibility != "direct")


def by_account(account: Account | NamedAccount) -> ColumnElement[bool]:
    return Post.group_id == account.id if account.kind == "group" else Post.author_id == account.id


def by_tag(tag: str) -> ColumnElement[bool]:
    return exists().where(Tag.post_id == Post.id, Tag.tag == tag.casefold())


def list_received(
    session: Session, address_id: int, limit: int, *conditions: Any, digest: int | None = None
) -> Sequence[ReceivedItem]:
    """The items that were last sent to this address, the last to arrive first, without retracted ones. That is not the
    order in which they were written: a private one may have waited for `undo`, or for the carrier. Of what came in one
    digest, private items come first, so that what answers the last item is as private as the most private of them.
    `digest`: the one whose items are looked at, too; else the last one."""
    given = {"address": address_id, "most": max(limit, LATE)}
    rows = list(session.execute(HEARD.where(*conditions) if conditions else HEARD, given))
    if digest := digest or (rows[0].in_digest if rows else session.scalar(RECENT_DIGEST, {"address": address_id})):
        rows += session.execute(TOGETHER.where(*conditions), {"address": address_id, "digest": digest})
    found = {
        post.id: ReceivedItem(post, author, of, gone, bool(only), tag, by, reason == DIGEST)
        for post, author, of, gone, only, tag, by, reason, _ in rows
    }
    return sorted(found.values(), key=lambda item: (item.age, item.post.visibility != "direct"))[:limit]


def has_received(session: Session, account_id: int, post_id: int) -> bool:
    """Whether a post, or a repeat of it, was sent to an address of theirs, even if they may not read it any more."""
    sent = select(Delivery.address_id).join(Message, Message.id == Delivery.message_id)
    sent = sent.join(Post, Post.id == Message.post_id).join(Address, Address.id == Delivery.address_id)
    mine = sent.where(Address.account_id == account_id, Delivery.state.in_(ON_THE_ROAD))
    return session.scalar(mine.where(or_(Post.id == post_id, Post.repeat_of == post_id)).limit(1)) is not None


def find_received(session: Session, account_id: int, post_id: int) -> ReceivedItem | None:
    """A post, or a repeat of it, as it was last sent to an address of theirs; None when it was not."""
    mine = Address.account_id == account_id, or_(Post.id == post_id, Post.repeat_of == post_id)
    last = _came().where(*mine).order_by(Delivery.message_id.desc()).limit(1)
    row = session.execute(last, {"address": 0}).first()
    if row is None:
        return None
    post, author, group, age, only_listens, tag, source_id, reason, _ = row
    return ReceivedItem(post, author, group, age, bool(only_listens), tag, source_id, reason == DIGEST)


def gone_by(moment: datetime) -> ColumnElement[bool]:
    """As a condition on deliveries: they had left by then. The carrier's clock and ours agree within seconds."""
    return func.coalesce(Delivery.sent_at, Delivery.created_at) <= moment + timedelta(seconds=5)


Heard = Select[Post, Account, Account, timedelta, bool, str | None, int | None, str | None, int | None]


def _recent_digest() -> Select[int | None]:
    recent = Digest.message_id >= func.id_at(func.now() - RECENT)
    return select(func.max(Digest.message_id)).where(Digest.address_id == bindparam("address"), recent)


def _came() -> Heard:
    group = aliased(Account)
    posts_there = exists().where(
        FollowInForce.follower_id == Address.account_id,
        FollowInForce.account_id == Post.group_id,
        FollowInForce.role.in_(["owner", "poster"]),
    )
    only_listens = (group.access == "broadcast") & ~posts_there & (Post.visibility == "group")
    age = _age(func.coalesce(Delivery.sent_at, Delivery.created_at))
    found = (Post, Account, group, age, only_listens, Delivery.tag, Delivery.source_id, Delivery.reason)
    return (
        select(*found, RECENT_DIGEST.scalar_subquery().label("in_digest"))
        .join(Address, Address.id == Delivery.address_id)
        .join(Message, Message.id == Delivery.message_id)
        .join(Post, Post.id == Message.post_id)
        .join(Account, Account.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .where(Delivery.state.in_(ON_THE_ROAD), Post.deleted_at.is_(None))
    )


def _heard() -> Heard:
    """What went to this address, without what came in a digest elsewhere."""
    came_here = exists().where(
        Held.message_id == Delivery.message_id,
        Held.address_id == Delivery.address_id,
        Digest.message_id == Held.digest_id,
        Digest.address_id == Delivery.address_id,
    )
    here = _came().where(Delivery.address_id == bindparam("address"))
    here = here.where(or_(Delivery.reason.is_distinct_from(DIGEST), came_here))
    return here.order_by(Delivery.message_id.desc()).limit(bindparam("most"))


def _together() -> Heard:
    """What came in one digest, perhaps long after it was written, and also what first was to go to another address."""
    mine = exists().where(
        Held.digest_id == bindparam("digest"),
        Held.message_id == Delivery.message_id,
        Held.address_id == Delivery.address_id,
    )
    return _came().where(mine, Delivery.reason == DIGEST)


# Used for every text that comes in, so the statements are built once.
RECENT_DIGEST: Final = _recent_digest()
HEARD: Final = _heard()
TOGETHER: Final = _together()


def counts(session: Session, account: Account, reader_id: int) -> tuple[int, int, int]:
    """(followers, following, updates that the reader may read) of a person or a group. Who is in a closed group is for
    its members only, so that membership counts in nobody else's figures."""
    statement = COUNTS_OF_GROUP if account.kind == "group" else COUNTS_OF_PERSON
    followers, following, updates = session.execute(statement, {"account": account.id, "reader": reader_id}).one()
    return followers, following, updates


def _counts(of: ColumnElement[bool]) -> Select[int, int, int]:
    account, reader = bindparam("account", type_=BigInteger), bindparam("reader", type_=BigInteger)
    follower = aliased(Account)
    heard_by = select(func.count()).select_from(FollowInForce).join(follower, follower.id == FollowInForce.follower_id)
    heard_by = heard_by.where(FollowInForce.account_id == account, follower.state == "active")
    heard = another_follow()
    source = aliased(Account)
    known = or_(source.access.is_distinct_from("closed"), visibility.following(reader, source.id))
    hears = select(func.count()).select_from(heard).join(source, source.id == heard.account_id)
    hears = hears.where(heard.follower_id == account, source.state == "active", known)
    return select(heard_by.scalar_subquery(), hears.scalar_subquery(), UPDATES.where(of).scalar_subquery())


COUNTS_OF_PERSON: Final = _counts(Post.author_id == bindparam("account", type_=BigInteger))
COUNTS_OF_GROUP: Final = _counts(Post.group_id == bindparam("account", type_=BigInteger))
