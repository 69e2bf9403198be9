"""Makes the offers that are due: who wrote about what an update asks. RQ calls `drain`."""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.network.conversation import offers
from gateway.store.database import transaction
from gateway.store.tables import Offer
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

AGAIN: Final = timedelta(minutes=10)  # after one that could not be made

log = structlog.get_logger()


def drain() -> None:
    drained("offers", step)


def step(context: WorkerContext) -> bool:
    """Decides about the oldest offer that is due; returns False when none is. The offer, its notice and its question
    commit together. Each has a transaction of its own, for it holds the author's phone."""
    with transaction(context.engine) as session:
        rows = offers.due(session, 1)
        queues = [_make(context, session, row) for row in rows]
    for name in sorted(frozenset().union(*queues)):
        context.notifier.notify(name)
    return bool(rows)


def _make(context: WorkerContext, session: Session, row: Offer) -> frozenset[str]:
    """One that cannot be made waits, and the others go on. A transient error of the database ends the step instead, and
    the clock wakes a worker again."""
    post_id = row.post_id
    try:
        with session.begin_nested():
            return offers.make(session, context.settings, row)
    except OperationalError as problem:
        wait = context.transient_errors.pause("offer", post_id, problem)
        if wait is None:
            raise
    except Exception:
        log.exception("cannot be offered", post=post_id)
        wait = AGAIN
    offers.put_off(session, post_id, wait)
    return frozenset()
