"""Which updates stand in each feed, newest first: home, everyone, a person, a group, a tag, what one likes to find
again. A page asks for the next ones by the id of the last, never by a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, bindparam, exists, select
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.audience.visibility import readable_by
from gateway.network.feeds import feed_items, source_lists
from gateway.network.feeds.feed_items import FeedItem
from gateway.store.tables import Account, Media, Post, Tag

PAGE: Final = 40  # items
Show = Literal["replies", "updates", "pictures"]
NEWEST: Final = 2**63 - 1
CANDIDATES: Final = 60  # for Home: some may not be read
DEPTH: Final = 20  # updates of one source that a page of Home looks at


@dataclass(frozen=True, slots=True)
class Feed:
    """Items, and from which id on there are older ones; None when these were the last."""

    items: Sequence[FeedItem]
    older: int | None = None


def home(session: Session, reader_id: int, before: int = NEWEST) -> Feed:
    """What whom they follow wrote, what was written in their groups and under their tags, what names them, and their
    own."""
    given = {"reader": reader_id, "below": before, "above": 0, "most": CANDIDATES, "depth": DEPTH}
    rows = session.execute(HOME, given).all()
    more = len(rows) == CANDIDATES or (bool(rows) and rows[0].more)
    feed = _page(session, reader_id, [row.post for row in rows if row.shown], more=more)
    return feed if feed.items or not more else Feed((), rows[-1].post)


def everyone(session: Session, reader_id: int, before: int = NEWEST) -> Feed:
    """What anyone in the company may read."""
    return _listed(session, EVERYONE, reader_id, before)


def by(session: Session, reader_id: int, account: Account, before: int = NEWEST, show: Show = "replies") -> Feed:
    """What a person wrote or repeated, or what was written in a group, as far as the reader may read it. `show`: of a
    person, updates are without replies, pictures are those that have one."""
    statement = IN_GROUP if account.kind == "group" else SHOWN[show]
    return _listed(session, statement, reader_id, before, account=account.id)


def tagged(session: Session, reader_id: int, tag: str, before: int = NEWEST) -> Feed:
    return _listed(session, TAGGED, reader_id, before, tag=tag.casefold())


def _listed(session: Session, statement: Select[int], reader_id: int, before: int, **of: Any) -> Feed:
    given = {"reader": reader_id, "before": before, **of}
    ids = session.scalars(statement, given).all()
    return _page(session, reader_id, ids, more=len(ids) > PAGE)


def _page(session: Session, reader_id: int, candidates: Sequence[int], *, more: bool) -> Feed:
    """The first of the candidates that the reader may read. `more`: there may be others behind them."""
    items: list[FeedItem] = []
    for start in range(0, len(candidates), PAGE):
        items += feed_items.load(session, reader_id, candidates[start : start + PAGE])
        if len(items) >= PAGE:
            further = more or len(items) > PAGE or start + PAGE < len(candidates)
            return Feed(items[:PAGE], items[PAGE - 1].id if further else None)
    return Feed(items, candidates[-1] if more else None)


def _listing(*of: ColumnElement[bool]) -> Select[int]:
    """The rule for readers takes milliseconds to write as SQL, so these are built once."""
    ids = select(Post.id).where(Post.id < bindparam("before"), readable_by(bindparam("reader")), *of)
    return ids.order_by(Post.id.desc()).limit(PAGE + 1)


NOT_PRIVATE: Final = Post.visibility != "direct"
EVERYONE: Final = _listing(visibility.open_post())
BY_PERSON: Final = _listing(Post.author_id == bindparam("account"), NOT_PRIVATE)
WITH_PICTURE: Final = exists().where(Media.upload_id == Post.upload_id, Media.state == "fetched")
SHOWN: Final[dict[Show, Select[int]]] = {
    "replies": BY_PERSON,
    "updates": _listing(Post.author_id == bindparam("account"), NOT_PRIVATE, Post.in_reply_to.is_(None)),
    "pictures": _listing(Post.author_id == bindparam("account"), NOT_PRIVATE, WITH_PICTURE),
}
IN_GROUP: Final = _listing(Post.group_id == bindparam("account"), NOT_PRIVATE)
TAGGED: Final = _listing(exists().where(Tag.post_id == Post.id, Tag.tag == bindparam("tag")), NOT_PRIVATE)
HOME: Final = source_lists.newest_first(source_lists.OF_HOME)
