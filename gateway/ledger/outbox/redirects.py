"""Texts that go by mail or by push, because their reader prefers that by now: the delivery to the phone ends as
`redirected`, and the same message gets one to the other address. A message and an address have one row, so it cannot
come back.

network/audience/delivery_decisions.py and network/digests/wake_up.py call it when they have ended the delivery, in the
same transaction.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.claims import Key
from gateway.store.arrays import numbers
from gateway.store.channel_sql import gives_up_after

REDIRECTED: Final = "redirected"  # the reason of the delivery that ends


def put(session: Session, places: Mapping[Key, int]) -> frozenset[str]:
    """Makes the deliveries to these addresses. Returns the channels of those that are new: where another worker had the
    text in hand after all, so that it did not end for this reason, nothing is made."""
    if not places:
        return frozenset()
    given = {
        "messages": numbers(message for message, _ in places),
        "addresses": numbers(address for _, address in places),
        "places": numbers(places.values()),
        "reason": REDIRECTED,
    }
    return frozenset(session.scalars(PUT, given))


PUT: Final = text(f"""
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
    SELECT d.message_id, place.id, d.author_id, d.source_id, place.channel, d.priority,
           now() + {gives_up_after("place.channel")}
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:places AS bigint[]))
         AS given (message_id, address_id, place_id)
    JOIN deliveries d USING (message_id, address_id)
    JOIN addresses place ON place.id = given.place_id
    WHERE d.state = 'cancelled' AND d.reason = :reason
    ON CONFLICT DO NOTHING
    RETURNING channel
""")  # noqa: S608 - put together from constants
