"""Which updates stand in each feed, newest first: home, everyone, a person, a group, a tag, what one likes to find
again. A page asks for the next ones by the id of the last, never by a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, bindparam, exists, select, text
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.audience.visibility import readable_by
from gateway.network.feeds import feed_items
from gateway.network.feeds.conditions import silenced
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
    given = {"reader": reader_id, "before": before, "most": CANDIDATES, "depth": DEPTH}
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
# The newest of each source, then a few more of those sources that can be among the newest: a reader of 500 people costs
# 500 looks into an index, however many updates there are. Of a source that had more than those few, nothing is known
# below its last one, so the list is cut there, and the next page goes on. Only the newest of all these are looked at
# themselves; those that are not shown (of somebody muted, or taken back) still say where the page ends.
HOME: Final = text(f"""
    WITH followed AS MATERIALIZED (
        SELECT a.id, a.kind FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
        WHERE f.follower_id = :reader
    ), people AS (
        SELECT id FROM followed WHERE kind = 'person' AND NOT {silenced(":reader", "followed.id")}
        UNION ALL SELECT CAST(:reader AS bigint)
    ), writers AS (
        SELECT p.id, newest.post FROM people p, LATERAL (
            SELECT id AS post FROM posts WHERE author_id = p.id AND id < :before AND deleted_at IS NULL
              AND (visibility = 'company' OR (visibility = 'group' AND p.id = :reader)) ORDER BY id DESC LIMIT 1) newest
        ORDER BY newest.post DESC LIMIT :most
    ), found AS (
        SELECT w.id AS source, each.post FROM writers w, LATERAL (
            SELECT id AS post FROM posts WHERE author_id = w.id AND id < :before AND deleted_at IS NULL
              AND (visibility = 'company' OR (visibility = 'group' AND w.id = :reader))
            ORDER BY id DESC LIMIT :depth) each
        UNION ALL
        SELECT g.id, each.post FROM followed g, LATERAL (
            SELECT id AS post FROM posts WHERE group_id = g.id AND id < :before AND deleted_at IS NULL
              AND visibility = 'group' ORDER BY id DESC LIMIT :depth) each
        WHERE g.kind = 'group'
        UNION ALL
        SELECT t.id, each.post FROM topic_follows_in_force f JOIN topics t ON t.id = f.topic_id, LATERAL (
            SELECT post_id AS post FROM tags WHERE tag = t.tag AND post_id < :before
            ORDER BY post_id DESC LIMIT :depth) each
        WHERE f.follower_id = :reader
        UNION ALL
        (SELECT 0, post_id FROM mentions WHERE account_id = :reader AND post_id < :before
         ORDER BY post_id DESC LIMIT :depth)
    ), cut AS (
        SELECT max(oldest) AS post
        FROM (SELECT min(post) AS oldest FROM found GROUP BY source HAVING count(*) = :depth) AS unfinished
    ), newest AS (
        SELECT DISTINCT found.post, cut.post IS NOT NULL AS more FROM cut, found
        WHERE found.post >= coalesce(cut.post, 0) ORDER BY found.post DESC LIMIT :most
    )
    SELECT newest.post, newest.more, p.visibility <> 'direct' AND p.deleted_at IS NULL
        AND NOT {silenced(":reader", "p.author_id")} AS shown
    FROM newest JOIN posts p ON p.id = newest.post ORDER BY newest.post DESC
""")  # noqa: S608 - put together from constants
