"""Who likes an update, and who passed it on, as one reader may know it: nobody sees whom a block hides."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.store.id_range import IdRange
from gateway.store.tables import Account, Post, Reaction


def likers(session: Session, reader_id: int, post_id: int, asked: IdRange) -> Sequence[int]:
    """The ids of people, as pages of ids. The caller has made sure that the reader may read the update."""
    reacted = exists().where(Reaction.post_id == post_id, Reaction.account_id == Account.id)
    return _page(session, select(Account.id).where(reacted), reader_id, asked)


def repeaters(session: Session, reader_id: int, post_id: int, asked: IdRange) -> Sequence[int]:
    passed_on = exists().where(Post.repeat_of == post_id, Post.author_id == Account.id, Post.deleted_at.is_(None))
    return _page(session, select(Account.id).where(passed_on), reader_id, asked)


def _page(session: Session, people: Select[Any], reader_id: int, asked: IdRange) -> list[int]:
    known = people.where(Account.state == "active", ~visibility.blocked(reader_id, Account.id))
    return asked.newest_first(list(session.scalars(asked.apply(known, Account.id.expression))))
