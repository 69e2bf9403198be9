"""Lists of people and groups that somebody reads together, and the groups they are in, each of which is a list that
nobody can change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.store.id_range import IdRange
from gateway.store.tables import Account, AccountList, ListAccount
from gateway.store.views import FollowInForce


@dataclass(frozen=True, slots=True)
class NamedList:
    """`group`: it is a group, and its id is that of the group."""

    id: int
    title: str
    group: bool


def find_all(session: Session, account_id: int) -> Sequence[NamedList]:
    """Their own, and then their groups, each by name."""
    return [NamedList(*row) for row in session.execute(LISTS, {"me": account_id, "only": None})]


def find(session: Session, account_id: int, list_id: int) -> NamedList | None:
    """None for what is no list of theirs."""
    row = session.execute(LISTS, {"me": account_id, "only": list_id}).one_or_none()
    return NamedList(*row) if row else None


def find_with(session: Session, account_id: int, other_id: int) -> Sequence[NamedList]:
    """Their own lists that somebody is in."""
    mine = select(AccountList).join(ListAccount, ListAccount.list_id == AccountList.id)
    mine = mine.where(AccountList.account_id == account_id, ListAccount.account_id == other_id)
    return [NamedList(one.id, one.title, False) for one in session.scalars(mine.order_by(AccountList.id))]


def own(session: Session, account_id: int, list_id: int) -> AccountList | None:
    """The row, locked; None when it is none of theirs."""
    mine = select(AccountList).where(AccountList.id == list_id, AccountList.account_id == account_id)
    return session.scalars(mine.with_for_update()).one_or_none()


def count(session: Session, account_id: int) -> int:
    """How many they made. Two at once wait for each other, so that neither is missed."""
    session.scalar(select(Account.id).where(Account.id == account_id).with_for_update())
    return session.scalar(select(func.count()).where(AccountList.account_id == account_id)) or 0


def add(session: Session, account_id: int, title: str) -> int:
    made = insert(AccountList).values(account_id=account_id, title=title).returning(AccountList.id)
    return session.scalars(made).one()


def size(session: Session, list_id: int) -> int:
    return session.scalar(select(func.count()).where(ListAccount.list_id == list_id)) or 0


def put(session: Session, list_id: int, account_ids: Collection[int]) -> None:
    if account_ids:
        rows = [{"list_id": list_id, "account_id": each} for each in account_ids]
        session.execute(insert(ListAccount).on_conflict_do_nothing(), rows)


def take(session: Session, list_id: int, account_ids: Collection[int]) -> None:
    gone = delete(ListAccount).where(ListAccount.list_id == list_id, ListAccount.account_id.in_(account_ids))
    session.execute(gone)


def followed(session: Session, account_id: int, others: Collection[int]) -> set[int]:
    """Those of the others whom they follow."""
    mine = FollowInForce.follower_id == account_id, FollowInForce.account_id.in_(others)
    return set(session.scalars(select(FollowInForce.account_id).where(*mine)))


def page(session: Session, account_id: int, of: NamedList, asked: IdRange) -> Sequence[int]:
    """The ids of who is in a list: whom its owner still follows; of a group, who is in it and not hidden by a block."""
    inside = visibility.following(Account.id, of.id) if of.group else _in_list(account_id, of.id)
    known = select(Account.id).where(inside, Account.state == "active", ~visibility.blocked(account_id, Account.id))
    return asked.newest_first(list(session.scalars(asked.apply(known, Account.id.expression))))


def _in_list(account_id: int, list_id: int) -> ColumnElement[bool]:
    listed = exists().where(ListAccount.list_id == list_id, ListAccount.account_id == Account.id)
    return listed & visibility.following(account_id, Account.id)


LISTS: Final = text("""
    SELECT id, title, false FROM lists WHERE account_id = :me AND (CAST(:only AS bigint) IS NULL OR id = :only)
    UNION ALL
    SELECT g.id, g.name, true FROM follows_in_force f JOIN accounts g ON g.id = f.account_id
    WHERE f.follower_id = :me AND g.kind = 'group' AND g.state = 'active'
      AND (CAST(:only AS bigint) IS NULL OR g.id = :only)
    ORDER BY 3, 2
""")
