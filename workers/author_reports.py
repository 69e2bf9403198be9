"""Tells authors later what became of a post: its counts, or that a mail of it is late. RQ calls `drain`."""

from datetime import timedelta
from typing import Final

import structlog

from gateway.network.receipts import author_reports
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

BATCH: Final = 20
AGAIN: Final = timedelta(minutes=10)  # after one that could not be told

log = structlog.get_logger()


def drain() -> None:
    drained("tellings", step)


def step(here: WorkerContext) -> bool:
    """Tells some of the reports that are due; returns False when none is. What goes into the outbox commits together
    with the mark that it was told."""
    rings: set[str] = set()
    with transaction(here.engine) as session:
        rows = author_reports.due(session, BATCH)
        for row in rows:
            post_id, kind = row.post_id, row.kind
            try:
                with session.begin_nested():
                    rings |= author_reports.tell(session, row)
            except Exception:
                log.exception("cannot be told", post=post_id, kind=kind)
                author_reports.put_off(session, post_id, kind, AGAIN)
    for name in sorted(rings):
        here.notifier.notify(name)
    return bool(rows)
