"""What a phone or mailbox has on its screen: what went to it, and what its owner wrote from it. Reactions quote it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.language.reactions.quote_match import quotes
from gateway.store.tables import Address, Post

QUOTABLE = 200  # items back; nobody quotes an older one without scrolling far


@dataclass(frozen=True, slots=True)
class Quoted:
    """Something that was on the screen; `post_id` is None for an answer of ours and for a command."""

    post_id: int | None


def find(session: Session, address: Address, quote: str) -> Quoted | None:
    """The newest thing on that screen whose words these are, or which begins with them; None when there is none."""
    for row in _screen(session, address):
        if any(words and quotes(words, quote) for words in (row.shown, row.words)):
            return Quoted(row.post_id)
    return None


def post(session: Session, address: Address, quote: str) -> Post | None:
    """The post whose words these are, while it exists."""
    found = find(session, address, quote)
    item = session.get(Post, found.post_id) if found and found.post_id else None
    return item if item and item.deleted_at is None else None


def _screen(session: Session, address: Address) -> Iterator[Row[tuple[int | None, str, str | None]]]:
    values = {"address": address.id, "channel": address.channel, "sender": address.address, "most": QUOTABLE}
    yield from session.execute(_RECEIVED, values)
    yield from session.execute(_WRITTEN, values)


_RECEIVED: Final = text("""
    SELECT item.id AS post_id, copy.text AS shown, item.text AS words
    FROM deliveries sent JOIN messages copy ON copy.id = sent.message_id LEFT JOIN posts item ON item.id = copy.post_id
    WHERE sent.address_id = :address AND sent.state IN ('sending', 'sent', 'delivered', 'unknown')
    ORDER BY sent.message_id DESC LIMIT :most
""")
_WRITTEN: Final = text("""
    SELECT item.id AS post_id, said.text AS shown, item.text AS words
    FROM (SELECT id, text FROM inbound WHERE channel = :channel AND sender = :sender AND state NOT IN ('new', 'working')
          ORDER BY id DESC LIMIT :most) said
    LEFT JOIN actions done ON done.inbound_id = said.id
    LEFT JOIN effects made ON made.action_id = done.id AND made.kind = 'post'
    LEFT JOIN posts item ON item.id = made.subject_id
    ORDER BY said.id DESC
""")
