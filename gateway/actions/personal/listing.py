"""Lists of people and groups that somebody reads together in an app. Nobody else knows of them, so `undo` passes them
by."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.network.follows import account_lists
from gateway.store.tables import AccountList

MOST_LISTS: Final = 50
MOST_ACCOUNTS: Final = 500
LONGEST_TITLE: Final = 100


def make_list(session: Session, actor: Actor, title: str) -> int:
    """Returns its id. Raises Refused beyond MOST_LISTS."""
    if account_lists.count(session, actor.account.id) >= MOST_LISTS:
        raise refusal("too_many_lists", number=MOST_LISTS)
    return account_lists.add(session, actor.account.id, _titled(title))


def rename_list(session: Session, actor: Actor, list_id: int, title: str) -> int:
    _own(session, actor, list_id).title = _titled(title)
    return list_id


def delete_list(session: Session, actor: Actor, list_id: int) -> None:
    session.delete(_own(session, actor, list_id))


def put_in_list(session: Session, actor: Actor, list_id: int, account_ids: Sequence[int]) -> None:
    """All of them or nobody. Raises Refused for somebody whom they do not follow, and beyond MOST_ACCOUNTS."""
    own = _own(session, actor, list_id)
    if account_lists.followed(session, actor.account.id, account_ids) != set(account_ids):
        raise refusal("not_followed_yet")
    account_lists.put(session, own.id, account_ids)
    if account_lists.size(session, own.id) > MOST_ACCOUNTS:
        raise refusal("list_full", number=MOST_ACCOUNTS)


def take_from_list(session: Session, actor: Actor, list_id: int, account_ids: Sequence[int]) -> None:
    account_lists.take(session, _own(session, actor, list_id).id, account_ids)


def _own(session: Session, actor: Actor, list_id: int) -> AccountList:
    """Raises Refused for a list of somebody else, and for a group, which is no list to be changed."""
    own = account_lists.own(session, actor.account.id, list_id)
    if own is None:
        group = account_lists.find(session, actor.account.id, list_id)
        raise refusal("list_of_group" if group else "list_gone")
    return own


def _titled(title: str) -> str:
    """In one line. Raises Refused for an empty or a long one."""
    line = " ".join(title.split())
    if not 0 < len(line) <= LONGEST_TITLE:
        raise refusal("list_untitled", number=LONGEST_TITLE)
    return line
