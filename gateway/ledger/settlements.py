"""How a try ended: written in batches, fenced by the attempt, never back behind what a callback already said.

Workers/deliver settles what its carrier answered; workers/sweep lets the leases of lost workers run out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.claims import Claimed

CRASHES: Final = 3  # a row that ended three workers is set aside (Mailman's rule)
SWEEP: Final = 5000  # rows that one call lets expire


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one claimed row. `wait`: for retry, until the next try; for unknown, until it is looked for."""

    claimed: Claimed
    state: Literal["sent", "unknown", "retry", "failed"]
    carrier_id: str | None = None
    reason: str | None = None
    wait: timedelta = timedelta(0)
    segments: int | None = None
    possible_duplicate: bool = False  # retry: the last try may have arrived all the same


@dataclass(frozen=True, slots=True)
class Expired:
    """Rows whose worker is gone: channels with rows to look at again, and the rows set aside for good."""

    channels: frozenset[str]
    quarantined: tuple[tuple[int, int], ...]


def settle(session: Session, settlements: Sequence[Settlement]) -> None:
    """Moves the deliveries, then their attempts: every writer takes them in this order."""
    if settlements:
        given = _columns(settlements)
        session.execute(SETTLE_DELIVERIES, given)
        session.execute(SETTLE_ATTEMPTS, given)


def _columns(settlements: Sequence[Settlement]) -> dict[str, list[object]]:
    return {
        "messages": [one.claimed.message_id for one in settlements],
        "addresses": [one.claimed.address_id for one in settlements],
        "numbers": [one.claimed.number for one in settlements],
        "attempts": [one.claimed.attempt_id for one in settlements],
        "states": [one.state for one in settlements],
        "carrier_ids": [one.carrier_id for one in settlements],
        "reasons": [one.reason for one in settlements],
        "waits": [one.wait for one in settlements],
        "segments": [one.segments for one in settlements],
        "duplicates": [one.possible_duplicate for one in settlements],
    }


def expire(session: Session, look_after: timedelta) -> Expired:
    """A text whose worker is gone may have left: unknown, looked for after `look_after`. A mail goes again: its fixed
    Message-ID lets the receiver fold the two."""
    rows = session.execute(EXPIRE, {"look": look_after, "crashes": CRASHES, "limit": SWEEP}).all()
    aside = tuple((row.message_id, row.address_id) for row in rows if row.state == "failed")
    return Expired(frozenset(row.channel for row in rows), aside)


# A late worker may still say "sent" of a mail that was meanwhile set to go again (reason crash); nothing else.
# The states stand inside a CASE with the number, because a planner without statistics would begin with them.
SETTLE_DELIVERIES: Final = text("""
    UPDATE deliveries d
    SET state = CASE WHEN given.state = 'retry' AND now() + given.wait >= d.give_up_at THEN 'failed'
                     ELSE given.state END,
        reason = CASE WHEN given.state = 'retry' AND now() + given.wait >= d.give_up_at THEN 'gave_up'
                      ELSE given.reason END,
        not_before = now() + given.wait,
        segments = coalesce(given.segments, d.segments),
        possible_duplicate = d.possible_duplicate OR given.duplicate,
        sent_at = CASE WHEN given.state = 'sent' THEN now() ELSE d.sent_at END,
        ended_at = CASE WHEN given.state IN ('sent', 'failed') OR now() + given.wait >= d.give_up_at
                             AND given.state = 'retry' THEN now() END,
        lease_until = NULL, lease_owner = NULL
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:numbers AS smallint[]),
                CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:waits AS interval[]),
                CAST(:segments AS smallint[]), CAST(:duplicates AS boolean[]))
         AS given (message_id, address_id, number, state, reason, wait, segments, duplicate)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
      AND given.number = CASE WHEN d.state IN ('sending', 'unknown') AND d.ended_at IS NULL
                                OR d.state = 'retry' AND d.reason = 'crash' AND given.state = 'sent' THEN d.attempt END
""")

SETTLE_ATTEMPTS: Final = text("""
    UPDATE attempts a
    SET state = CASE WHEN a.state IN ('sending', 'unknown') THEN given.state ELSE a.state END,
        reason = CASE WHEN a.state IN ('sending', 'unknown') THEN given.reason ELSE a.reason END,
        carrier_id = coalesce(a.carrier_id, given.carrier_id),
        ended_at = now()
    FROM unnest(CAST(:attempts AS bigint[]), CAST(:states AS text[]), CAST(:carrier_ids AS text[]),
                CAST(:reasons AS text[])) AS given (id, state, carrier_id, reason)
    WHERE a.id = given.id
""")

EXPIRE: Final = text("""
    WITH late AS (
        SELECT message_id, address_id, attempt, channel,
               1 + (SELECT count(*) FROM attempts a WHERE a.message_id = d.message_id
                    AND a.address_id = d.address_id AND a.reason = 'crash') >= :crashes AS aside
        FROM deliveries d WHERE state = 'sending' AND lease_until < now()
        LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    ), moved AS (
        UPDATE deliveries d
        SET state = CASE WHEN aside THEN 'failed' WHEN late.channel = 'sms' THEN 'unknown' ELSE 'retry' END,
            reason = CASE WHEN aside THEN 'quarantined' ELSE 'crash' END,
            not_before = now() + CASE late.channel WHEN 'sms' THEN CAST(:look AS interval) ELSE interval '0' END,
            possible_duplicate = possible_duplicate OR late.channel = 'email' AND NOT aside,
            ended_at = CASE WHEN aside THEN now() END, lease_until = NULL, lease_owner = NULL
        FROM late WHERE d.message_id = late.message_id AND d.address_id = late.address_id
        RETURNING d.message_id, d.address_id, d.attempt, d.channel, d.state
    ), tried AS (
        UPDATE attempts a SET state = 'unknown', reason = 'crash', ended_at = now()
        FROM moved WHERE a.message_id = moved.message_id AND a.address_id = moved.address_id
             AND a.number = moved.attempt AND a.state = 'sending'
    )
    SELECT message_id, address_id, channel, state FROM moved
""")
