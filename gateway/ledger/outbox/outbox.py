"""The outbox: one message, and one delivery for each address, from its commit to its end.

Handlers `put` messages. Then come claims (a worker sends them), settlements (how a try ended),
attempts (what the carrier calls back), in_doubt (texts in doubt). The states of a delivery:

    queued ─► sending ─► sent ─► delivered         sent is an end too: a carrier need not call back
                │  ▲       └───► failed
                │  └─ retry ◄─┘                    retry: at not_before, until give_up_at
                ├─► unknown ─► sent | retry        looked for at not_before; after ten minutes it stays as it is
                ├─► failed | cancelled
                └─► held ─► queued | sent | cancelled   held: it waits for its reader (held.py); sent: by a digest

A row is open until ended_at is set. Only callbacks still move an ended row, and only forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from gateway.store.channel_sql import gives_up_after
from gateway.store.tables import Delivery


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
class OwnMessage:
    """A message to one address, which nobody else gets. Its id was made beforehand, for its words may name it. The
    words of a digest are put together when it leaves."""

    message_id: int
    address_id: int
    priority: int
    subject: str = ""
    body: str = ""


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
    return int(session.scalar(PUT, values | _rows(message, to, not_before or timedelta(0))) or 0)


def put_own(session: Session, kind: str, messages: Sequence[OwnMessage], lane: int) -> None:
    """Queues many messages at once, each for one address. `lane`: the author_id of their deliveries."""
    given = {
        "messages": [each.message_id for each in messages],
        "addresses": [each.address_id for each in messages],
        "priorities": [each.priority for each in messages],
        "subjects": [each.subject for each in messages],
        "bodies": [each.body for each in messages],
        "kind": kind,
        "lane": lane,
    }
    session.execute(PUT_OWN, given)
    session.execute(PUT_OWN_DELIVERIES, given)


def put_sent(session: Session, message: Outgoing, to: Target, ago: timedelta) -> int:
    """Writes a message as one that was sent so long ago. `critter explain` makes up what somebody got last with it."""
    message_id = put(session, message, [to])
    mine = update(Delivery).where(Delivery.message_id == message_id)
    then = func.now() - ago
    session.execute(mine.values(state="sent", sent_at=then, ended_at=then, give_up_at=then))
    return message_id


def _rows(message: Outgoing, to: Sequence[Target], delay: timedelta) -> dict[str, object]:
    return {
        "author": message.author_id or 0,
        "delay": delay,
        "addresses": [target.address_id for target in to],
        "channels": [target.channel for target in to],
        "sources": [target.source_id for target in to],
    }


# One statement, because every answer makes these rows.
PUT: Final = text(f"""
    WITH message AS (
        INSERT INTO messages (kind, text, subject, body, author_id, post_id, inbound_id, priority, must_arrive, quotes)
        VALUES (:kind, :text, :subject, :body, :author_id, :post_id, :inbound_id, :priority, :must_arrive,
                CAST(:quotes AS bigint[]))
        RETURNING id
    ), made AS (
        INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, sender_id, priority, not_before,
                                give_up_at)
        SELECT message.id, target.address_id, :author, target.source_id, target.channel, coalesce(a.sender_id, 0),
               :priority, now() + :delay, now() + :delay + {gives_up_after("target.channel")}
        FROM message, unnest(CAST(:addresses AS bigint[]), CAST(:channels AS text[]), CAST(:sources AS bigint[]))
                      AS target (address_id, channel, source_id)
        JOIN addresses a ON a.id = target.address_id
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM message
""")  # noqa: S608

PUT_OWN: Final = text("""
    INSERT INTO messages (id, kind, priority, text, subject, body)
    SELECT id, :kind, priority, subject, subject, body
    FROM unnest(CAST(:messages AS bigint[]), CAST(:priorities AS smallint[]), CAST(:subjects AS text[]),
                CAST(:bodies AS text[])) AS m (id, priority, subject, body)
""")

PUT_OWN_DELIVERIES: Final = text(f"""
    INSERT INTO deliveries (message_id, address_id, channel, sender_id, author_id, priority, give_up_at)
    SELECT given.message_id, a.id, a.channel, coalesce(a.sender_id, 0), :lane, given.priority,
           now() + {gives_up_after("a.channel")}
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:priorities AS smallint[]))
         AS given (message_id, address_id, priority)
    JOIN addresses a ON a.id = given.address_id
""")  # noqa: S608
