"""Dead letters: deliveries that ended badly, and inputs that ended three workers. Nothing more happens to them until an
operator retries or drops them by `critter dead`. They are found, counted and dropped here; retry.py retries them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.ledger.operations.retry import DeliveryStatus

BATCH: Final = 5000  # rows of one transaction
DROPPED: Final = "dropped"  # why a delivery was cancelled


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters to look for. `reason`: a carrier's code, a word of ours, or the state itself. `since`: how
    long ago they may have ended at most. `until`: they ended no later than this."""

    reason: str | None = None
    channel: str | None = None
    since: timedelta | None = None
    until: datetime | None = None


class Dead(NamedTuple):
    """One dead letter. The id of a delivery is MESSAGE:ADDRESS."""

    id: str
    kind: str  # delivery, input
    channel: str
    state: str
    reason: str | None
    handle: str | None  # whose phone or mailbox it is; None for an input, whose writer is not known yet
    attempt: int
    died_at: datetime


class DeadLetterCount(NamedTuple):
    """How many ended for the same reason."""

    kind: str
    channel: str
    state: str
    reason: str | None
    rows: int


def list_dead(session: Session, which: DeadLetterFilter, limit: int) -> Sequence[Dead]:
    """Up to `limit` of them, the newest first, inputs before deliveries."""
    return [Dead(*row) for row in session.execute(LISTED, {**asdict(which), "limit": limit})]


def counts(session: Session, which: DeadLetterFilter) -> Sequence[DeadLetterCount]:
    """How many there are for each reason, the most frequent first."""
    return [DeadLetterCount(*row) for row in session.execute(COUNTS, asdict(which))]


def now(session: Session) -> datetime:
    """The database's clock: what ends later is not among the dead letters that the operator was shown."""
    moment: datetime = session.scalars(text("SELECT now()")).one()
    return moment


def deliveries(session: Session, which: DeadLetterFilter) -> Sequence[DeliveryStatus]:
    """The next batch of such deliveries, locked; empty when there are no more."""
    return [DeliveryStatus(*row) for row in session.execute(SOME, {**asdict(which), "limit": BATCH})]


def inputs(session: Session, which: DeadLetterFilter) -> list[int]:
    """The ids of such inputs, which are quarantined."""
    return list(session.scalars(INPUTS, asdict(which)))


def drop(session: Session, rows: Sequence[DeliveryStatus]) -> int:
    """Ends these deliveries for good; how many of them were still dead."""
    keys = {"messages": [row.message_id for row in rows], "addresses": [row.address_id for row in rows]}
    return len(session.execute(DROP, {**keys, "dropped": DROPPED}).all())


def note(session: Session, actor: str, action: str, which: DeadLetterFilter, rows: int) -> None:
    """Records an act over many rows as one row of the audit: what was asked for, and how many rows there were."""
    asked: Mapping[str, object] = {
        "reason": which.reason,
        "channel": which.channel,
        "since": which.since.total_seconds() if which.since else None,
        "rows": rows,
    }
    audit_log.record(session, actor, action, None, asked)


def note_each(session: Session, actor: str, action: str, rows: Sequence[DeliveryStatus]) -> None:
    for row in rows:
        was = {"address": str(row.address_id), "was": row.state, "reason": row.reason}
        audit_log.record(session, actor, action, row.message_id, was)


def freeze_filter(session: Session, which: DeadLetterFilter) -> DeadLetterFilter:
    """The same filter, limited to what has ended by now."""
    return replace(which, until=now(session))


def _fits(state: str, died: str) -> str:
    return f"""
        (CAST(:reason AS text) IS NULL OR :reason IN (reason, {state}))
        AND (CAST(:channel AS text) IS NULL OR channel = :channel)
        AND (CAST(:since AS interval) IS NULL OR {died} >= now() - CAST(:since AS interval))
        AND (CAST(:until AS timestamptz) IS NULL OR {died} <= :until)
    """


# It repeats the condition of the partial index deliveries_dead, so that little else is read. The index does not mention
# the state, for then no claim could change the state in place (a HOT update). What failed or is in doubt always has a
# reason; settlements and attempts see to it.
_DELIVERIES: Final = "ended_at IS NOT NULL AND reason IS NOT NULL AND state IN ('failed', 'unknown') AND " + _fits(
    "state", "ended_at"
)
_INPUTS: Final = "state = 'quarantined' AND " + _fits("state", "received_at")

LISTED: Final = text(f"""
    (SELECT CAST(id AS text), 'input', channel, state, reason, NULL, attempt, received_at FROM inbound
     WHERE {_INPUTS} ORDER BY id DESC LIMIT :limit)
    UNION ALL
    (SELECT d.message_id || ':' || d.address_id, 'delivery', d.channel, d.state, d.reason, reader.handle, d.attempt,
            d.ended_at
     FROM (SELECT * FROM deliveries WHERE {_DELIVERIES} ORDER BY message_id DESC, address_id DESC LIMIT :limit) AS d
     JOIN addresses a ON a.id = d.address_id LEFT JOIN accounts reader ON reader.id = a.account_id
     ORDER BY d.message_id DESC, d.address_id DESC)
    LIMIT :limit
""")  # noqa: S608

COUNTS: Final = text(f"""
    SELECT kind, channel, state, reason, count(*)
    FROM (SELECT 'input' AS kind, channel, state, reason FROM inbound WHERE {_INPUTS}
          UNION ALL SELECT 'delivery', channel, state, reason FROM deliveries WHERE {_DELIVERIES}) AS row
    GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
""")  # noqa: S608

SOME: Final = text(f"""
    SELECT message_id, address_id, channel, state, reason FROM deliveries WHERE {_DELIVERIES}
    ORDER BY message_id, address_id LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608

INPUTS: Final = text(f"SELECT id FROM inbound WHERE {_INPUTS} ORDER BY id")  # noqa: S608

DROP: Final = text("""
    UPDATE deliveries d SET state = 'cancelled', reason = :dropped
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS given (message_id, address_id)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
      AND d.ended_at IS NOT NULL AND d.state IN ('failed', 'unknown')
    RETURNING d.message_id
""")
