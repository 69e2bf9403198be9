"""Tags that begin with some letters, as far as somebody may read an update that has them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Text, bindparam, exists, select
from sqlalchemy.orm import Session

from gateway.network.audience.visibility import readable_by
from gateway.store.tables import Post, Tag

LAST: Final = "\U0010ffff"


def begin_with(session: Session, reader_id: int, start: str, most: int) -> Sequence[str]:
    """By the alphabet; nothing for no letters. What is private has no tag that is found."""
    folded = start.casefold()
    if not folded:
        return ()
    given = {"reader": reader_id, "first": folded, "end": folded + LAST, "most": most}
    return session.scalars(TAGS, given).all()


_READABLE: Final = exists().where(
    Post.id == Tag.post_id, Post.visibility != "direct", readable_by(bindparam("reader"))
).correlate(Tag)  # fmt: skip
TAGS: Final = (
    select(Tag.tag)
    .where(Tag.tag >= bindparam("first", type_=Text), Tag.tag < bindparam("end", type_=Text), _READABLE)
    .group_by(Tag.tag)
    .order_by(Tag.tag)
    .limit(bindparam("most"))
)
