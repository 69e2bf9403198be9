"""Spreads a post to its audience in committed chunks; after a crash it continues at the cursor. RQ calls `drain`."""

import structlog
from sqlalchemy.orm import Session

from gateway.ledger.commit import counters
from gateway.ledger.outbox import fanouts as spreading
from gateway.network.audience import recipients
from gateway.network.receipts import author_reports
from gateway.store.database import transaction
from gateway.store.tables import Fanout
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

FIRST, CHUNK = 100, 2_000  # followers in the first chunk (small, so that somebody hears at once) and in the others
AT_ONCE = 3  # fan-outs in the inbound's own transaction; a post with many tracked words leaves the others to a worker
log = structlog.get_logger()


def drain() -> None:
    drained("fanout", step)


def step(context: WorkerContext) -> bool:
    """Writes one chunk of the oldest fan-out that is due; returns False when there is none."""
    with transaction(context.engine) as session:
        fanout = spreading.claim(session)
        if fanout is None:
            return False
        key = (fanout.message_id, fanout.source_id)
        priority = spreading.priority(session, fanout)
        try:
            with session.begin_nested():
                queues = _chunk(context, session, fanout, priority) - {"fanout"}
        except Exception:
            log.exception("fan-out failed", message=key[0])
            spreading.postpone(session, *key)
            return True
    for queue in sorted(queues):
        context.notifier.notify(queue)
    return True


def begin(context: WorkerContext, session: Session, inbound_id: int) -> set[str]:
    """Makes the deliveries for the first followers of what an inbound posted, in the inbound's own transaction: they
    need not wait for another worker, nor for those whom its words bring it to. Returns the drains to wake after the
    commit; workers/inbound calls it."""
    fanouts = spreading.own(session, inbound_id)
    chunks = [_chunk(context, session, fanout, priority) for fanout, priority in fanouts[:AT_ONCE]]
    return set().union(*chunks, {"fanout"} if len(chunks) < max(1, len(fanouts)) else ())


def _chunk(context: WorkerContext, session: Session, fanout: Fanout, priority: int) -> set[str]:
    """Writes one chunk. Returns the drains to wake: of the channels that got rows, and `fanout` when more is left."""
    chunk = FIRST if fanout.reached == 0 else CHUNK
    expanded = recipients.expand(session, fanout, priority, chunk)
    done = expanded.upto == recipients.END
    spreading.advance(session, fanout, expanded, done=done)
    if done:
        author_reports.schedule(session, fanout, fanout.texts + expanded.texts, context.settings.ask_phones)
    for channel, amount in expanded.made.items():
        counters.add("fanned_out", channel, amount=amount)
    return {channel for channel, amount in expanded.made.items() if amount} | (set() if done else {"fanout"})
