"""Settlements: how a try ended. They are written in batches, fenced by the number of the attempt, and never move a row
back behind what a callback already said.

workers/deliver settles what its carrier answered; workers/upkeep/lease_sweeper ends the leases of lost workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.ledger.outbox import email_fallback
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.store.arrays import numbers
from gateway.store.channel_sql import such
from gateway.store.direct import NOT_WAITING, DirectConnection, Statement

CRASHES: Final = 3  # a row that ended three workers is set aside (Mailman's rule)
SWEEP: Final = 5000  # rows that one call lets expire


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one claimed row ended. `wait`: for retry, until the next try; for unknown, until it is looked for."""

    claimed: ClaimedDelivery
    state: Literal["sent", "unknown", "retry", "failed"]
    carrier_id: str | None = None
    reason: str | None = None
    wait: timedelta = timedelta(0)
    segments: int | None = None
    possible_duplicate: bool = False  # retry: the last try may have arrived all the same


@dataclass(frozen=True, slots=True)
class Expired:
    """Rows whose worker is gone: the channels that have any, and the rows that were set aside for good."""

    channels: frozenset[str]
    quarantined: tuple[tuple[int, int], ...]
    rows: int = 0  # how many there were, including those set aside


def settle(session: Session, settlements: Sequence[Settlement]) -> None:
    """Writes the deliveries, then their attempts: every writer locks them in this order. Nearly all are simply sent,
    and these need fewer columns. A text that its phone cannot get goes by mail."""
    sent = [one for one in settlements if one.state == "sent" and one.reason is None]
    others = [one for one in settlements if one.state != "sent" or one.reason is not None]
    batches = (
        (_key_columns(sent), SENT_DELIVERIES, SENT_ATTEMPTS, sent),
        (_key_columns(others) | _other_columns(others), SETTLE_DELIVERIES, SETTLE_ATTEMPTS, others),
    )
    for given, deliveries, _, rows in batches:
        if rows:
            session.execute(deliveries, given)
    for given, _, attempts, rows in batches:
        if rows:
            session.execute(attempts, given)
    email_fallback.send_by_mail(session, [one.claimed.key for one in others if one.state in ("failed", "retry")])
    introduced = [one.claimed.address_id for one in sent if one.claimed.introduces]
    if introduced:
        session.execute(INTRODUCED, {"addresses": numbers(sorted(introduced))})


def settle_sent(connection: DirectConnection, sent: Sequence[Settlement]) -> bool:
    """Writes rows that were simply sent, by a statement that is a transaction by itself; returns whether a row behind
    them in its lane waits."""
    [[waits, _]] = connection.run(SENT, _key_columns(sent))
    return bool(waits)


def is_simply_sent(one: Settlement) -> bool:
    """Whether `settle_sent` may write it."""
    return one.state == "sent" and one.reason is None and not one.claimed.introduces


def _key_columns(settlements: Sequence[Settlement]) -> dict[str, object]:
    return {
        "messages": numbers(one.claimed.message_id for one in settlements),
        "addresses": numbers(one.claimed.address_id for one in settlements),
        "numbers": numbers(one.claimed.number for one in settlements),
        "attempts": numbers(one.claimed.attempt_id for one in settlements),
        "segments": numbers(one.segments for one in settlements),
        "carrier_ids": [one.carrier_id for one in settlements],
    }


def _other_columns(settlements: Sequence[Settlement]) -> dict[str, object]:
    return {
        "states": [one.state for one in settlements],
        "reasons": [one.reason for one in settlements],
        "waits": [one.wait for one in settlements],
        "duplicates": [one.possible_duplicate for one in settlements],
    }


def expire(session: Session, look_after: timedelta) -> Expired:
    """Ends leases that ran out. A text whose worker is gone may have left, so it becomes unknown and is looked for
    after `look_after`. A mail is sent again: by its fixed Message-ID the receiver can recognise the duplicate."""
    rows = session.execute(EXPIRE, {"look": look_after, "crashes": CRASHES, "limit": SWEEP}).all()
    aside = tuple((row.message_id, row.address_id) for row in rows if row.state == "failed")
    return Expired(frozenset(row.channel for row in rows), aside, len(rows))


def give_up(session: Session) -> int:
    """Fails rows whose give_up_at has passed: their worker or their carrier was away for too long. Returns how many."""
    ended = session.execute(GIVE_UP).all()
    email_fallback.send_by_mail(session, [(row.message_id, row.address_id) for row in ended if row.channel != EMAIL])
    return len(ended)


INTRODUCED: Final = text("""
    UPDATE addresses SET introduced_at = now()
    WHERE id = ANY (CAST(:addresses AS bigint[])) AND introduced_at IS NULL
""")

GIVE_UP: Final = text("""
    UPDATE deliveries SET state = 'failed', reason = 'gave_up', ended_at = now()
    WHERE ended_at IS NULL AND state IN ('queued', 'retry') AND give_up_at <= now()
    RETURNING message_id, address_id, channel
""")

