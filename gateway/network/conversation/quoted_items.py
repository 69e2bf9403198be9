"""What a phone or mailbox has on its screen: what went to it, and what its owner wrote from it. Reactions quote it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.language.reactions.quote_match import quotes
from gateway.network.calls import call_words
from gateway.store.tables import Address, Post

QUOTABLE = 200  # items back; nobody quotes an older one without scrolling far


@dataclass(frozen=True, slots=True)
class Quoted:
    """Something that was on the screen; `post_id` is None for an answer of ours and for a command."""

    post_id: int | None


def find(session: Session, address: Address, quote: str) -> Quoted | None:
    """The newest thing on that screen whose words these are, or which begins with them; None when there is none."""
    for item in _screen(session, address):
        if any(words and quotes(words, quote) for words in (item.shown, item.words)):
            return Quoted(item.post_id)
    return None


def post(session: Session, address: Address, quote: str) -> Post | None:
    """The post whose words these are, while it exists."""
    found = find(session, address, quote)
    item = session.get(Post, found.post_id) if found and found.post_id else None
    return item if item and item.deleted_at is None else None


class _Shown(NamedTuple):
    """`shown`: what stood there; `words`: those of its post, alone."""

    post_id: int | None
    shown: str
    words: str | None


def _screen(session: Session, address: Address) -> Iterator[_Shown]:
    values = {"address": address.id, "channel": address.channel, "sender": address.address, "most": QUOTABLE}
    received = session.execute(_RECEIVED, values).all()
    calls = [(row.message_id, address.id) for row in received if row.call]
    around = call_words.find(session, calls) if calls else {}
    for row in received:
        before, after = around.get((row.message_id, address.id), ("", ""))
        yield _Shown(row.post_id, f"{before}{row.shown}{after}", row.words)
    for row in session.execute(_WRITTEN, values):
        yield _Shown(*row)


_RECEIVED: Final = text("""
    SELECT item.id AS post_id, copy.text AS shown, item.text AS words, copy.id AS message_id, item.call
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
