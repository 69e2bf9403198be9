"""Which updates stand in each feed, newest first: home, everyone, a person, a group, a tag, what one likes to find
again. A page asks for the next ones by the id of the last, never by a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.audience.visibility import readable_by
from gateway.network.feeds import feed_items
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.posts.timelines import by_account, by_tag
from gateway.store.tables import Account, Post

PAGE: Final = 40  # items
NEWEST: Final = 2**63 - 1
SPARE: Final = 3  # candidates for each item: some may not be read, or are from people whom the reader muted


@dataclass(frozen=True, slots=True)
class Feed:
    """Items, and from which id on there are older ones; None when these were the last."""

    items: Sequence[FeedItem]
    older: int | None = None


def home(session: Session, reader_id: int, before: int = NEWEST, most: int = PAGE) -> Feed:
    """What whom they follow wrote, what was written in their groups and under their tags, what names them, and their
    own."""
    given = {"reader": reader_id, "before": before, "most": most * SPARE}
    candidates = session.scalars(HOME, given).all()
    feed = _page(session, reader_id, candidates, most)
    if feed.older is None and len(candidates) == most * SPARE:
        return Feed(feed.items, candidates[-1])
    return feed


def everyone(session: Session, reader_id: int, before: int = NEWEST) -> Feed:
    """What anyone in the company may read."""
    return _listed(session, reader_id, before, visibility.open_post())


def by(session: Session, reader_id: int, account: Account, before: int = NEWEST) -> Feed:
    """What a person wrote or repeated, or what was written in a group, as far as the reader may read it."""
    return _listed(session, reader_id, before, by_account(account), Post.visibility != "direct")


def tagged(session: Session, reader_id: int, tag: str, before: int = NEWEST) -> Feed:
    return _listed(session, reader_id, before, by_tag(tag), Post.visibility != "direct")


def _listed(session: Session, reader_id: int, before: int, *of: ColumnElement[bool]) -> Feed:
    ids = select(Post.id).where(Post.id < before, readable_by(reader_id), *of).order_by(Post.id.desc())
    return _page(session, reader_id, session.scalars(ids.limit(PAGE + 1)).all(), PAGE)


def _page(session: Session, reader_id: int, candidates: Sequence[int], most: int) -> Feed:
    readable = _readable(session, reader_id, candidates)
    shown = [each for each in candidates if each in readable]
    items = feed_items.load(session, reader_id, shown[:most])
    return Feed(items, shown[most - 1] if len(shown) > most else None)


def _readable(session: Session, reader_id: int, post_ids: Sequence[int]) -> set[int]:
    if not post_ids:
        return set()
    return set(session.scalars(select(Post.id).where(Post.id.in_(post_ids), readable_by(reader_id))))


# The newest of each source, then the rest of those sources that can still be among the newest: a reader of 500 people
# costs 500 looks into an index, however many updates there are. What somebody muted wrote is left out.
HOME: Final = text("""
    WITH people AS (
        SELECT f.account_id AS id FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
        WHERE f.follower_id = :reader AND a.kind = 'person'
          AND NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = :reader AND s.other_id = f.account_id)
        UNION ALL SELECT CAST(:reader AS bigint)
    ), groups AS (
        SELECT f.account_id AS id FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
        WHERE f.follower_id = :reader AND a.kind = 'group'
    ), writers AS (
        SELECT p.id, newest.post FROM people p, LATERAL (
            SELECT id AS post FROM posts WHERE author_id = p.id AND id < :before AND deleted_at IS NULL
              AND (visibility = 'company' OR (visibility = 'group' AND p.id = :reader)) ORDER BY id DESC LIMIT 1) newest
        ORDER BY newest.post DESC LIMIT :most
    ), found AS (
        SELECT each.post FROM writers w, LATERAL (
            SELECT id AS post FROM posts WHERE author_id = w.id AND id < :before AND deleted_at IS NULL
              AND (visibility = 'company' OR (visibility = 'group' AND w.id = :reader))
            ORDER BY id DESC LIMIT :most) each
        UNION
        SELECT each.post FROM groups g, LATERAL (
            SELECT id AS post FROM posts WHERE group_id = g.id AND id < :before AND deleted_at IS NULL
              AND visibility = 'group' ORDER BY id DESC LIMIT :most) each
        UNION
        SELECT each.post FROM topic_follows_in_force f JOIN topics t ON t.id = f.topic_id, LATERAL (
            SELECT post_id AS post FROM tags WHERE tag = t.tag AND post_id < :before
            ORDER BY post_id DESC LIMIT :most) each
        WHERE f.follower_id = :reader
        UNION
        (SELECT post_id FROM mentions WHERE account_id = :reader AND post_id < :before
         ORDER BY post_id DESC LIMIT :most)
    )
    SELECT found.post FROM found JOIN posts p ON p.id = found.post
    WHERE p.visibility <> 'direct' AND p.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = :reader AND s.other_id = p.author_id)
    ORDER BY found.post DESC LIMIT :most
""")