# A late worker may still say "sent" of a mail that was put back for another try meanwhile (reason crash), but nothing
# else. The states are inside a CASE with the number, because a planner without statistics would otherwise search by
# state.
_DELIVERIES: Final = """
    UPDATE deliveries d
    SET state = CASE WHEN given.state = 'retry' AND now() + given.wait >= d.give_up_at THEN 'failed'
                     ELSE given.state END,
        reason = CASE WHEN given.state = 'retry' AND now() + given.wait >= d.give_up_at THEN 'gave_up'
                      WHEN given.state IN ('failed', 'unknown') THEN coalesce(given.reason, 'unnamed')
                      ELSE given.reason END,
        not_before = now() + given.wait,
        segments = coalesce(given.segments, d.segments),
        possible_duplicate = d.possible_duplicate OR given.duplicate,
        sent_at = CASE WHEN given.state = 'sent' THEN now() ELSE d.sent_at END,
        ended_at = CASE WHEN given.state IN ('sent', 'failed') OR now() + given.wait >= d.give_up_at
                             AND given.state = 'retry' THEN now() END,
        lease_until = NULL, lease_owner = NULL
    FROM {given}
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
      AND given.number = CASE WHEN d.state IN ('sending', 'unknown') AND d.ended_at IS NULL
                                OR d.state = 'retry' AND d.reason = 'crash' AND given.state = 'sent' THEN d.attempt END
"""

# An id contains the time when it was made; for an attempt this is the time of its claim.
_ATTEMPTS: Final = """
    INSERT INTO attempts (id, message_id, address_id, number, state, carrier_id, reason, started_at, ended_at)
    SELECT id, message_id, address_id, number, state, carrier_id, reason,
           to_timestamp(CAST(id >> 16 AS float8) / 1000), now()
    FROM {given}
    ON CONFLICT (message_id, address_id, number) DO UPDATE
    SET state = CASE WHEN attempts.state IN ('sending', 'unknown') THEN excluded.state ELSE attempts.state END,
        reason = CASE WHEN attempts.state IN ('sending', 'unknown') THEN excluded.reason ELSE attempts.reason END,
        carrier_id = coalesce(attempts.carrier_id, excluded.carrier_id),
        ended_at = now()
"""

_KEYS: Final = """CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:numbers AS smallint[]),
           CAST(:segments AS smallint[]), CAST(:attempts AS bigint[]), CAST(:carrier_ids AS text[])"""
_SENT: Final = f"""
    (SELECT *, 'sent' AS state, NULL AS reason, interval '0' AS wait, false AS duplicate
     FROM unnest({_KEYS}) AS row (message_id, address_id, number, segments, id, carrier_id)) AS given
"""  # noqa: S608
_ANY: Final = f"""
    unnest({_KEYS}, CAST(:states AS text[]),
           CAST(:reasons AS text[]), CAST(:waits AS interval[]), CAST(:duplicates AS boolean[]))
    AS given (message_id, address_id, number, segments, id, carrier_id, state, reason, wait, duplicate)
"""
SENT_DELIVERIES: Final = text(_DELIVERIES.format(given=_SENT))
SENT_ATTEMPTS: Final = text(_ATTEMPTS.format(given=_SENT))
SETTLE_DELIVERIES: Final = text(_DELIVERIES.format(given=_ANY))
SETTLE_ATTEMPTS: Final = text(_ATTEMPTS.format(given=_ANY))

# Counting what `moved` did has the deliveries written, and so locked, before their attempts. The commit need not wait:
# when the database forgets it, the texts are looked for like those of a worker that was lost after it had sent them.
SENT: Final = Statement(f"""
    WITH moved AS ({_DELIVERIES.format(given=_SENT)} RETURNING d.message_id
    ), first AS MATERIALIZED (SELECT count(*) FROM moved
    ), tried AS ({_ATTEMPTS.format(given="first, " + _SENT.strip())})
    SELECT EXISTS (
        SELECT FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS given (message_id, address_id)
        CROSS JOIN LATERAL (
            SELECT author_id FROM deliveries d
            WHERE d.message_id = given.message_id AND d.address_id = given.address_id OFFSET 0) lane
        CROSS JOIN LATERAL (
            SELECT FROM deliveries behind
            WHERE behind.address_id = given.address_id AND behind.author_id = lane.author_id
              AND behind.ended_at IS NULL AND behind.state IN ('queued', 'retry') LIMIT 1) behind), {NOT_WAITING}
""")  # noqa: S608

_FOLDS: Final = such("late.channel", lambda channel: channel.folds_repeats)

EXPIRE: Final = text(f"""
    WITH late AS (
        SELECT message_id, address_id, attempt, channel,
               1 + (SELECT count(*) FROM attempts a WHERE a.message_id = d.message_id
                    AND a.address_id = d.address_id AND a.reason = 'crash') >= :crashes AS aside
        FROM deliveries d WHERE ended_at IS NULL AND state = 'sending' AND lease_until < now()
        LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    ), moved AS (
        UPDATE deliveries d
        SET state = CASE WHEN aside THEN 'failed' WHEN {_FOLDS} THEN 'retry' ELSE 'unknown' END,
            reason = CASE WHEN aside THEN 'quarantined' ELSE 'crash' END,
            not_before = now() + CASE WHEN {_FOLDS} THEN interval '0' ELSE CAST(:look AS interval) END,
            possible_duplicate = possible_duplicate OR {_FOLDS} AND NOT aside,
            ended_at = CASE WHEN aside THEN now() END, lease_until = NULL, lease_owner = NULL
        FROM late WHERE d.message_id = late.message_id AND d.address_id = late.address_id
        RETURNING d.message_id, d.address_id, d.attempt, d.channel, d.state
    ), tried AS (
        INSERT INTO attempts (message_id, address_id, number, state, reason, ended_at)
        SELECT message_id, address_id, attempt, 'unknown', 'crash', now() FROM moved
        ON CONFLICT (message_id, address_id, number) DO UPDATE
        SET state = 'unknown', reason = 'crash', ended_at = now() WHERE attempts.state = 'sending'
    )
    SELECT message_id, address_id, channel, state FROM moved
""")  # noqa: S608
