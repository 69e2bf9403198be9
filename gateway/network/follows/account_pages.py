"""Lists of accounts by pages, for apps: who hears somebody, whom they hear, whom one has muted or blocked.
Each is ordered by the accounts' ids."""

from collections.abc import Collection, Sequence
from typing import Final, Literal

from sqlalchemy import ColumnElement, Select, literal, or_, select
from sqlalchemy.orm import Session, aliased

from gateway.network.audience.visibility import blocked, following
from gateway.store.id_range import IdRange
from gateway.store.tables import Account, Topic
from gateway.store.views import FollowInForce, SilenceInForce, TopicFollowInForce, another_follow

ACTIVE: Final = Account.state == "active"


def list_followers(session: Session, reader_id: int, account: Account, page: IdRange) -> Sequence[int]:
    """Who hears a person or is in a group. Nobody, when it is a closed group of others, or a block is between the
    two."""
    heard = select(FollowInForce.follower_id).where(FollowInForce.account_id == account.id)
    group = aliased(Account)
    may_look = or_(group.access.is_distinct_from("closed"), following(reader_id, account.id))
    open_to_me = select(group.id).where(group.id == account.id, may_look).exists()
    return _listed(session, page, Account.id.in_(heard), open_to_me, *_together(reader_id, account.id))


def list_following(session: Session, reader_id: int, account: Account, page: IdRange) -> Sequence[int]:
    """Whom a person hears and in which groups they are, as far as the reader may know of those."""
    heard = select(FollowInForce.account_id).where(FollowInForce.follower_id == account.id)
    known = or_(Account.access.is_distinct_from("closed"), following(reader_id, Account.id))
    return _listed(session, page, Account.id.in_(heard), known, *_together(reader_id, account.id))


def _together(reader_id: int, account_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """No block is between the reader and the account, nor between the reader and who is listed."""
    return ~blocked(literal(reader_id), literal(account_id)), ~blocked(literal(reader_id), Account.id)


def list_silenced(session: Session, person_id: int, kind: Literal["mute", "block"], page: IdRange) -> Sequence[int]:
    """Whom somebody has muted or blocked, also who has left: a block would be in force again with them."""
    other = SilenceInForce.other_id
    statement = select(other).join(Account, Account.id == other).where(Account.state != "suspended")
    mine = statement.where(SilenceInForce.account_id == person_id, SilenceInForce.kind == kind)
    return page.newest_first(list(session.scalars(page.apply(mine, Account.id))))


def list_known_followers(
    session: Session, reader_id: int, account_ids: Collection[int], most: int
) -> dict[int, list[int]]:  # fmt: skip
    """Of each account: those of its followers whom the reader follows, too. Nobody in a closed group of others."""
    mine, group = another_follow(), aliased(Account)
    known = select(mine.account_id).where(mine.follower_id == reader_id)
    may_look = or_(group.access.is_distinct_from("closed"), following(reader_id, group.id))
    rows = session.execute(
        select(group.id, Account.id)
        .join(FollowInForce, FollowInForce.account_id == group.id)
        .join(Account, Account.id == FollowInForce.follower_id)
        .where(group.id.in_(account_ids), Account.id.in_(known), ACTIVE, may_look)
        .where(~blocked(literal(reader_id), group.id))
        .order_by(group.id, Account.id.desc())
    )
    found: dict[int, list[int]] = {}
    for account_id, follower_id in rows:
        found.setdefault(account_id, []).append(follower_id)
    return {account_id: followers[:most] for account_id, followers in found.items()}


def list_followed_tags(session: Session, person_id: int, page: IdRange) -> Sequence[Topic]:
    mine = select(Topic).join(TopicFollowInForce, TopicFollowInForce.topic_id == Topic.id)
    rows = session.scalars(page.apply(mine.where(TopicFollowInForce.follower_id == person_id), Topic.id))
    return page.newest_first(list(rows))


def _listed(session: Session, page: IdRange, *conditions: ColumnElement[bool]) -> Sequence[int]:
    found: Select[int] = select(Account.id).where(ACTIVE, *conditions)
    return page.newest_first(list(session.scalars(page.apply(found, Account.id))))
