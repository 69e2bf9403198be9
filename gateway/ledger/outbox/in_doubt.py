"""Texts in doubt, which may or may not have left: they are looked for in the carrier's own list until they are found,
proved absent, or too old. workers/reconcile uses it; a status callback may settle a text earlier."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.money import charges
from gateway.ledger.outbox import digest_items

PATIENCE: Final = timedelta(minutes=10)


class Unknown(NamedTuple):
    """One delivery whose last attempt is in doubt, when that attempt began, and the carrier that may have it."""

    attempt_id: int
    address_id: int
    phone: str
    started_at: datetime
    carrier: str
    sender: str  # the number of ours, or the Messaging Service, that it was to leave from
    body_hash: bytes | None  # None: a process of an older version began it


class SeenMessage(NamedTuple):
    """One message of a carrier's list: the keyed hash of its words. `known`: an attempt has its carrier id already."""

    body_hash: bytes
    known: bool


def due(session: Session, limit: int, hold: timedelta) -> list[Unknown]:
    """Claims the oldest that may be looked for now. Nobody else gets them for the time of `hold`."""
    return [Unknown(*row) for row in session.execute(DUE, {"limit": limit, "hold": hold})]


def record_seen(session: Session, messages: Mapping[str, bytes]) -> dict[str, SeenMessage]:
    """`messages`: the carrier's id → the digest of the words, from its list. Returns the carrier's id → SeenMessage."""
    values = {"ids": list(messages), "digests": list(messages.values())}
    return {row.id: SeenMessage(row.body_hash, row.known) for row in session.execute(SEEN, values)}


def others(session: Session, doubtful: Sequence[Unknown]) -> list[tuple[int, bytes]]:
    """Address and hash of every other text to these phones that is on its way or in doubt: the list may show it,
    too."""
    values = {"ids": [one.attempt_id for one in doubtful], "addresses": [one.address_id for one in doubtful]}
    return [(row.address_id, row.body_hash) for row in session.execute(OTHERS, values)]


def record_absent(session: Session, attempt_ids: Sequence[int]) -> None:
    """Has these sent again, marked as possible duplicates, for a complete list does not have them. What they cost is
    refunded."""
    again = session.execute(ABSENT, {"ids": list(attempt_ids)}).all()
    charges.refund(session, [row.id for row in again])
    digest_items.reopen(session, [row.message_id for row in again])


def put_off(session: Session, attempt_ids: Sequence[int], wait: timedelta) -> None:
    """Has these looked for again after `wait`, unless they are too old by then: the list could not be read."""
    session.execute(PUT_OFF, {"ids": list(attempt_ids), "wait": wait})


def give_up(session: Session) -> int:
    """Gives up on those that are in doubt for too long. They stay unknown and are not sent again; only what must arrive
    is, once. Returns how many."""
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
        RETURNING d.message_id, d.address_id, d.attempt, d.sender_id
    )
    SELECT a.id, held.address_id, addresses.address, a.started_at, coalesce(senders.carrier, 'twilio'),
           coalesce(senders.number, ''), a.body_hash
    FROM held
    JOIN attempts a ON a.message_id = held.message_id AND a.address_id = held.address_id AND a.number = held.attempt
    JOIN addresses ON addresses.id = held.address_id
    LEFT JOIN senders ON senders.id = held.sender_id
    ORDER BY a.started_at, a.id
""")

SEEN: Final = text("""
    SELECT given.id, sha256((SELECT hash_key FROM installation) || given.digest) AS body_hash,
           EXISTS (SELECT FROM attempts WHERE carrier_id = given.id) AS known
    FROM unnest(CAST(:ids AS text[]), CAST(:digests AS bytea[])) AS given (id, digest)
""")

OTHERS: Final = text("""
    SELECT d.address_id, a.body_hash FROM deliveries d
    JOIN attempts a ON a.message_id = d.message_id AND a.address_id = d.address_id AND a.number = d.attempt
    WHERE d.address_id = ANY (CAST(:addresses AS bigint[])) AND d.ended_at IS NULL
      AND d.state IN ('sending', 'unknown') AND a.body_hash IS NOT NULL AND a.carrier_id IS NULL
      AND a.id <> ALL (CAST(:ids AS bigint[]))
""")

# A row whose worker was lost keeps that reason, so that claims still knows it as a suspect.
ABSENT: Final = text("""
    UPDATE deliveries d
    SET state = 'retry', possible_duplicate = true, not_before = now(),
        reason = CASE d.reason WHEN 'crash' THEN 'crash' ELSE 'absent' END
    FROM attempts a
    WHERE a.id = ANY (CAST(:ids AS bigint[])) AND a.state = 'unknown'
      AND d.message_id = a.message_id AND d.address_id = a.address_id AND d.attempt = a.number
      AND d.state = 'unknown' AND d.ended_at IS NULL
    RETURNING a.id, d.message_id
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
