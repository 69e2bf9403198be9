"""Escalations: what leaves by push waits for its reader to see it, and goes to their phone as well when they have not.

Beside the push there is then a delivery to the phone that is held, and a row in `held`. A page that says what was seen
ends both (held_seen.py); else the wake-up sends the text. network/audience/delivery_decisions.py calls it in the
transaction that claims the push.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.ledger.outbox.claims import Key
from gateway.ledger.outbox.held import Hold
from gateway.ledger.outbox.redirects import REDIRECTED
from gateway.store.arrays import numbers
from gateway.store.channel_sql import gives_up_after


def put(session: Session, holds: Mapping[Key, Hold]) -> None:
    """`holds`: by the key of the push. Whoever has no phone gets the push alone. An item escalates once: a push that is
    tried again changes nothing."""
    if not holds:
        return
    given = {
        "messages": numbers(message for message, _ in holds),
        "addresses": numbers(address for _, address in holds),
        "causes": numbers(hold.cause for hold in holds.values()),
        "untils": [hold.until for hold in holds.values()],
    }
    session.execute(PUT, given)


# What was redirected from the phone to the devices has a delivery to the phone already, which is held now.
PUT: Final = text(f"""
    WITH phones AS (
        SELECT d.message_id, phone.id AS address_id, phone.account_id, d.author_id, d.source_id, d.priority,
               phone.sender_id, given.cause, given.until
        FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:causes AS smallint[]),
                    CAST(:untils AS timestamptz[])) AS given (message_id, address_id, cause, until)
        JOIN deliveries d USING (message_id, address_id)
        JOIN addresses devices ON devices.id = d.address_id
        JOIN addresses phone ON phone.account_id = devices.account_id AND phone.channel = '{SMS}'
         AND phone.is_primary AND phone.state = 'verified'
    ), waits AS (
        INSERT INTO held (message_id, account_id, address_id, author_id, source_id, cause, reason, until, delayed_until)
        SELECT message_id, account_id, address_id, author_id, source_id, cause, 'unseen', until, until FROM phones
        ON CONFLICT (message_id, account_id) DO UPDATE
        SET address_id = excluded.address_id, reason = excluded.reason, until = excluded.until, slot = NULL,
            state = 'waiting', why = NULL, digest_id = NULL, ended_at = NULL, delayed_until = excluded.delayed_until
        WHERE held.state = 'sent' AND held.delayed_until IS NULL
        RETURNING message_id, account_id
    )
    INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, sender_id, priority, state, ended_at,
                            give_up_at)
    SELECT phones.message_id, phones.address_id, phones.author_id, phones.source_id, '{SMS}',
           coalesce(phones.sender_id, 0), phones.priority, 'held', now(), now() + {gives_up_after(f"'{SMS}'")}
    FROM phones JOIN waits USING (message_id, account_id)
    ON CONFLICT (message_id, address_id) DO UPDATE SET state = 'held', reason = NULL, ended_at = now()
    WHERE deliveries.state = 'cancelled' AND deliveries.reason = '{REDIRECTED}'
""")  # noqa: S608 - put together from constants
