"""The owners of a group, and the requests to join it. Handlers call it; following itself is in follows.py."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from gateway.i18n.phrases import joined
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.follows.follows import role_in
from gateway.store.id_range import IdRange
from gateway.store.tables import Account, Follow, Post, PostRecipient
from gateway.store.views import FollowInForce


def owners(session: Session, group_id: int) -> Sequence[Account]:
    """The active owners, the oldest first."""
    owned = select(Account).join(FollowInForce, FollowInForce.follower_id == Account.id)
    running = owned.where(
        FollowInForce.account_id == group_id, FollowInForce.role == "owner", Account.state == "active"
    )
    return session.scalars(running.order_by(FollowInForce.created_at, Account.id)).all()


def check_owner(session: Session, account_id: int, group: NamedAccount) -> None:
    """Raises Refused, with the names of those who may, when the account is no owner."""
    running = owners(session, group.id)
    if any(owner.id == account_id for owner in running):
        return
    if not running:
        raise refusal("no_owner", name=group.name)
    names = joined([f"@{owner.handle}" for owner in running[:3]], ", ")
    raise refusal("not_owner", name=group.name, names=names)


def check_not_last_owner(session: Session, account_id: int, group: NamedAccount) -> None:
    """Raises Refused for the only owner: a group must not lose it, for nobody could let people in or name another
    owner."""
    if not is_last_owner(session, account_id, group.id):
        return
    raise refusal("last_owner", name=group.name, handle=group.handle)


def is_last_owner(session: Session, account_id: int, group_id: int) -> bool:
    if role_in(session, account_id, group_id) != "owner":
        return False
    return all(owner.id == account_id for owner in owners(session, group_id))


def requests(session: Session, owner_id: int) -> Sequence[tuple[Account, Account]]:
    """(person, group) of those who wait to join where this person is an owner, the oldest request first."""
    waiting = select(Follow.follower_id, Follow.account_id).where(*_waiting(owner_id))
    keys = session.execute(waiting.order_by(Follow.created_at)).all()
    pairs = [(session.get_one(Account, person), session.get_one(Account, group)) for person, group in keys]
    return [pair for pair in pairs if all(each.state == "active" for each in pair)]


def list_asking(session: Session, owner_id: int, page: IdRange) -> Sequence[int]:
    """The ids of those who wait to join where this person is an owner, by pages."""
    waiting = select(Follow.follower_id).where(*_waiting(owner_id))
    asking = select(Account.id).where(Account.id.in_(waiting), Account.state == "active")
    return page.newest_first(list(session.scalars(page.apply(asking, Account.id))))


def asked_groups(session: Session, owner_id: int, person_id: int) -> Sequence[Account]:
    """The groups of this owner that the person asks to join."""
    theirs = select(Follow.account_id).where(*_waiting(owner_id), Follow.follower_id == person_id)
    asked = select(Account).where(Account.id.in_(theirs), Account.state == "active")
    return session.scalars(asked.order_by(Account.id)).all()


def _waiting(owner_id: int) -> tuple[ColumnElement[bool], ...]:
    mine = select(FollowInForce.account_id).where(FollowInForce.follower_id == owner_id, FollowInForce.role == "owner")
    return Follow.account_id.in_(mine), Follow.state == "requested"


def asked_by(session: Session, person_id: int) -> set[int]:
    """The groups that somebody has asked to join and that have not answered."""
    waiting = select(Follow.account_id).where(Follow.follower_id == person_id, Follow.state == "requested")
    return set(session.scalars(waiting))


def others(session: Session, group_id: int, account_id: int) -> bool:
    """Whether anybody else is in the group or asks to be."""
    there = exists().where(Follow.account_id == group_id, Follow.follower_id != account_id)
    return bool(session.scalar(select(there)))


def written(session: Session, group_id: int) -> bool:
    """Whether anything was ever written in the group, or privately to it."""
    posted = exists().where(Post.group_id == group_id)
    addressed = exists().where(PostRecipient.named_id == group_id)
    return bool(session.scalar(select(or_(posted, addressed))))
