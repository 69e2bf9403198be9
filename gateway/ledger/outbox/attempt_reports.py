"""What carriers call back about an attempt: it moves forward only, and its first end wins. workers/callbacks calls it.

Callbacks come twice, late, in any order, or before the answer to the request that they are about; the final state is
the same. What a code means is for the carrier's module to know: its report says what follows from it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.ledger.commit.backoff import next_wait, unreached_wait
from gateway.ledger.outbox import digest_items, email_fallback

Step = Literal["queued", "sending", "sent", "delivered", "failed", "retry", "cancelled"]

RANK: Final[dict[str, int]] = {"queued": 0, "sending": 1, "sent": 2, "delivered": 3, "failed": 3, "retry": 3}
ENDS: Final = ("delivered", "failed", "retry")


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What a carrier said about one attempt. `retries`: how often this reason may start a new attempt; `slow`: with the
    long waits for a phone that cannot be reached."""

    attempt_id: int
    carrier_id: str | None
    step: Step
    reason: str | None = None
    retries: int = 0
    slow: bool = False


class AttemptStatus(NamedTuple):
    """The status of an attempt: its state, the furthest step that was called back, the reason."""

    state: str
    step: str | None = None
    reason: str | None = None
    carrier_id: str | None = None


def after(standing: AttemptStatus, report: AttemptReport) -> AttemptStatus:
    """The status after a report; pure. A carrier that knows the message at all has taken it, so it is at least sent."""
    step = "failed" if report.step == "cancelled" else report.step
    if standing.state in ENDS:
        return standing._replace(carrier_id=standing.carrier_id or report.carrier_id)
    further = step if standing.step is None or RANK[step] > RANK[standing.step] else standing.step
    if step in ENDS:
        return AttemptStatus(step, further, report.reason, standing.carrier_id or report.carrier_id)
    return AttemptStatus("sent", further, None, standing.carrier_id or report.carrier_id)


def advance(session: Session, reports: Sequence[AttemptReport]) -> frozenset[int]:
    """Moves the attempts and their deliveries; the ids of those attempts after which the phone is tried again later."""
    found = session.execute(LOCK, {"ids": sorted({report.attempt_id for report in reports})}).all()
    standings = {row.id: AttemptStatus(row.state, row.status, row.reason, row.carrier_id) for row in found}
    allowed: dict[int, int] = {}
    slow = {report.attempt_id for report in reports if report.slow}
    for report in reports:
        if report.attempt_id in standings:
            before = standings[report.attempt_id]
            standings[report.attempt_id] = after(before, report)
            if report.step == "retry" and before.state not in ENDS:
                allowed[report.attempt_id] = report.retries
    _give_up(session, standings, allowed)
    moved = {row.id: standings[row.id] for row in found if standings[row.id][:4] != tuple(row)[1:5]}
    _write(session, moved, {attempt: _wait(earlier, attempt in slow) for attempt, earlier in allowed.items()})
    return frozenset(attempt for attempt in allowed if standings[attempt].state == "retry")


def _give_up(session: Session, standings: dict[int, AttemptStatus], allowed: dict[int, int]) -> None:
    """Fails attempts whose reason has used up its retries. For the others, `allowed` then holds how many retries they
    had before: that decides their wait."""
    if not allowed:
        return
    earlier = session.execute(EARLIER, {"ids": list(allowed), "reasons": [standings[one].reason for one in allowed]})
    for attempt, count in earlier.all():
        if count >= allowed[attempt]:
            standings[attempt] = standings[attempt]._replace(state="failed")
        allowed[attempt] = count


def _wait(earlier: int, slow: bool) -> timedelta:
    chance = random.random()  # noqa: S311  it only spreads the waits, no secret depends on it
    return unreached_wait(earlier, chance) if slow else next_wait(earlier + 1, chance)


def _write(session: Session, moved: dict[int, AttemptStatus], waits: dict[int, timedelta]) -> None:
    if not moved:
        return
    values = {
        "ids": list(moved),
        "states": [one.state for one in moved.values()],
        "steps": [one.step for one in moved.values()],
        "reasons": [one.reason for one in moved.values()],
        "carrier_ids": [one.carrier_id for one in moved.values()],
        "waits": [waits.get(attempt, timedelta(0)) for attempt in moved],
    }
    ended = session.execute(MOVE_DELIVERIES, values).all()
    session.execute(MOVE_ATTEMPTS, values)
    failed = [row for row in ended if row.state == "failed"]
    email_fallback.send_by_mail(session, [(row.message_id, row.address_id) for row in failed])
    again = [row.message_id for row in ended if row.state == "retry"]
    digest_items.reopen(session, [*again, *(row.message_id for row in failed if row.channel == SMS)])
    digest_items.fail(session, [row.message_id for row in failed if row.channel != SMS])


# Deliveries are locked first, as everywhere in this package.
LOCK: Final = text("""
    SELECT a.id, a.state, a.status, a.reason, a.carrier_id
    FROM attempts a JOIN deliveries d ON d.message_id = a.message_id AND d.address_id = a.address_id
    WHERE a.id = ANY (CAST(:ids AS bigint[]))
    ORDER BY a.message_id, a.address_id, a.number FOR UPDATE OF d, a
""")

EARLIER: Final = text("""
    SELECT given.id, (SELECT count(*) FROM attempts before
                      WHERE before.message_id = a.message_id AND before.address_id = a.address_id
                        AND before.number < a.number AND before.reason = given.reason AND before.state = 'retry')
    FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS given (id, reason)
    JOIN attempts a ON a.id = given.id
""")

# An attempt that arrived ends the delivery, unless a later attempt is on its way and will report itself. An attempt
# that failed ends it only if it is the latest. What an operator or `undo` cancelled stays cancelled.
MOVE_DELIVERIES: Final = text("""
    UPDATE deliveries d
    SET state = CASE WHEN given.state = 'retry' AND now() + given.wait >= d.give_up_at THEN 'failed'
                     ELSE given.state END,
        reason = coalesce(given.reason, CASE WHEN given.state = 'failed' THEN 'unnamed' END),
        not_before = CASE given.state WHEN 'retry' THEN now() + given.wait ELSE d.not_before END,
        sent_at = coalesce(d.sent_at, now()),
        ended_at = CASE WHEN given.state <> 'retry' OR now() + given.wait >= d.give_up_at
                        THEN coalesce(d.ended_at, now()) END,
        lease_until = NULL, lease_owner = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:waits AS interval[]))
         AS given (id, state, reason, wait)
    JOIN attempts a ON a.id = given.id
    WHERE d.message_id = a.message_id AND d.address_id = a.address_id
      AND CASE WHEN given.state IN ('sent', 'delivered')
               THEN (d.state <> 'sending' OR d.attempt = a.number)
                    AND (d.state NOT IN ('sent', 'delivered', 'cancelled')
                         OR d.state = 'sent' AND given.state = 'delivered')
               ELSE d.attempt = a.number AND d.state NOT IN ('delivered', 'failed', 'cancelled') END
    RETURNING d.message_id, d.address_id, d.state, d.channel
""")

MOVE_ATTEMPTS: Final = text("""
    UPDATE attempts a
    SET state = given.state, status = given.step, reason = given.reason, carrier_id = given.carrier_id,
        ended_at = coalesce(a.ended_at, now())
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:steps AS text[]), CAST(:reasons AS text[]),
                CAST(:carrier_ids AS text[])) AS given (id, state, step, reason, carrier_id)
    WHERE a.id = given.id
""")
