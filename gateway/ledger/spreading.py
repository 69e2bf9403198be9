"""Fan-outs on their way: one author's run in order, each in committed chunks. workers/fanout takes them.

The row lock is the claim: a worker that dies lets go of it at once, and the next one goes on at the cursor.
"""

from datetime import timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from gateway.store.tables import Fanout, Message

LONGEST_WAIT = timedelta(hours=1)


def claim(session: Session) -> Fanout | None:
    """The oldest fan-out that is due, locked. One that still waits for `undo` holds up nothing behind it."""
    earlier = aliased(Fanout)
    behind = exists().where(
        earlier.author_id == Fanout.author_id,
        earlier.message_id < Fanout.message_id,
        earlier.state == "waiting",
        earlier.not_before <= func.now(),
    )
    due = select(Fanout).where(Fanout.state == "waiting", Fanout.not_before <= func.now(), ~behind)
    return session.scalars(due.order_by(Fanout.message_id).limit(1).with_for_update(skip_locked=True)).first()


def priority(session: Session, fanout: Fanout) -> int:
    return session.scalars(select(Message.priority).where(Message.id == fanout.message_id)).one()


def advance(session: Session, fanout: Fanout, upto: int, texts: int, mails: int, *, done: bool) -> None:
    """Moves the cursor with what the chunk put into the outbox."""
    fanout.reached, fanout.attempt = upto, 0
    fanout.texts += texts
    fanout.mails += mails
    if done:
        fanout.state = "done"
        fanout.done_at = session.scalar(select(func.clock_timestamp()))


def postpone(session: Session, message_id: int, source_id: int) -> None:
    """A chunk failed: tried again after 1, 2, 4 … seconds, at most an hour."""
    row = update(Fanout).where(Fanout.message_id == message_id, Fanout.source_id == source_id)
    wait = func.least(func.make_interval(0, 0, 0, 0, 0, 0, func.power(2, Fanout.attempt)), LONGEST_WAIT)
    session.execute(row.values(attempt=Fanout.attempt + 1, not_before=func.now() + wait))
