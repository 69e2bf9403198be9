"""The spend breaker: when an hour has more than three times the usual parts, updates wait until an operator resumes.

budgets.py asks it in each claim, under the budgets' lock; `critter costs` shows and resumes it. Codes, answers and
private texts go on. The usual hour is the median of the hours of the last seven days in which anything was sent: with
the nights among them it would be zero.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

TIMES: Final = 3
QUIET: Final = timedelta(hours=1)  # for so long it does not trip again after an operator resumed


class State(NamedTuple):
    """Since when updates wait (None: they do not), the parts of the last hour, and the usual parts of an hour."""

    tripped_at: datetime | None
    hour: int
    usual: int


def state(session: Session) -> State:
    row = session.execute(STATE).one()
    return State(row.tripped_at, int(row.hour), int(session.scalar(USUAL) or 0))


def admit(
    session: Session, floor: int, wanted: Sequence[tuple[int, bool]]
) -> tuple[list[bool], tuple[int, int] | None]:
    """For each (parts, pausable) whether it may go now; and when these trip the breaker, the hour's parts and the usual
    ones. Up to `floor` parts an hour are never too many: that is for small companies."""
    row = session.execute(STATE).one()
    if may_trip(row.tripped_at, row.quiet, row.hour, floor, wanted):
        found = row.hour + sum(parts for parts, _ in wanted)
        if row.tripped_at is None:
            usual = int(session.scalar(USUAL) or 0)
            if found > max(floor, TIMES * usual):
                session.execute(TRIP, {"parts": int(found), "usual": usual})
                return [not pausable for _, pausable in wanted], (int(found), usual)
    return [not pausable or row.tripped_at is None for _, pausable in wanted], None


def may_trip(
    tripped_at: datetime | None, quiet: bool, hour: Decimal, floor: int, wanted: Sequence[tuple[int, bool]]
) -> bool:
    """Whether the breaker is open, or these may be what opens it, by its row of STATE."""
    if not any(pausable for _, pausable in wanted):
        return False
    return tripped_at is not None or (not quiet and hour + sum(parts for parts, _ in wanted) > floor)


def resume(session: Session) -> bool:
    """Lets updates go on, and for an hour nothing trips the breaker again. False when they were not waiting."""
    resumed = session.execute(RESUME, {"quiet": QUIET}).all()
    if resumed:
        session.execute(WAKE)
    return bool(resumed)


# The last 60 minutes: the parts of this clock hour, and of the one before it the share that is less than an hour old,
# as if its parts had been spread evenly.
STATE: Final = text("""
    SELECT breaker.tripped_at, coalesce(breaker.quiet_until > now(), false) AS quiet, coalesce((
        SELECT sum(CASE WHEN hour = date_trunc('hour', now(), 'UTC') THEN parts
                   ELSE parts * (1 - extract(epoch FROM now() - date_trunc('hour', now(), 'UTC')) / 3600) END)
        FROM hours WHERE hour >= date_trunc('hour', now(), 'UTC') - interval '1 hour'), 0) AS hour
    FROM (SELECT 1) AS once LEFT JOIN breaker ON true
""")

USUAL: Final = text("""
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY parts) FROM hours
    WHERE hour >= date_trunc('hour', now(), 'UTC') - interval '7 days' AND hour < date_trunc('hour', now(), 'UTC')
      AND parts > 0
""")

TRIP: Final = text("""
    INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), :parts, :usual)
    ON CONFLICT (only_row) DO UPDATE SET tripped_at = now(), parts = :parts, usual = :usual
""")

RESUME: Final = text("""
    UPDATE breaker SET tripped_at = NULL, quiet_until = now() + CAST(:quiet AS interval) WHERE tripped_at IS NOT NULL
    RETURNING only_row
""")

# What waited for the breaker goes now; what waits for its next try keeps its time.
WAKE: Final = text("""
    UPDATE deliveries SET not_before = now()
    WHERE channel = 'sms' AND ended_at IS NULL AND state = 'queued' AND not_before > now()
      AND not_before < now() + interval '2 minutes'
""")
