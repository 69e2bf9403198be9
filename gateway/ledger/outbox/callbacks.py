"""Status callbacks as they came: the SMS door records them, workers/callbacks applies them to their attempts.

Most say only that a text went a step further. Such a one is applied by the statement that records it, unless its
delivery is locked or anything about its attempt is left for the worker.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from gateway.ledger.commit.group_commit import GroupCommitter
from gateway.store.arrays import numbers
from gateway.store.direct import DirectConnection, Statement
from gateway.store.tables import Callback

BREATH: Final = 0.1  # seconds; nobody waits for a callback, and ten together cost little more than one


@dataclass(frozen=True, slots=True)
class CallbackCall:
    """One callback: the attempt that its token names, the carrier's id of the message ("" when it gives none), and the
    carrier's own status and error code."""

    attempt_id: int
    carrier_id: str
    status: str
    reason: str | None
    carrier: str = "twilio"


def record(session: Session, calls: Sequence[CallbackCall]) -> None:
    """Stores callbacks as they come, with repeats and in any order: applying them only moves forward."""
    session.execute(insert(Callback), [asdict(call) for call in calls])


def open_callbacks(session: Session, limit: int) -> Sequence[Callback]:
    """The oldest callbacks that are not applied yet, locked. The caller applies them and calls `mark_applied` in
    this transaction."""
    waiting = select(Callback).where(Callback.applied_at.is_(None)).order_by(Callback.id).limit(limit)
    return session.scalars(waiting.with_for_update(skip_locked=True)).all()


def mark_applied(callbacks: Sequence[Callback]) -> None:
    """Notes that their attempts have taken note of them."""
    for one in callbacks:
        one.applied_at = func.now()


class Callbacks(GroupCommitter[CallbackCall]):
    """Group commit: stores callbacks that come in at the same time in one commit. `usual_step`: the step of one that
    says nothing else, such as "delivered"; None for others. `left`: called when some are left for the worker."""

    def __init__(
        self,
        engine: Engine,
        left: Callable[[], None],
        usual_step: Callable[[CallbackCall], str | None] = lambda _: None,
    ) -> None:
        self._connection = DirectConnection(engine)
        self._usual_step, self._left = usual_step, left
        self._some_left = False
        super().__init__("callbacks", self._record, self._notify, BREATH)

    def close(self) -> None:
        super().close()
        self._connection.close()

    def _record(self, calls: list[CallbackCall]) -> None:
        [[left]] = self._connection.run(RECORD, self._columns(calls))
        if left:
            self._some_left = True  # set after the commit, so whoever is notified from now on sees the rows

    def _notify(self) -> None:
        if self._some_left:
            self._some_left = False
            self._left()

    def _columns(self, calls: Sequence[CallbackCall]) -> dict[str, object]:
        steps = [self._usual_step(call) for call in calls]
        return {
            "attempts": numbers(call.attempt_id for call in calls),
            "carrier_ids": [call.carrier_id for call in calls],
            "statuses": [call.status for call in calls],
            "reasons": [call.reason for call in calls],
            "carriers": [call.carrier for call in calls],
            "ranks": numbers(None if step is None else STEPS.index(step) for step in steps),
        }


STEPS: Final = ("queued", "sending", "sent", "delivered")  # the usual ones, in their order
_STEPS: Final = f"ARRAY[{', '.join(repr(step) for step in STEPS)}]"

# What attempt_reports.advance does with these steps, for attempts that have no end yet and no older callback that is
# still to be applied. A row that somebody else has locked is left, so no callback waits for a worker. Counting what
# `moved` did has the deliveries written before their attempts, as everywhere.
RECORD: Final = Statement(f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:attempts AS bigint[]), CAST(:carrier_ids AS text[]), CAST(:statuses AS text[]),
                             CAST(:reasons AS text[]), CAST(:carriers AS text[]), CAST(:ranks AS integer[]))
                      AS given (attempt_id, carrier_id, status, reason, carrier, rank)
    ), furthest AS MATERIALIZED (
        SELECT attempt_id, max(nullif(carrier_id, '')) AS carrier_id, max(rank) AS rank FROM given
        GROUP BY attempt_id HAVING count(*) = count(rank)
    ), locked AS MATERIALIZED (
        SELECT a.id, a.message_id, a.address_id, a.number, furthest.carrier_id,
               greatest(furthest.rank, array_position({_STEPS}, a.status) - 1) AS rank
        FROM furthest
        CROSS JOIN LATERAL (SELECT * FROM attempts WHERE id = furthest.attempt_id OFFSET 0) a0
        JOIN attempts a ON a.id = a0.id
        JOIN deliveries d ON d.message_id = a0.message_id AND d.address_id = a0.address_id
        WHERE a.state IN ('sending', 'sent', 'unknown')
          AND NOT EXISTS (SELECT FROM callbacks c WHERE c.attempt_id = a0.id AND c.applied_at IS NULL OFFSET 0)
        ORDER BY a0.message_id, a0.address_id, a0.number FOR UPDATE OF d, a SKIP LOCKED
    ), moved AS (
        UPDATE deliveries d
        SET state = CASE WHEN l.rank = 3 THEN 'delivered' ELSE 'sent' END, reason = NULL,
            sent_at = coalesce(d.sent_at, now()), ended_at = coalesce(d.ended_at, now()),
            lease_until = NULL, lease_owner = NULL
        FROM locked l
        WHERE d.message_id = l.message_id AND d.address_id = l.address_id
          AND (d.state <> 'sending' OR d.attempt = l.number)
          AND (d.state NOT IN ('sent', 'delivered', 'cancelled') OR d.state = 'sent' AND l.rank = 3)
        RETURNING d.message_id
    ), first AS MATERIALIZED (SELECT count(*) FROM moved
    ), tried AS (
        UPDATE attempts a
        SET state = CASE WHEN l.rank = 3 THEN 'delivered' ELSE 'sent' END, status = ({_STEPS})[l.rank + 1],
            reason = NULL, carrier_id = coalesce(a.carrier_id, l.carrier_id), ended_at = coalesce(a.ended_at, now())
        FROM first, locked l WHERE a.id = l.id
    ), kept AS (
        INSERT INTO callbacks (attempt_id, carrier_id, status, reason, carrier, applied_at)
        SELECT given.attempt_id, given.carrier_id, given.status, given.reason, given.carrier,
               CASE WHEN l.id IS NOT NULL THEN now() END
        FROM given LEFT JOIN locked l ON l.id = given.attempt_id
        RETURNING applied_at
    )
    SELECT count(*) FILTER (WHERE applied_at IS NULL) FROM kept
""")  # noqa: S608 - put together from constants
