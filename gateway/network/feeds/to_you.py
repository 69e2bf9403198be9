"""What is to somebody: who named or answered them, liked or repeated what they wrote, began to follow them, or asks to
join a group of theirs. Pages show the newest; apps ask for it by ranges of ids, and with what is private."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.network.feeds import feed_items
from gateway.network.feeds.conditions import blocked, silenced
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.web import read_marks
from gateway.store.id_range import IdRange
from gateway.store.tables import DismissedNotice

PAGE: Final = 60
SPAN: Final = "30 days"
NEWEST: Final = 2**63 - 1
KINDS: Final = ("mention", "reply", "private", "like", "repeat", "follow", "nudge", "request")
SHOWN: Final = ("mention", "reply", "like", "repeat", "follow", "nudge", "request")  # on the page


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind`: mention, reply, private, like, repeat, follow, nudge, request. `key`: its id, made of when it happened.
    `item`: the update that it is about; of a mention or reply, that itself. `group`: of a request. `others`: how many
    more like the same update."""

    kind: str
    at: datetime
    handle: str
    name: str
    account_id: int
    post_id: int | None
    group: str | None
    item: FeedItem | None = None
    key: int = 0
    others: int = 0

    @property
    def id(self) -> int:
        return self.account_id


@dataclass(frozen=True, slots=True)
class NoticePage:
    """`more`: there may be others beyond the end at which it was cut."""

    notices: Sequence[Notice]
    more: bool


def list_notices(session: Session, reader_id: int, kinds: Collection[str] = SHOWN) -> Sequence[Notice]:
    """The newest first; `kinds`: only these. What the reader may not read any more is left out, and so is everybody
    whom they muted."""
    given = {"me": reader_id, "most": PAGE, "kinds": list(kinds), "above": 0, "below": NEWEST}
    return _likes_together(_notices(session, reader_id, session.execute(NEWEST_FIRST, given).all()))


def _likes_together(notices: Sequence[Notice]) -> Sequence[Notice]:
    """Several likes of one update stand together, at the newest."""
    likes = Counter(each.post_id for each in notices if each.kind == "like")
    first = {each.post_id: each for each in reversed(notices) if each.kind == "like"}
    return [
        replace(each, others=likes[each.post_id] - 1) if each.kind == "like" else each
        for each in notices
        if each.kind != "like" or each is first[each.post_id]
    ]


def page(session: Session, reader_id: int, asked: IdRange, kinds: Collection[str] = KINDS) -> NoticePage:
    """The same by ranges of keys, without what was dismissed."""
    cleared = read_marks.read(session, reader_id, [read_marks.CLEARED]).get(read_marks.CLEARED, 0)
    given = {
        "me": reader_id, "most": asked.limit, "kinds": list(kinds),
        "above": max(asked.above or 0, asked.next_above or 0, cleared),
        "below": asked.below if asked.below is not None else NEWEST,
    }  # fmt: skip
    statement = NEWEST_FIRST if asked.next_above is None else OLDEST_FIRST
    rows = list(session.execute(statement, given).all())
    return NoticePage(_notices(session, reader_id, asked.newest_first(rows)), len(rows) >= asked.limit)


def find(session: Session, reader_id: int, key: int) -> Notice | None:
    """One of them by its key; None when there is none, or it was dismissed."""
    found = page(session, reader_id, IdRange(below=key + 1, above=key - 1, limit=1)).notices
    return found[0] if found else None


def dismiss(session: Session, account_id: int, key: int) -> None:
    row = insert(DismissedNotice).values(account_id=account_id, id=key)
    session.execute(row.on_conflict_do_nothing())


def _notices(session: Session, reader_id: int, rows: Sequence[Any]) -> list[Notice]:
    ids = [row.post_id for row in rows if row.post_id]
    items = {item.id: item for item in feed_items.load(session, reader_id, ids, receipts=False)}
    return [
        Notice(
            row.kind, row.at, row.handle, row.name, row.account_id, row.post_id, row.in_group, items.get(row.post_id),
            row.key,
        )
        for row in rows
        if row.post_id is None or row.post_id in items
    ]  # fmt: skip


