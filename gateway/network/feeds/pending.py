"""The own update that has not left yet: what is written on the web waits a little, so that it can be taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.attention.planned_post import PlannedPost
from gateway.network.audience import post_preview


@dataclass(frozen=True, slots=True)
class PendingPost:
    """`seconds`: until it leaves, at `at`; `private`: it is a private message. `people`: whom it goes to, now or later;
    `phones`: those of them who get it as a text."""

    id: int
    at: datetime
    seconds: int
    private: bool
    people: int
    phones: int


def find(session: Session, author_id: int, hold: float) -> PendingPost | None:
    """The newest that still waits; None when there is none."""
    row = session.execute(PENDING, {"author": author_id, "hold": timedelta(seconds=hold)}).one_or_none()
    if row is None:
        return None
    found = post_preview.preview(session, _planned(author_id, row))
    people = round(found.now + found.later + found.digest)
    private = row.visibility == "direct"
    return PendingPost(row.id, row.at, max(1, round(row.seconds)), private, people, round(sum(found.phones.values())))


def _planned(author_id: int, row: Any) -> PlannedPost:
    """It is written, but none of its deliveries are made."""
    people = [(each["person"], each["named"]) for each in row.people]
    return PlannedPost(
        author_id, row.visibility, row.sources, row.group_id, row.in_reply_to, people, row.mentioned
    )  # fmt: skip


PENDING: Final = text("""
    SELECT p.id, p.created_at + :hold AS at, extract(epoch FROM p.created_at + :hold - now()) AS seconds,
           p.visibility, p.group_id, p.in_reply_to,
           ARRAY(SELECT DISTINCT source_id FROM fanouts WHERE post_id = p.id) AS sources,
           ARRAY(SELECT account_id FROM mentions WHERE post_id = p.id) AS mentioned,
           ARRAY(SELECT json_build_object('person', account_id, 'named', named_id)
                 FROM post_recipients WHERE post_id = p.id) AS people
    FROM posts p
    WHERE p.author_id = :author AND p.id >= id_at(now() - :hold) AND p.via = 'web' AND p.deleted_at IS NULL
      AND p.created_at + :hold > now()
    ORDER BY p.id DESC LIMIT 1
""")
