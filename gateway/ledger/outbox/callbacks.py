"""Status callbacks as they came: the SMS door records them, workers/callbacks applies them to their attempts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from gateway.ledger.commit.group_commit import GroupCommitter
from gateway.store.database import transaction
from gateway.store.tables import Callback


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
    """Group commit: stores callbacks that come in at the same time in one commit."""

    def __init__(self, engine: Engine, recorded: Callable[[], None]) -> None:
        self._engine = engine
        super().__init__("callbacks", self._record, recorded)

    def _record(self, calls: list[CallbackCall]) -> None:
        with transaction(self._engine) as session:
            record(session, calls)
