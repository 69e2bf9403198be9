"""Texts that may or may not have left: looked for in the carrier's own list until they are found, proved absent, or
too old to know. Called by workers/reconcile; a status callback may settle one before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger import budgets
from gateway.ledger.claims import Claimed

PATIENCE: Final = timedelta(minutes=10)


class Unknown(NamedTuple):
    """One delivery whose last attempt is in doubt, when that attempt was begun, and the carrier that may have it."""

    claimed: Claimed
    started_at: datetime
    carrier: str


def due(session: Session, limit: int, hold: timedelta) -> list[Unknown]:
    """The oldest that may be looked for now. Nobody else gets them for the time of `hold`."""
    rows = session.execute(DUE, {"limit": limit, "hold": hold}).all()
    return [Unknown(Claimed(*row[:10]), row.started_at, row.carrier) for row in rows]


def known(session: Session, carrier_ids: Sequence[str]) -> set[str]:
    """Those of the carrier's ids that belong to an attempt already."""
    return set(session.scalars(KNOWN, {"ids": list(carrier_ids)}))


def absent(session: Session, attempt_ids: Sequence[int]) -> None:
    """A complete list does not have them: they go again, marked as possible duplicates, and cost nothing so far."""
    budgets.refund(session, session.scalars(ABSENT, {"ids": list(attempt_ids)}).all())


def put_off(session: Session, attempt_ids: Sequence[int], wait: timedelta) -> None:
    """No list could be had: looked for again after `wait`, unless they are too old."""
    session.execute(PUT_OFF, {"ids": list(attempt_ids), "wait": wait})


def give_up(session: Session) -> int:
    """Ends the look for those in doubt too long. They stay unknown and are not sent again, except once what must
    arrive. How many."""
    return len(session.execute(GIVE_UP, {"patience": PATIENCE}).all())


DUE: Final = text("""
    WITH due AS MATERIALIZED (
        SELECT message_id, address_id FROM deliveries
        WHERE state = 'unknown' AND ended_at IS NULL AND channel = 'sms' AND not_before <= now()
          AND not_before <> created_at
        ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED
    ), held AS (
        UPDATE deliveries d SET not_before = now() + :hold
        FROM due WHERE d.message_id = due.message_id AND d.address_id = due.address_id
        RETURNING d.message_id, d.address_id, d.attempt, d.tag, d.possible_duplicate, d.introduces,
                  d.sender_id
    )
    SELECT a.id, held.message_id, held.address_id, held.attempt, addresses.address, held.tag, held.possible_duplicate,
           NULL AS source_id, NULL AS source,
           CASE WHEN held.introduces THEN coalesce(
               (SELECT language FROM accounts WHERE id = addresses.account_id), 'en') END AS introduces, a.started_at,
           coalesce((SELECT carrier FROM senders WHERE id = held.sender_id), 'twilio') AS carrier
    FROM held
    JOIN attempts a ON a.message_id = held.message_id AND a.address_id = held.address_id AND a.number = held.attempt
    JOIN addresses ON addresses.id = held.address_id
    ORDER BY a.started_at, a.id
""")

KNOWN: Final = text("SELECT carrier_id FROM attempts WHERE carrier_id = ANY (CAST(:ids AS text[]))")

# A row whose worker was lost keeps that reason: it goes alone.
ABSENT: Final = text("""
    UPDATE deliveries d
    SET state = 'retry', possible_duplicate = true, not_before = now(),
        reason = CASE d.reason WHEN 'crash' THEN 'crash' ELSE 'absent' END
    FROM attempts a
    WHERE a.id = ANY (CAST(:ids AS bigint[])) AND a.state = 'unknown'
      AND d.message_id = a.message_id AND d.address_id = a.address_id AND d.attempt = a.number
      AND d.state = 'unknown' AND d.ended_at IS NULL
    RETURNING a.id
""")

PUT_OFF: Final = text("""
    UPDATE deliveries d SET not_before = now() + :wait
    FROM attempts a
    WHERE a.id = ANY (CAST(:ids AS bigint[])) AND d.message_id = a.message_id AND d.address_id = a.address_id
      AND d.attempt = a.number AND d.state = 'unknown' AND d.ended_at IS NULL
""")

GIVE_UP: Final = text("""
    UPDATE deliveries d
    SET state = CASE WHEN m.must_arrive AND NOT d.possible_duplicate THEN 'retry' ELSE 'unknown' END,
        possible_duplicate = d.possible_duplicate OR m.must_arrive, not_before = now(),
        ended_at = CASE WHEN m.must_arrive AND NOT d.possible_duplicate THEN NULL ELSE now() END
    FROM attempts a, messages m
    WHERE d.state = 'unknown' AND d.ended_at IS NULL AND d.not_before <> d.created_at AND m.id = d.message_id
      AND a.message_id = d.message_id AND a.address_id = d.address_id AND a.number = d.attempt
      AND a.started_at < now() - CAST(:patience AS interval)
    RETURNING d.message_id
""")
