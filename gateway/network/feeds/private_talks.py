"""Private talks: who one writes with, and what was said with one of them. Only what the reader wrote or got is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds import feed_items
from gateway.network.feeds.conditions import blocked, waits
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.feeds.feeds import NEWEST, Feed
from gateway.store.id_range import IdRange

MOST: Final = 100  # talks
PAGE: Final = 40  # messages


@dataclass(frozen=True, slots=True)
class Talk:
    """With one person, or with all of a group to whom the reader wrote: the last words, and how many are unread."""

    account_id: int
    handle: str
    name: str
    kind: str
    last: str
    last_at: datetime
    mine: bool
    unread: int
    last_id: int

    @property
    def id(self) -> int:
        return self.account_id


@dataclass(frozen=True, slots=True)
class TalkPartner:
    """A person, or a group to which the reader wrote."""

    handle: str
    name: str
    kind: str


def list_talks(session: Session, reader_id: int) -> Sequence[Talk]:
    """The newest first."""
    return page(session, reader_id, IdRange(limit=MOST), hidden=True)


def page(session: Session, reader_id: int, asked: IdRange, *, hidden: bool = False) -> Sequence[Talk]:
    """By ranges of the ids of what was said last in them. `hidden`: also those that an app has taken out of its list,
    where nothing was said since."""
    given = {
        "me": reader_id, "most": asked.limit, "hidden": hidden, "above": max(asked.above or 0, asked.next_above or 0),
        "below": asked.below if asked.below is not None else NEWEST,
    }  # fmt: skip
    rows = session.execute(TALKS if asked.next_above is None else OLDEST_TALKS, given)
    return asked.newest_first([Talk(*row) for row in rows])


def find_talk(session: Session, reader_id: int, other_id: int) -> Talk | None:
    """With this person or group; None when nothing was said."""
    return next((each for each in list_talks(session, reader_id) if each.account_id == other_id), None)


def messages(session: Session, reader_id: int, other_id: int, before: int = NEWEST) -> Feed:
    """What was said with this person or group, the oldest first; `older` when there is more."""
    given = {"me": reader_id, "other": other_id, "before": before, "most": PAGE + 1}
    ids = session.scalars(MESSAGES, given).all()
    items: list[FeedItem] = feed_items.load(session, reader_id, ids[:PAGE])
    return Feed(items[::-1], ids[PAGE - 1] if len(ids) > PAGE else None)


def find_others(session: Session, reader_id: int, post_ids: Sequence[int]) -> Mapping[int, TalkPartner]:
    """Private message → with whom the talk is that it stands in, for this reader."""
    rows = session.execute(OTHERS, {"me": reader_id, "posts": list(post_ids)})
    return {row.post_id: TalkPartner(row.handle, row.name, row.kind) for row in rows}


OTHERS: Final = text("""
    SELECT p.id AS post_id, a.handle, a.name, a.kind FROM posts p
    JOIN accounts a ON a.id = CASE WHEN p.author_id = :me
        THEN (SELECT named_id FROM post_recipients WHERE post_id = p.id ORDER BY account_id LIMIT 1)
        ELSE p.author_id END
    WHERE p.id = ANY (CAST(:posts AS bigint[])) AND p.visibility = 'direct'
""")
# A message to several people stands in the talk with each of them; one to a group in the talk with that group.
_TALKS: Final = f"""
    WITH mine AS (
        SELECT DISTINCT p.id, r.named_id AS other, true AS mine FROM posts p JOIN post_recipients r ON r.post_id = p.id
        WHERE p.author_id = :me AND p.visibility = 'direct' AND p.deleted_at IS NULL
        UNION ALL
        SELECT p.id, p.author_id, false FROM post_recipients r JOIN posts p ON p.id = r.post_id
        WHERE r.account_id = :me AND p.author_id <> :me AND p.deleted_at IS NULL AND NOT {waits("p.id")}
          AND NOT {blocked(":me", "p.author_id")}
          AND NOT EXISTS (SELECT FROM accounts w WHERE w.id = p.author_id AND w.state = 'suspended')
    ), last AS (SELECT DISTINCT ON (other) other, id, mine FROM mine ORDER BY other, id DESC)
    SELECT a.id, a.handle, a.name, a.kind, p.text, p.created_at, last.mine,
           (SELECT count(*) FROM mine m WHERE m.other = last.other AND NOT m.mine AND m.id > coalesce(
                (SELECT upto FROM read_marks WHERE account_id = :me AND place = 'private:' || last.other),
                id_at(now() - interval '30 days'))) AS unread, last.id
    FROM last JOIN posts p ON p.id = last.id JOIN accounts a ON a.id = last.other
    WHERE last.id > :above AND last.id < :below AND (:hidden OR NOT EXISTS (
        SELECT FROM read_marks h WHERE h.account_id = :me AND h.place = 'hidden:' || last.other AND h.upto >= last.id))
    ORDER BY last.id {{order}} LIMIT :most
"""  # noqa: S608 - put together from constants
TALKS: Final = text(_TALKS.format(order="DESC"))
OLDEST_TALKS: Final = text(_TALKS.format(order="ASC"))
MESSAGES: Final = text("""
    SELECT id FROM (
        SELECT DISTINCT p.id FROM posts p JOIN post_recipients r ON r.post_id = p.id
        WHERE p.author_id = :me AND r.named_id = :other AND p.visibility = 'direct' AND p.deleted_at IS NULL
        UNION
        SELECT p.id FROM post_recipients r JOIN posts p ON p.id = r.post_id
        WHERE r.account_id = :me AND p.author_id = :other AND p.deleted_at IS NULL AND p.visibility = 'direct'
    ) AS said WHERE id < :before ORDER BY id DESC LIMIT :most
""")
