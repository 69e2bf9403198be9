"""The state of the outbox: how many deliveries are in which state, and which are stuck. `critter outbox` shows it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.channel_sql import rank

State = Literal["queued", "sending", "retry", "unknown", "held", "sent", "delivered", "failed", "cancelled"]


class DeliveryCount(NamedTuple):
    """How many deliveries of one channel are in one state, and the age of the oldest of them that is open."""

    channel: str
    state: str
    deliveries: int
    oldest: timedelta | None


class WaitingDelivery(NamedTuple):
    """One delivery: its state, why, how old it is, and in how long it is tried, looked for or decided about next
    (negative: overdue)."""

    id: str
    channel: str
    state: str
    reason: str | None
    handle: str | None
    attempt: int
    age: timedelta
    next: timedelta | None


class RunningFanouts(NamedTuple):
    """How many fan-outs still run, and for how long the oldest of those that are due has been due."""

    fanouts: int
    oldest: timedelta | None


def counts(session: Session) -> Sequence[DeliveryCount]:
    return [DeliveryCount(*row) for row in session.execute(COUNTS)]


def stuck(session: Session, limit: int) -> Sequence[WaitingDelivery]:
    """Open deliveries that are in doubt, wait for another try, or have been due for a minute, the oldest first."""
    return [WaitingDelivery(*row) for row in session.execute(STUCK, {"limit": limit})]


def in_state(session: Session, state: State, limit: int) -> Sequence[WaitingDelivery]:
    """Those in one state, the newest first when they have ended, the oldest first while they are open."""
    statement = OLDEST if state in ("queued", "sending", "retry", "held") else NEWEST
    return [WaitingDelivery(*row) for row in session.execute(statement, {"state": state, "limit": limit})]


def fanouts(session: Session) -> RunningFanouts:
    return RunningFanouts(*session.execute(FANOUTS).one())


COUNTS: Final = text(f"""
    SELECT channel, state, count(*), now() - min(created_at) FILTER (WHERE ended_at IS NULL)
    FROM deliveries GROUP BY channel, state
    ORDER BY {rank("channel")} DESC,
             array_position(ARRAY['queued', 'sending', 'retry', 'unknown', 'held', 'sent', 'delivered'], state)
""")  # noqa: S608

COLUMNS: Final = """
    SELECT d.message_id || ':' || d.address_id, d.channel, d.state,
           coalesce(d.reason, CASE WHEN d.state = 'held' THEN h.reason END),
           reader.handle, d.attempt, now() - d.created_at,
           CASE WHEN d.ended_at IS NULL THEN d.not_before - now() WHEN h.state = 'waiting' THEN h.until - now() END
    FROM deliveries d
    LEFT JOIN held h ON h.message_id = d.message_id AND h.address_id = d.address_id AND d.state = 'held'
    JOIN addresses a ON a.id = d.address_id LEFT JOIN accounts reader ON reader.id = a.account_id
"""

STUCK: Final = text(
    COLUMNS
    + """
    WHERE d.ended_at IS NULL
      AND (d.state IN ('unknown', 'retry') OR d.not_before < now() - interval '1 minute')
    ORDER BY d.message_id, d.address_id LIMIT :limit
"""
)

OLDEST: Final = text(COLUMNS + " WHERE d.state = :state ORDER BY d.message_id, d.address_id LIMIT :limit")
NEWEST: Final = text(COLUMNS + " WHERE d.state = :state ORDER BY d.message_id DESC, d.address_id DESC LIMIT :limit")

FANOUTS: Final = text("""
    SELECT count(*), now() - min(not_before) FILTER (WHERE not_before <= now()) FROM fanouts WHERE state = 'waiting'
""")
