"""Looking things up: what somebody wrote, who they are, who follows whom. Nothing here changes anything.

What is in a closed group, and who is in it, is for its members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.follows import follows, mutes, reachability, tag_follows, trackers
from gateway.network.people import accounts, statuses
from gateway.network.people.statuses import SetStatus
from gateway.network.posts import timelines
from gateway.store.tables import Account


@dataclass(frozen=True, slots=True)
class AccountProfile:
    """What the actor may know of an account. `followers`: None in a closed group of others; `ways`: how a person is
    reached, "text" and "mail". `apart`: one of the two has blocked the other, so there is only the name. `status`: the
    line beside a person's name."""

    account: Account
    apart: bool = False
    followers: int | None = None
    following: int = 0
    updates: int = 0
    ways: tuple[str, ...] = ()
    status: SetStatus | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    """How many there are, and the first of them."""

    number: int
    first: Sequence[Account]


def latest(session: Session, actor: Actor, source: NamedAccount, limit: int) -> Sequence[timelines.TimelineEntry]:
    """The newest items of a person or a group that the actor may read."""
    of = timelines.by_account(_readable(session, actor, source))
    return timelines.latest(session, actor.account.id, of, limit)


def latest_tagged(session: Session, actor: Actor, tag: str, limit: int) -> Sequence[timelines.TimelineEntry]:
    return timelines.latest(session, actor.account.id, timelines.by_tag(tag), limit)


def profile(session: Session, actor: Actor, named: NamedAccount) -> AccountProfile:
    account = _existing(session, named)
    if mutes.are_apart(session, actor.account.id, account.id):
        return AccountProfile(account, apart=True)
    followers, following, updates = timelines.counts(session, account, actor.account.id)
    seen = followers if _may_look_into(session, actor, account) else None
    ways = tuple(reachability.channels(session, account.id)) if account.kind == "person" else ()
    status = statuses.find(session, account.id) if account.kind == "person" else None
    return AccountProfile(account, False, seen, following, updates, ways, status)


def statistics(session: Session, actor: Actor, named: NamedAccount | None = None) -> AccountProfile:
    """The counts of an account, by default of the actor's own; raises Refused for a closed group of others."""
    account = _readable(session, actor, named) if named else actor.account
    return AccountProfile(account, False, *timelines.counts(session, account, actor.account.id))


def followers(session: Session, actor: Actor, limit: int, named: NamedAccount | None = None) -> Accounts:
    """Who follows an account or is in a group, by default the actor's own followers."""
    if named is None:
        return Accounts(*follows.followers(session, actor.account.id, limit))
    account = _readable(session, actor, named)
    if mutes.are_apart(session, actor.account.id, account.id):
        return Accounts(0, ())
    return Accounts(*follows.followers(session, account.id, limit, seen_by=actor.account.id))


def following(session: Session, actor: Actor, limit: int) -> tuple[Accounts, Sequence[str]]:
    """The people and the tags that the actor follows."""
    people = Accounts(*follows.following(session, actor.account.id, limit))
    return people, tag_follows.following(session, actor.account.id)


def tracked(session: Session, actor: Actor) -> Sequence[str]:
    """The words and phrases that the actor tracks, as people read them."""
    return trackers.tracked_by(session, actor.account.id)


def groups(session: Session, actor: Actor, limit: int) -> Accounts:
    """The groups that the actor is in."""
    return Accounts(*follows.groups(session, actor.account.id, limit))


def _existing(session: Session, named: NamedAccount) -> Account:
    account = accounts.by_id(session, named.id)
    if account is None:
        raise refusal("named_gone", name=named.name)
    return account


def _readable(session: Session, actor: Actor, named: NamedAccount) -> Account:
    account = _existing(session, named)
    if not _may_look_into(session, actor, account):
        raise refusal("closed_to_readers", name=account.name, handle=account.handle)
    return account


def _may_look_into(session: Session, actor: Actor, account: Account) -> bool:
    """Whether the actor may see what is in it: in a closed group only as a member."""
    if account.access is None or account.access in OPEN_TO_ALL:
        return True
    return follows.role_in(session, actor.account.id, account.id) is not None
