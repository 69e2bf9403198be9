"""Marks that somebody puts on updates: to find one again, and to show an own one first."""

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Account, Bookmark, PinnedPost

Mark = type[Bookmark] | type[PinnedPost]


def bookmark(session: Session, account_id: int, post_id: int) -> bool:
    """False when it was marked already. The caller has made sure that they may read it."""
    return _put(session, Bookmark, account_id, post_id)


def forget_bookmark(session: Session, account_id: int, post_id: int) -> bool:
    return _take(session, Bookmark, account_id, post_id)


def pin(session: Session, account_id: int, post_id: int) -> bool:
    """False when it was pinned already. The caller has made sure that it is theirs."""
    return _put(session, PinnedPost, account_id, post_id)


def unpin(session: Session, account_id: int, post_id: int) -> bool:
    return _take(session, PinnedPost, account_id, post_id)


def count_pinned(session: Session, account_id: int, but: int) -> int:
    """How many others they have pinned, beside this one. Two at once wait for each other, so that neither is missed."""
    session.scalar(select(Account.id).where(Account.id == account_id).with_for_update())
    mine = select(func.count()).where(PinnedPost.account_id == account_id, PinnedPost.post_id != but)
    return session.scalar(mine) or 0


def _put(session: Session, mark: Mark, account_id: int, post_id: int) -> bool:
    row: Any = insert(mark).values(account_id=account_id, post_id=post_id).on_conflict_do_nothing()
    return session.scalar(row.returning(mark.post_id)) is not None


def _take(session: Session, mark: Mark, account_id: int, post_id: int) -> bool:
    mine = delete(mark).where(mark.account_id == account_id, mark.post_id == post_id)
    return session.scalar(mine.returning(mark.post_id)) is not None
