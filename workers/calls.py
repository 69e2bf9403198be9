"""Works off the clocks of calls: the next steps of those who have not answered, then reports and ends. RQ calls
`drain`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import by_rank
from gateway.network.calls import call_timers, escalation
from gateway.network.receipts import call_reports
from gateway.store.database import transaction
from gateway.store.tables import Call
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

PEOPLE: Final = 200
AGAIN: Final = timedelta(minutes=1)  # after a step, a report or an end that failed

log = structlog.get_logger()
Result = TypeVar("Result")


def drain() -> None:
    drained("calls", step)


def step(context: WorkerContext) -> bool:
    """Takes the next step with some people, or else tells of one call, in one transaction; False when nothing is due.
    Steps come first: who is due at the end of a standstill gets one more message before their call ends."""
    with transaction(context.engine) as session:
        people = escalation.due(session, PEOPLE)
        call = None if people else call_timers.due(session)
        if people:
            channels = _tried(session, lambda: escalation.take(session, people))
            if channels is None:
                escalation.put_off(session, people, AGAIN)
        elif call:
            channels = _tried(session, lambda: _tell(session, call))
            if channels is None:
                call_timers.put_off(session, call.post_id, AGAIN)
    if not people and not call:
        return False
    for channel in by_rank(channels or frozenset()):
        context.notifier.notify(channel)
    return True


def _tell(session: Session, call: Call) -> frozenset[str]:
    """Its report, or its end: after a standstill in which both were due, its end alone."""
    if call_timers.move(session, call) == "report":
        return call_reports.tell_report(session, call)
    return call_reports.tell_end(session, call)


def _tried(session: Session, do: Callable[[], Result]) -> Result | None:
    try:
        with session.begin_nested():
            return do()
    except OperationalError:
        raise
    except Exception:
        log.exception("a step of a call failed")
        return None
