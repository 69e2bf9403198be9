"""Spreads a post to its audience in committed chunks; after a crash it goes on at the cursor. RQ calls `drain`."""

import structlog
from sqlalchemy.orm import Session
from workers.drain import drain as drained
from workers.room import Room

from gateway.ledger import spreading
from gateway.network import audience
from gateway.store.database import transaction
from gateway.store.tables import Fanout

FIRST, CHUNK = 100, 2_000  # followers in the first chunk, so that somebody hears at once, and in the others
log = structlog.get_logger()


def drain() -> None:
    drained("fanout", step)


def step(here: Room) -> bool:
    """One chunk of the oldest fan-out that is due; False when there is none."""
    with transaction(here.engine) as session:
        fanout = spreading.claim(session)
        if fanout is None:
            return False
        key = (fanout.message_id, fanout.source_id)
        priority = spreading.priority(session, fanout)
        try:
            with session.begin_nested():
                texts, mails = _chunk(session, fanout, priority)
        except Exception:
            log.exception("fan-out failed", message=key[0])
            spreading.postpone(session, *key)
            return True
    for queue, count in (("sms", texts), ("email", mails)):
        if count:
            here.bell.ring(queue)
    return True


def _chunk(session: Session, fanout: Fanout, priority: int) -> tuple[int, int]:
    chunk = FIRST if fanout.reached == 0 else CHUNK
    upto, texts, mails = audience.expand(session, fanout, priority, chunk)
    spreading.advance(session, fanout, upto, texts, mails, done=upto == audience.END)
    return texts, mails
