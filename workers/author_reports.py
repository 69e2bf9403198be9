"""Tells authors later what became of a post: its counts, or that a mail of it is late. RQ calls `drain`."""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.network.receipts import author_reports
from gateway.store.database import transaction
from gateway.store.tables import Telling
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

BATCH: Final = 20
AGAIN: Final = timedelta(minutes=10)  # after one that could not be told

log = structlog.get_logger()


def drain() -> None:
    drained("tellings", step)


def step(context: WorkerContext) -> bool:
    """Tells some of the reports that are due; returns False when none is. What goes into the outbox commits together
    with the mark that it was told."""
    queues: set[str] = set()
    with transaction(context.engine) as session:
        rows = author_reports.due(session, BATCH)
        for row in rows:
            queues |= _tell(context, session, row)
    for name in sorted(queues):
        context.notifier.notify(name)
    return bool(rows)


def _tell(context: WorkerContext, session: Session, row: Telling) -> frozenset[str]:
    """Tells one report; returns the queues to wake. One that cannot be told waits, and the others go on. A transient
    error of the database ends the step instead, and the clock wakes a worker again."""
    post_id, kind = row.post_id, row.kind
    try:
        with session.begin_nested():
            return author_reports.tell(session, row)
    except OperationalError as problem:
        wait = context.transient_errors.pause(f"report of {kind}", post_id, problem)
        if wait is None:
            raise
    except Exception:
        log.exception("cannot be told", post=post_id, kind=kind)
        wait = AGAIN
    author_reports.put_off(session, post_id, kind, wait)
    return frozenset()
