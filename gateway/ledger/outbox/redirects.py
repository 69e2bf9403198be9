"""Texts that go by mail, because their reader prefers mails by now: the delivery to the phone ends as `redirected`, and
the same message gets one to the mailbox. A message and an address have one row, so it cannot come back.

network/audience/delivery_decisions.py and network/digests/wake_up.py call it when they have ended the delivery, in the
same transaction.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.ledger.outbox.claims import Key
from gateway.store.arrays import numbers
from gateway.store.channel_sql import gives_up_after

REDIRECTED: Final = "redirected"  # the reason of the delivery that ends


def put(session: Session, mailboxes: Mapping[Key, int]) -> int:
    """Makes the deliveries to these mailboxes. Returns how many are new: where another worker had the text in hand
    after all, so that it did not end for this reason, nothing is made."""
    if not mailboxes:
        return 0
    given = {
        "messages": numbers(message for message, _ in mailboxes),
        "addresses": numbers(address for _, address in mailboxes),
        "mailboxes": numbers(mailboxes.values()),
        "reason": REDIRECTED,
    }
    return len(session.execute(PUT, given).all())


PUT: Final = text(f"""
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT d.message_id, given.mailbox_id, d.author_id, d.source_id, '{EMAIL}', d.priority,
           now() + {gives_up_after(f"'{EMAIL}'")}
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:mailboxes AS bigint[]))
         AS given (message_id, address_id, mailbox_id)
    JOIN deliveries d USING (message_id, address_id)
    WHERE d.state = 'cancelled' AND d.reason = :reason
    ON CONFLICT DO NOTHING
    RETURNING message_id
""")  # noqa: S608 - put together from constants
