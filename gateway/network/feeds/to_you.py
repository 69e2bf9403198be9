"""What is to somebody: who named or answered them, liked or repeated what they wrote, began to follow them, or asks to
join a group of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds import feed_items
from gateway.network.feeds.conditions import silenced
from gateway.network.feeds.feed_items import FeedItem

PAGE: Final = 60
SPAN: Final = "30 days"


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind`: mention, reply, like, repeat, follow, nudge, request. `item`: the update that it is about; of a mention
    or reply, that itself. `group`: of a request."""

    kind: str
    at: datetime
    handle: str
    name: str
    account_id: int
    post_id: int | None
    group: str | None
    item: FeedItem | None = None

    @property
    def id(self) -> int:
        return self.account_id


def list_notices(session: Session, reader_id: int) -> Sequence[Notice]:
    """The newest first. What the reader may not read any more is left out, and so is everybody whom they muted."""
    rows = session.execute(NOTICES, {"me": reader_id, "most": PAGE}).all()
    items = {
        item.id: item for item in feed_items.load(session, reader_id, [row.post_id for row in rows if row.post_id])
    }
    return [
        Notice(
            row.kind, row.at, row.handle, row.name, row.account_id, row.post_id, row.in_group, items.get(row.post_id)
        )
        for row in rows
        if row.post_id is None or row.post_id in items
    ]


NOTICES: Final = text(f"""
    WITH since AS (SELECT id_at(now() - interval '{SPAN}') AS id, now() - interval '{SPAN}' AS at),
    own AS (SELECT p.id FROM posts p, since WHERE p.author_id = :me AND p.id > since.id AND p.deleted_at IS NULL
            AND p.repeat_of IS NULL),
    found AS (
        (SELECT CASE WHEN parent.author_id = :me THEN 'reply' ELSE 'mention' END AS kind, p.created_at AS at,
                p.author_id AS who, p.id AS post_id, CAST(NULL AS bigint) AS group_id
         FROM since, mentions m JOIN posts p ON p.id = m.post_id LEFT JOIN posts parent ON parent.id = p.in_reply_to
         WHERE m.account_id = :me AND m.post_id > since.id AND p.visibility <> 'direct' AND p.deleted_at IS NULL
         ORDER BY m.post_id DESC LIMIT :most)
        UNION
        (SELECT 'reply', p.created_at, p.author_id, p.id, NULL
         FROM own JOIN posts p ON p.in_reply_to = own.id
         WHERE p.visibility <> 'direct' AND p.deleted_at IS NULL ORDER BY p.id DESC LIMIT :most)
        UNION ALL
        (SELECT 'like', r.created_at, r.account_id, r.post_id, NULL
         FROM own JOIN reactions r ON r.post_id = own.id ORDER BY r.created_at DESC LIMIT :most)
        UNION ALL
        (SELECT 'repeat', p.created_at, p.author_id, p.repeat_of, NULL
         FROM own JOIN posts p ON p.repeat_of = own.id WHERE p.deleted_at IS NULL ORDER BY p.id DESC LIMIT :most)
        UNION ALL
        (SELECT 'follow', f.created_at, f.follower_id, NULL, NULL
         FROM since, follows f WHERE f.account_id = :me AND f.state = 'active' AND f.created_at > since.at
         ORDER BY f.created_at DESC LIMIT :most)
        UNION ALL
        (SELECT 'nudge', n.created_at, n.account_id, NULL, NULL
         FROM since, nudges n WHERE n.other_id = :me AND n.created_at > since.at)
        UNION ALL
        (SELECT 'request', f.created_at, f.follower_id, NULL, f.account_id
         FROM follows f JOIN follows_in_force o ON o.account_id = f.account_id
         WHERE f.state = 'requested' AND o.follower_id = :me AND o.role = 'owner')
    )
    SELECT found.kind, found.at, a.handle, a.name, a.id AS account_id, found.post_id, g.handle AS in_group
    FROM found JOIN accounts a ON a.id = found.who LEFT JOIN accounts g ON g.id = found.group_id
    WHERE found.who <> :me AND a.state = 'active'
      AND NOT {silenced(":me", "found.who")}
    ORDER BY found.at DESC LIMIT :most
""")  # noqa: S608 - put together from constants
