"""Who may read a post, and who may post where: the one rule, asked by every door, every list and every send."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from gateway.store.tables import Account, Address, Post, PostRecipient
from gateway.store.views import FollowInForce, another_follow, another_silence

OPEN_TO_ALL = ("open", "broadcast")
KNOWN = ("verified", "stopped")  # still the reader's address; one that opted out may look


# Each condition names its own table alone: `account` may be a column of any statement around it, however far out.
# SQLAlchemy would by itself look for that column in the nearest one only.
def _any(entity: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*conditions).correlate_except(entity)


def following(follower: Any, account: Any) -> ColumnElement[bool]:
    """As a condition: the follow is in force, that is, asked for, granted and not run out."""
    follow = another_follow()
    return _any(follow, follow.follower_id == follower, follow.account_id == account)


def blocked(one: Any, other: Any) -> ColumnElement[bool]:
    """As a condition: one of the two has blocked the other, so that neither gets or reads the other's posts."""
    silence = another_silence()
    either_way = or_(
        and_(silence.account_id == one, silence.other_id == other),
        and_(silence.account_id == other, silence.other_id == one),
    )
    return _any(silence, silence.kind == "block", either_way)


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
    repeated = _any(original, original.id == Post.repeat_of, there, _readable(original, account))
    return and_(_readable(Post, account), or_(Post.repeat_of.is_(None), repeated))


def _readable(post: type[Post], account: Any) -> ColumnElement[bool]:
    away = aliased(Account)
    suspended = _any(away, away.id == post.author_id, away.state == "suspended")
    group = aliased(Account)
    open_group = _any(group, group.id == post.group_id, group.access.in_(OPEN_TO_ALL))
    addressed = _any(PostRecipient, PostRecipient.post_id == post.id, PostRecipient.account_id == account)
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


def open_post() -> ColumnElement[bool]:
    """As a condition on Post: anyone in the company may read it, because it is neither direct nor in a closed group."""
    group = aliased(Account)
    there = _any(group, group.id == Post.group_id, group.access.in_(OPEN_TO_ALL))
    return or_(Post.visibility == "company", and_(Post.visibility == "group", there))


def may_read_all(session: Session, account_id: int, post_ids: Collection[int]) -> bool:
    """The rule for several posts: what is kept of posts is given only while all of them may be read (R58)."""
    if not post_ids:
        return True
    return session.scalar(_READABLE_OF, {"reader": account_id, "posts": list(post_ids)}) == len(set(post_ids))


def find_cut_off(session: Session, post_ids: Collection[int], address_ids: Collection[int]) -> set[int]:
    """Those of the addresses whose owners may not read all of these posts. They are the posts above an answer in its
    thread, which the subject of its mail would quote."""
    posts = set(post_ids)
    given = {"posts": list(posts), "addresses": list(address_ids), "number": len(posts)}
    return set(address_ids) - set(session.scalars(_READ_WHOLE, given))


Opened = Literal["readable", "retracted"]


def open_link(session: Session, post_id: int, address_id: int) -> Opened | None:
    """What a link to a post may show to the owner of the address that it was sent to: the one rule for every kind of
    link. None when they may not even know of the post: the address is not theirs any more, they are suspended or
    removed, or there is a block. "retracted" means that only the retraction of the post itself keeps them from reading
    it."""
    readable = session.scalar(_OPEN_LINK, {"post": post_id, "address": address_id})
    return None if readable is None else "readable" if readable else "retracted"


def holder(session: Session, address_id: int) -> int | None:
    """The person to whom what was sent to an address belongs now: its active owner, while it is surely theirs."""
    return session.scalar(_HOLDER, {"address": address_id})


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


def readers_among(session: Session, post_id: int, accounts: Collection[int]) -> set[int]:
    """Those of `accounts` who may read the post."""
    return set(session.scalars(_READERS_AMONG, {"post": post_id, "accounts": list(accounts)}))


# The rule takes milliseconds to write as SQL, so the statements that ask it are built once.
def _list(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=BigInteger, expanding=True)


_READER: BindParameter[int] = bindparam("reader", type_=BigInteger)
_POST: BindParameter[int] = bindparam("post", type_=BigInteger)
_READABLE = and_(exists().where(Account.id == _READER, Account.state == "active"), readable_by(_READER))
_MAY_READ = select(Post.id).where(Post.id == _POST, _READABLE)
_READABLE_OF = select(func.count()).select_from(Post).where(Post.id.in_(_list("posts")), _READABLE)
_READ_WHOLE = (
    select(Address.id)
    .join(Post, Post.id.in_(_list("posts")))
    .where(Address.id.in_(_list("addresses")), readable_by(Address.account_id))
    .group_by(Address.id)
    .having(func.count() == bindparam("number", type_=BigInteger))
)
_HOLDER = (
    select(Account.id)
    .join(Address, Address.account_id == Account.id)
    .where(Address.id == bindparam("address", type_=BigInteger))
    .where(Address.state.in_(KNOWN), Account.state == "active")
)
_OPEN_LINK = select(Post.deleted_at.is_(None) & readable_by(_HOLDER.scalar_subquery())).where(
    Post.id == _POST, exists(_HOLDER), _allowed(_HOLDER.scalar_subquery(), retracted=True)
)
_READERS_AMONG = (
    select(Account.id)
    .join(Post, Post.id == _POST)
    .where(Account.id.in_(_list("accounts")), Account.state == "active", readable_by(Account.id))
)
