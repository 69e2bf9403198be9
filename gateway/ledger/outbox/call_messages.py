"""The messages of a call to a group: its post to everybody who is asked, at once, and the copies that later steps send.

network/calls says who is asked, and who gets which copy. A call is not fanned out chunk by chunk: its deliveries commit
together with the rows of those who are asked, so that nobody is asked without being told.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import fanouts
from gateway.store.arrays import numbers
from gateway.store.channel_sql import gives_up_after
from gateway.store.tables import Fanout

PRIORITY: Final = 0  # it overtakes whatever of its author is stuck on the way to the same phone
AGAIN: Final = "once more"  # the note of the copies to other phones, whose words say that they were not answered
_EVERYBODY: Final = 2**63 - 1


class CallCopy(NamedTuple):
    """One copy of a call to one address. `note`: the sentence that its mail ends with, or AGAIN for a text."""

    post_id: int
    address_id: int
    note: str


def mark_urgent(session: Session, post_id: int) -> int:
    """Makes the message of a post urgent, before anybody has it; returns its id."""
    message_id: int = session.execute(MARK_URGENT, {"post": post_id, "priority": PRIORITY}).scalar_one()
    return message_id


def tell_all(session: Session, message_id: int, group_id: int, recipients: str) -> None:
    """Makes the deliveries of a post to a group, and its fan-out is done. `recipients`: a query of whom it goes to,
    with the columns of deliveries.insert_for; it may use :post."""
    of_group = select(Fanout).where(Fanout.message_id == message_id, Fanout.source_id == group_id)
    fanout = session.scalars(of_group.with_for_update()).one()
    priority = fanouts.priority(session, fanout)
    audience = f"WITH recipients AS ({recipients}), bound AS (SELECT CAST({_EVERYBODY} AS bigint) AS upto)"
    expanded = fanouts.expand(session, fanouts.expansion(audience), fanout, priority, 0)
    fanouts.advance(session, fanout, expanded, done=True)


def put_copies(session: Session, copies: Sequence[CallCopy]) -> None:
    """Queues copies of the first message of their posts. Equal copies of one post are one message."""
    if not copies:
        return
    pairs = sorted({(one.post_id, one.note) for one in copies})
    given = {"posts": numbers(post for post, _ in pairs), "notes": [note for _, note in pairs]}
    session.execute(COPY, given | {"again": AGAIN})
    rows = {
        "posts": numbers(one.post_id for one in copies),
        "addresses": numbers(one.address_id for one in copies),
        "notes": [one.note for one in copies],
    }
    session.execute(PUT, rows)


def close_answered(session: Session, post_id: int, account_id: int) -> None:
    """Nothing more of this call is sent to somebody who has answered it. What is on its way may arrive, and is not
    tried again."""
    given = {"post": post_id, "account": account_id}
    session.execute(CANCEL, given)
    session.execute(LAST_TRY, given)


MARK_URGENT: Final = text("""
    UPDATE messages SET priority = :priority, must_arrive = true
    WHERE post_id = :post AND kind = 'update' AND instead_of IS NULL RETURNING id
""")

_FIRST: Final = "m.post_id = given.post_id AND m.kind = 'update' AND m.instead_of IS NULL"

COPY: Final = text(f"""
    INSERT INTO messages (kind, author_id, post_id, inbound_id, priority, must_arrive, text, subject, body,
                          instead_of, note)
    SELECT m.kind, m.author_id, m.post_id, m.inbound_id, m.priority, m.must_arrive,
           m.text, m.subject,
           CASE given.note WHEN :again THEN m.body ELSE m.body || E'\\n\\n' || given.note END, m.id, given.note
    FROM unnest(CAST(:posts AS bigint[]), CAST(:notes AS text[])) AS given (post_id, note)
    JOIN messages m ON {_FIRST}
    ON CONFLICT (instead_of, note) WHERE instead_of IS NOT NULL DO NOTHING
""")  # noqa: S608

PUT: Final = text(f"""
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, sender_id, priority, give_up_at)
    SELECT copy.id, a.id, post.author_id, post.group_id, a.channel, coalesce(a.sender_id, 0), copy.priority,
           now() + {gives_up_after("a.channel")}
    FROM unnest(CAST(:posts AS bigint[]), CAST(:addresses AS bigint[]), CAST(:notes AS text[]))
         AS given (post_id, address_id, note)
    JOIN posts post ON post.id = given.post_id
    JOIN messages m ON {_FIRST}
    JOIN messages copy ON copy.instead_of = m.id AND copy.note = given.note
    JOIN addresses a ON a.id = given.address_id
    ON CONFLICT DO NOTHING
""")  # noqa: S608

_THEIRS: Final = """
    FROM messages m, addresses a
    WHERE m.post_id = :post AND d.message_id = m.id AND a.id = d.address_id AND a.account_id = :account
      AND d.ended_at IS NULL"""

CANCEL: Final = text(f"""
    UPDATE deliveries d SET state = 'cancelled', reason = 'answered', ended_at = now() {_THEIRS}
      AND d.state IN ('queued', 'retry')
""")  # noqa: S608

LAST_TRY: Final = text(f"""
    UPDATE deliveries d SET give_up_at = now() {_THEIRS} AND d.state IN ('sending', 'unknown')
""")  # noqa: S608
