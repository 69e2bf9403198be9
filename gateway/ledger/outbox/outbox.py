"""The outbox: one message, and one delivery for each address, from its commit to its end.

Handlers `put` messages. Then come claims (a worker sends them), settlements (how a try ended),
attempts (what the carrier calls back), in_doubt (texts in doubt). The states of a delivery:

    queued ─► sending ─► sent ─► delivered         sent is an end too: a carrier need not call back
                │  ▲       └───► failed
                │  └─ retry ◄─┘                    retry: at not_before, until give_up_at
                ├─► unknown ─► sent | retry        looked for at not_before; after ten minutes it stays as it is
                └─► failed | cancelled

A row is open until ended_at is set. Only callbacks still move an ended row, and only forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Message

SMS_GIVES_UP: Final = timedelta(hours=4)
MAIL_GIVES_UP: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message before it has an id. `text` is for phones; `subject` and `body` for mailboxes."""

    kind: str  # update, answer, notice, code
    text: str
    subject: str
    body: str
    author_id: int | None = None
    post_id: int | None = None
    inbound_id: int | None = None
    priority: int = 5
    must_arrive: bool = False
    quotes: tuple[int, ...] | None = None  # posts whose words are in it; it leaves only while its reader may read them


@dataclass(frozen=True, slots=True)
class Target:
    """One address that a message goes to; `source_id` is the account whose follow brings it, if one does."""

    address_id: int
    channel: str
    source_id: int | None = None


def put(session: Session, message: Outgoing, to: Sequence[Target], not_before: timedelta | None = None) -> int:
    """Queues a message for these addresses, and returns its id. An address given twice gets it once."""
    values = {name: getattr(message, name) for name in Outgoing.__slots__}
    values["quotes"] = list(message.quotes) if message.quotes else None
    message_id = session.scalars(insert(Message).values(values).returning(Message.id)).one()
    if to:
        session.execute(PUT, _rows(message_id, message, to, not_before or timedelta(0)))
    return message_id


def _rows(message_id: int, message: Outgoing, to: Sequence[Target], delay: timedelta) -> dict[str, object]:
    return {
        "message": message_id,
        "author": message.author_id or 0,
        "priority": message.priority,
        "delay": delay,
        "addresses": [target.address_id for target in to],
        "channels": [target.channel for target in to],
        "sources": [target.source_id for target in to],
        "sms": SMS_GIVES_UP,
        "mail": MAIL_GIVES_UP,
    }


PUT: Final = text("""
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, sender_id, priority, not_before,
                            give_up_at)
    SELECT :message, address_id, :author, source_id, target.channel, coalesce(a.sender_id, 0), :priority,
           now() + :delay, now() + :delay + CASE target.channel WHEN 'sms' THEN CAST(:sms AS interval) ELSE :mail END
    FROM unnest(CAST(:addresses AS bigint[]), CAST(:channels AS text[]), CAST(:sources AS bigint[]))
         AS target (address_id, channel, source_id)
    JOIN addresses a ON a.id = target.address_id
    ON CONFLICT DO NOTHING
""")
