"""What somebody writes about: the #tags of their updates that everyone may read."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.store.tables import Post, Tag

DAYS: Final = 180
MOST: Final = 5


class TagCount(NamedTuple):
    tag: str
    number: int


def most_used(session: Session, author_id: int) -> Sequence[TagCount]:
    since = func.id_at(func.now() - func.make_interval(0, 0, 0, DAYS))
    mine = select(Tag.tag, func.count()).join(Post, Post.id == Tag.post_id)
    mine = mine.where(Post.author_id == author_id, Post.id >= since, Post.deleted_at.is_(None), visibility.open_post())
    rows = session.execute(mine.group_by(Tag.tag).order_by(func.count().desc(), Tag.tag).limit(MOST))
    return [TagCount(*row) for row in rows]
