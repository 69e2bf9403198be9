"""The numbers that we text from, and which of them texts each phone: always the same one. workers/sending/number_pool
uses it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import email_fallback
from gateway.store.arrays import numbers

BATCH: Final = 1000  # phones that get their number in one step


class SendingNumber(NamedTuple):
    """One of our numbers, or a Messaging Service. `paused`: nothing may leave from it now."""

    id: int
    number: str
    carrier: str
    paused: bool


Choice = Callable[[str], int | None]  # the sender of a phone; None when nobody may text it


def sync(session: Session, configured: Sequence[tuple[str, str]]) -> None:
    """Makes the table agree with the settings, which give (number, carrier) of each. Phones and open texts of a number
    that is gone get another one when they next need it."""
    given = {"numbers": [one[0] for one in configured], "carriers": [one[1] for one in configured]}
    session.execute(KEEP, given)
    retired = numbers(session.scalars(RETIRE, given))
    session.execute(FREE_PHONES, {"retired": retired})
    session.execute(FREE_TEXTS, {"retired": retired})


def active(session: Session) -> list[SendingNumber]:
    """The active numbers, in the order in which they first appeared in the settings."""
    return [SendingNumber(*row) for row in session.execute(ACTIVE)]


def assign(session: Session, choose: Choice) -> None:
    """Assigns a number to phones that have none and have a text waiting; fails the texts that no number may send."""
    found = session.execute(UNASSIGNED, {"limit": BATCH}).all()
    if not found:
        return
    chosen = [(row.id, row.sender_id or choose(row.address)) for row in found]
    served = [(phone, sender) for phone, sender in chosen if sender is not None]
    pairs = {"phones": numbers(one[0] for one in served), "senders": numbers(one[1] for one in served)}
    session.execute(ASSIGN_PHONES, pairs)
    session.execute(ASSIGN_TEXTS, pairs)
    unserved = session.execute(UNROUTABLE, {"phones": numbers(phone for phone, sender in chosen if sender is None)})
    email_fallback.send_by_mail(session, [(row.message_id, row.address_id) for row in unserved.all()])


def pause(session: Session, number: str | None, carrier: str | None, wait: timedelta | None, reason: str) -> int:
    """Pauses this number, or all of a carrier, for that long; without `wait` until somebody resumes it. A longer pause
    stays. Returns how many numbers."""
    which = {"number": number, "carrier": carrier}
    return len(session.execute(PAUSE, {**which, "wait": wait, "reason": reason}).all())


def pause_of(session: Session, attempts: Sequence[int], wait: timedelta, reason: str) -> int:
    """Pauses for that long the numbers that these attempts left from; returns how many. A longer pause stays."""
    which = {"attempts": numbers(attempts), "wait": wait, "reason": reason}
    return len(session.execute(PAUSE_OF, which).all())


KEEP: Final = text("""
    INSERT INTO senders (number, carrier)
    SELECT * FROM unnest(CAST(:numbers AS text[]), CAST(:carriers AS text[]))
    ON CONFLICT (number) DO UPDATE SET carrier = excluded.carrier, state = 'active'
    WHERE (senders.carrier, senders.state) IS DISTINCT FROM (excluded.carrier, 'active')
""")

RETIRE: Final = text("""
    UPDATE senders SET state = 'retired'
    WHERE state = 'active' AND NOT number = ANY (CAST(:numbers AS text[])) RETURNING id
""")

FREE_PHONES: Final = text(
    "UPDATE addresses SET sender_id = NULL WHERE channel = 'sms' AND sender_id = ANY (CAST(:retired AS smallint[]))"
)

FREE_TEXTS: Final = text("""
    UPDATE deliveries SET sender_id = 0
    WHERE channel = 'sms' AND sender_id = ANY (CAST(:retired AS smallint[])) AND ended_at IS NULL
      AND state IN ('queued', 'retry')
""")

ACTIVE: Final = text("""
    SELECT id, number, carrier, coalesce(paused_until > now(), false) FROM senders WHERE state = 'active' ORDER BY id
""")

# The phone is locked, so that two workers do not assign two numbers to it.
UNASSIGNED: Final = text("""
    WITH due AS MATERIALIZED (
        SELECT address_id FROM deliveries
        WHERE channel = 'sms' AND sender_id = 0 AND ended_at IS NULL AND state IN ('queued', 'retry') LIMIT :limit
    )
    SELECT id, address, sender_id FROM addresses WHERE id IN (SELECT address_id FROM due)
    ORDER BY id FOR UPDATE SKIP LOCKED
""")

_PAIRS: Final = "unnest(CAST(:phones AS bigint[]), CAST(:senders AS smallint[])) AS given (phone, sender)"
# A number may have been retired since the worker read the list.
_ACTIVE: Final = "JOIN senders s ON s.id = given.sender AND s.state = 'active'"
ASSIGN_PHONES: Final = text(f"""
    UPDATE addresses SET sender_id = given.sender FROM {_PAIRS} {_ACTIVE}
    WHERE addresses.id = given.phone AND addresses.sender_id IS DISTINCT FROM given.sender
""")  # noqa: S608
ASSIGN_TEXTS: Final = text(f"""
    UPDATE deliveries d SET sender_id = given.sender FROM {_PAIRS} {_ACTIVE}
    WHERE d.address_id = given.phone AND d.channel = 'sms' AND d.sender_id = 0 AND d.ended_at IS NULL
      AND d.state IN ('queued', 'retry')
""")  # noqa: S608
UNROUTABLE: Final = text("""
    UPDATE deliveries SET state = 'failed', reason = 'no_route', ended_at = now()
    WHERE address_id = ANY (CAST(:phones AS bigint[])) AND channel = 'sms' AND sender_id = 0 AND ended_at IS NULL
      AND state IN ('queued', 'retry')
    RETURNING message_id, address_id
""")

PAUSE: Final = text("""
    UPDATE senders
    SET paused_until = greatest(paused_until, coalesce(now() + CAST(:wait AS interval), 'infinity')),
        reason = CASE WHEN paused_until > now() + CAST(:wait AS interval) THEN reason ELSE :reason END
    WHERE state = 'active' AND (number = :number OR carrier = :carrier) RETURNING id
""")

PAUSE_OF: Final = text("""
    UPDATE senders
    SET paused_until = greatest(paused_until, now() + CAST(:wait AS interval)), reason = :reason
    WHERE state = 'active' AND id IN (
        SELECT d.sender_id FROM attempts a JOIN deliveries d USING (message_id, address_id)
        WHERE a.id = ANY (CAST(:attempts AS bigint[])))
    RETURNING id
""")
