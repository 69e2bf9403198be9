"""Fan-outs: those of one author run in order, each in committed chunks. workers/fanout works them off.

The row lock is the claim: a worker that dies releases it at once, and the next worker goes on at the cursor.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import Select, TextClause, bindparam, exists, func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from gateway.channels import EMAIL, PUSH, SMS
from gateway.ledger.outbox.deliveries import insert_for
from gateway.store.tables import Fanout, Message, Post

LONGEST_WAIT = timedelta(hours=1)
ORDERED: Final = 12  # up to so many failed tries (more than an hour) the author's next fan-outs wait for this one


def claim(session: Session) -> Fanout | None:
    """The oldest fan-out that is due, locked. One that still waits for `undo` holds up nothing behind it; one that
    failed holds up its author's next ones, so that nobody gets them in another order."""
    return session.scalars(OLDEST).first()


def own(session: Session, inbound_id: int) -> Sequence[tuple[Fanout, int]]:
    """The fan-outs of this inbound's post that are due and not behind another, locked, each with its priority."""
    return [(fanout, priority) for fanout, priority in session.execute(OWN, {"inbound": inbound_id})]


def priority(session: Session, fanout: Fanout) -> int:
    return session.scalars(select(Message.priority).where(Message.id == fanout.message_id)).one()


class ExpandedChunk(NamedTuple):
    """One chunk: the new cursor, and how many deliveries were made by each channel."""

    upto: int
    texts: int
    mails: int
    pushes: int

    @property
    def made(self) -> dict[str, int]:
        return {SMS: self.texts, EMAIL: self.mails, PUSH: self.pushes}


def advance(session: Session, fanout: Fanout, chunk: ExpandedChunk, *, done: bool) -> None:
    """Moves the cursor in the transaction that put the chunk's deliveries into the outbox."""
    key = {"message": fanout.message_id, "source": fanout.source_id}
    session.execute(ADVANCE, {**key, **chunk._asdict(), "done": done})


def expansion(audience: str) -> TextClause:
    """The statement that makes the deliveries of one chunk, given who gets them. `audience`: WITH queries, among them
    `recipients` (see deliveries.insert_for) and `bound`, whose `upto` is the new cursor. Its parameters may be
    :message, :source, :post, :author, :priority, :reached (the cursor) and :chunk (how many)."""
    return text(f"""
        {audience}, made AS ({insert_for("recipients")})
        SELECT (SELECT upto FROM bound) AS upto,
               (SELECT count(*) FROM made WHERE channel = '{SMS}') AS texts,
               (SELECT count(*) FROM made WHERE channel = '{EMAIL}') AS mails,
               (SELECT count(*) FROM made WHERE channel = '{PUSH}') AS pushes
    """)  # noqa: S608 - put together from constants


def expand(session: Session, statement: TextClause, fanout: Fanout, priority: int, chunk: int) -> ExpandedChunk:
    """Runs a statement of `expansion` for the next chunk."""
    given = {
        "message": fanout.message_id,
        "source": fanout.source_id,
        "post": fanout.post_id,
        "author": fanout.author_id,
        "priority": priority,
        "reached": fanout.reached,
        "chunk": chunk,
    }
    return ExpandedChunk(*session.execute(statement, given).one())


def postpone(session: Session, message_id: int, source_id: int) -> None:
    """Has a chunk that failed tried again after 1, 2, 4 … seconds, at most an hour."""
    row = update(Fanout).where(Fanout.message_id == message_id, Fanout.source_id == source_id)
    seconds = func.power(2, func.least(Fanout.attempt, ORDERED))  # a larger power would overflow the interval
    wait = func.least(func.make_interval(0, 0, 0, 0, 0, 0, seconds), LONGEST_WAIT)
    session.execute(row.values(attempt=Fanout.attempt + 1, not_before=func.now() + wait))


def _due() -> Select[Fanout]:
    earlier = aliased(Fanout)
    behind = exists().where(
        earlier.author_id == Fanout.author_id,
        earlier.message_id < Fanout.message_id,
        earlier.state == "waiting",
        or_(earlier.not_before <= func.now(), earlier.attempt.between(1, ORDERED)),
    )
    due = select(Fanout).where(Fanout.state == "waiting", Fanout.not_before <= func.now(), ~behind)
    return due.order_by(Fanout.message_id).with_for_update(skip_locked=True, of=Fanout)


# Built once, for they run for every text.
OLDEST = _due().limit(1)
OWN = (
    _due()
    .join(Post, Post.id == Fanout.post_id)
    .join(Message, Message.id == Fanout.message_id)
    .where(Post.inbound_id == bindparam("inbound"))
    .order_by(Fanout.source_id)  # people and groups are mostly older than the words that are tracked
    .add_columns(Message.priority)
)
ADVANCE = text("""
    UPDATE fanouts
    SET reached = :upto, attempt = 0, texts = texts + :texts, mails = mails + :mails,
        pushes = pushes + :pushes,
        state = CASE WHEN :done THEN 'done' ELSE state END,
        done_at = CASE WHEN :done THEN clock_timestamp() ELSE done_at END
    WHERE message_id = :message AND source_id = :source
""")