def _statement(order: str) -> TextClause:
    """What has no id of its own gets one of the time and of whom it is from."""
    return text(f"""
        WITH since AS (SELECT greatest(:above, id_at(now() - interval '{SPAN}')) AS id,
                              now() - interval '{SPAN}' AS at),
        own AS (SELECT p.id FROM posts p WHERE p.author_id = :me AND p.id > id_at(now() - interval '{SPAN}')
                AND p.deleted_at IS NULL AND p.repeat_of IS NULL),
        found AS (
            (SELECT CASE WHEN parent.author_id = :me THEN 'reply' ELSE 'mention' END AS kind, p.created_at AS at,
                    p.author_id AS who, p.id AS post_id, CAST(NULL AS bigint) AS group_id, p.id AS key
             FROM since, mentions m JOIN posts p ON p.id = m.post_id LEFT JOIN posts parent ON parent.id = p.in_reply_to
             WHERE m.account_id = :me AND m.post_id > since.id AND m.post_id < :below AND p.visibility <> 'direct'
               AND p.deleted_at IS NULL
             ORDER BY m.post_id {order} LIMIT :most)
            UNION
            (SELECT 'reply', p.created_at, p.author_id, p.id, NULL, p.id
             FROM since, own JOIN posts p ON p.in_reply_to = own.id
             WHERE p.visibility <> 'direct' AND p.deleted_at IS NULL AND p.id > since.id AND p.id < :below
             ORDER BY p.id {order} LIMIT :most)
            UNION ALL
            (SELECT 'private', p.created_at, p.author_id, p.id, NULL, p.id
             FROM since, post_recipients r JOIN posts p ON p.id = r.post_id
             WHERE r.account_id = :me AND r.post_id > since.id AND r.post_id < :below AND p.deleted_at IS NULL
             ORDER BY r.post_id {order} LIMIT :most)
            UNION ALL
            (SELECT * FROM (
                SELECT 'like', min(r.created_at), r.account_id, r.post_id, CAST(NULL AS bigint),
                       {_key("min(r.created_at)", "r.account_id # r.post_id")} AS key
                FROM own JOIN reactions r ON r.post_id = own.id GROUP BY r.account_id, r.post_id) AS liked
             WHERE key > :above AND key < :below ORDER BY key {order} LIMIT :most)
            UNION ALL
            (SELECT 'repeat', p.created_at, p.author_id, p.repeat_of, NULL, p.id
             FROM since, own JOIN posts p ON p.repeat_of = own.id
             WHERE p.deleted_at IS NULL AND p.id > since.id AND p.id < :below ORDER BY p.id {order} LIMIT :most)
            UNION ALL
            (SELECT * FROM (
                SELECT 'follow', f.created_at, f.follower_id, CAST(NULL AS bigint), CAST(NULL AS bigint),
                       {_key("f.created_at", "f.follower_id")} AS key
                FROM since, follows f
                WHERE f.account_id = :me AND f.state = 'active' AND f.created_at > since.at) AS followed
             WHERE key > :above AND key < :below ORDER BY key {order} LIMIT :most)
            UNION ALL
            (SELECT 'nudge', n.created_at, n.account_id, NULL, NULL, {_key("n.created_at", "n.account_id")}
             FROM since, nudges n WHERE n.other_id = :me AND n.created_at > since.at)
            UNION ALL
            (SELECT 'request', f.created_at, f.follower_id, NULL, f.account_id,
                    {_key("f.created_at", "f.follower_id # f.account_id")}
             FROM follows f JOIN follows_in_force o ON o.account_id = f.account_id
             WHERE f.state = 'requested' AND o.follower_id = :me AND o.role = 'owner')
        )
        SELECT found.kind, found.at, a.handle, a.name, a.id AS account_id, found.post_id, g.handle AS in_group,
               found.key
        FROM found JOIN accounts a ON a.id = found.who LEFT JOIN accounts g ON g.id = found.group_id
        WHERE found.who <> :me AND a.state = 'active' AND found.key > :above AND found.key < :below
          AND found.kind = ANY (CAST(:kinds AS text[]))
          AND NOT {silenced(":me", "found.who")} AND NOT {blocked(":me", "found.who")}
          AND NOT EXISTS (SELECT FROM dismissed_notices d WHERE d.account_id = :me AND d.id = found.key)
        ORDER BY found.key {order} LIMIT :most
    """)  # noqa: S608 - put together from constants


def _key(at: str, of: str) -> str:
    return f"(id_at({at}) | (({of}) & 65535))"


NEWEST_FIRST: Final = _statement("DESC")
OLDEST_FIRST: Final = _statement("ASC")
