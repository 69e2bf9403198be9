"""What there is to do anywhere, now and next: the clock asks once a second and rings for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Waiting:
    """The bells whose rows may be worked on now, and how long until more of them may; None when none waits."""

    bells: frozenset[str]
    next_in: timedelta | None


def look(session: Session) -> Waiting:
    """Rows that a worker has in hand are not waiting."""
    row = session.execute(LOOK).one()
    return Waiting(frozenset(name for name in BELLS if row._mapping[name]), row.next_in)


BELLS: Final = (
    "inbound",
    "proving",
    "fanout",
    "sms",
    "email",
    "receipts",
    "reconcile",
    "pictures",
    "tellings",
    "prices",
    "redact",
)

# Rows that never waited are not in the index that this goes by: not_before is when they were made.
LOOK: Final = text("""
    SELECT EXISTS (SELECT FROM inbound WHERE state = 'new' AND (not_before IS NULL OR not_before <= now())
                   OR state = 'working' AND lease_until < now()) AS inbound,
           EXISTS (SELECT FROM inbound WHERE state = 'unproved' AND (not_before IS NULL OR not_before <= now())
                   AND (lease_until IS NULL OR lease_until < now())) AS proving,
           EXISTS (SELECT FROM fanouts WHERE state = 'waiting' AND not_before <= now()) AS fanout,
           EXISTS (SELECT FROM deliveries WHERE channel = 'sms' AND ended_at IS NULL AND state IN ('queued', 'retry')
                   AND not_before <= now()) AS sms,
           EXISTS (SELECT FROM deliveries WHERE channel = 'email' AND ended_at IS NULL AND state IN ('queued', 'retry')
                   AND not_before <= now()) AS email,
           EXISTS (SELECT FROM callbacks WHERE applied_at IS NULL) AS receipts,
           EXISTS (SELECT FROM deliveries WHERE state = 'unknown' AND ended_at IS NULL
                   AND not_before <> created_at AND not_before <= now()) AS reconcile,
           EXISTS (SELECT FROM media WHERE state = 'new' AND not_before <= now()) AS pictures,
           EXISTS (SELECT FROM tellings WHERE told_at IS NULL AND due_at <= now()) AS tellings,
           EXISTS (SELECT FROM price_sweeps WHERE not_before <= now()) AS prices,
           EXISTS (SELECT FROM redactions WHERE not_before <= now()) AS redact,
           least((SELECT min(not_before) FROM fanouts WHERE state = 'waiting' AND not_before > now()),
                 (SELECT min(not_before) FROM deliveries WHERE ended_at IS NULL AND state IN ('queued', 'retry')
                  AND not_before <> created_at AND not_before > now()),
                 (SELECT min(not_before) FROM inbound WHERE state = 'new' AND not_before > now())) - now() AS next_in
""")
