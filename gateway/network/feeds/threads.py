"""One update with what it answers and what answers it, as far as one reader may read it: a tree of two levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.feeds import feed_items
from gateway.network.feeds.feed_items import FeedItem

MOST_ABOVE: Final = 20
MOST_BELOW: Final = 200


@dataclass(frozen=True, slots=True)
class ThreadReply:
    """A reply, and what answers it or anything below it, oldest first."""

    item: FeedItem
    below: Sequence[FeedItem]


@dataclass(frozen=True, slots=True)
class Thread:
    above: Sequence[FeedItem]
    item: FeedItem
    answers: Sequence[ThreadReply]

    @property
    def number(self) -> int:
        return sum(1 + len(answer.below) for answer in self.answers)


def find(session: Session, reader_id: int, post_id: int, *, private: bool = False) -> Thread | None:
    """None when the reader may not read the update itself. `private`: with the private answers that the reader wrote or
    got, which pages show in talks."""
    if not visibility.may_read(session, reader_id, post_id):
        return None
    above = session.scalars(ABOVE, {"post": post_id, "most": MOST_ABOVE}).all()
    below = session.execute(BELOW, {"post": post_id, "most": MOST_BELOW, "private": private}).all()
    items = {
        item.id: item for item in feed_items.load(session, reader_id, [*above, post_id, *(one.id for one in below)])
    }
    if post_id not in items:
        return None  # it waits, and its writer may still take it back
    return Thread([items[each] for each in above if each in items], items[post_id], _answers(items, below))


def _answers(items: dict[int, FeedItem], below: Sequence[Any]) -> list[ThreadReply]:
    found: dict[int, list[FeedItem]] = {}
    for row in below:
        found.setdefault(row.top, [])
        if row.id != row.top and row.id in items:
            found[row.top].append(items[row.id])
    return [ThreadReply(items[top], rest) for top, rest in found.items() if top in items]


ABOVE: Final = text("""
    WITH RECURSIVE above AS (
        SELECT in_reply_to AS id, 1 AS level FROM posts WHERE id = :post
        UNION ALL
        SELECT p.in_reply_to, a.level + 1 FROM above a JOIN posts p ON p.id = a.id WHERE a.level < :most
    )
    SELECT id FROM above WHERE id IS NOT NULL ORDER BY level DESC
""")
BELOW: Final = text("""
    WITH RECURSIVE below AS (
        SELECT id, id AS top, 1 AS level FROM posts WHERE in_reply_to = :post AND (:private OR visibility <> 'direct')
        UNION ALL
        SELECT p.id, b.top, b.level + 1 FROM below b JOIN posts p ON p.in_reply_to = b.id
        WHERE (:private OR p.visibility <> 'direct') AND b.level < 20
    )
    SELECT id, top FROM (SELECT id, top FROM below ORDER BY id LIMIT :most) AS listed ORDER BY top, id
""")
