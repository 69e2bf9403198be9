"""A company that talks within one transaction, for tests that ask a thousand things and keep none of them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from gateway.inbound.commands import CommandRegistry
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process
from gateway.ledger.outbox import fanouts
from gateway.network.audience import recipients
from gateway.store.tables import Address, Delivery, Inbound, Message
from tests.support import personas
from tests.support.refusals import refusals


@contextmanager
def roll_back_after(engine: Engine) -> Iterator[Session]:
    """A session whose every word is rolled back in the end."""
    with engine.connect() as connection, Session(connection, join_transaction_mode="create_savepoint") as session:
        outer = connection.get_transaction() or connection.begin()
        try:
            yield session
        finally:
            session.close()
            outer.rollback()


def tell(session: Session, registry: CommandRegistry, sender: str, words: str) -> InboundOutcome:
    """A text from this phone, read and done at once."""
    row = Inbound(
        channel="sms", natural_key=uuid.uuid4().bytes, sender=sender, recipients=[personas.NUMBER], trusted=True,
        text=words, state="working", received_at=func.clock_timestamp(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.refresh(row)
    outcome = process(session, registry, row)
    row.state, row.intent = outcome.state, outcome.intent
    session.flush()
    return outcome


def tried(session: Session, registry: CommandRegistry, sender: str, words: str) -> str:
    """What would be answered; nothing of it stays."""
    with session.begin_nested() as kept:
        said = tell(session, registry, sender, words).answer or ""
        kept.rollback()
    return said


def deliver(session: Session) -> list[tuple[int, int]]:
    """Spreads and sends all that is due: (post or 0, address) of each that left."""
    while fanout := fanouts.claim(session):
        chunk = recipients.expand(session, fanout, fanouts.priority(session, fanout), 100)
        fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
        session.flush()
        session.expire_all()
    due = session.execute(
        select(Delivery, Message.post_id)
        .join(Message, Message.id == Delivery.message_id)
        .join(Address, Address.id == Delivery.address_id)
        .where(Delivery.ended_at.is_(None))
        .order_by(Delivery.message_id)
    ).all()
    refused = refusals(session, [(row.message_id, row.address_id) for row, _ in due])
    now = session.scalar(text("SELECT clock_timestamp()"))
    left = []
    for row, post in due:
        reason = refused.get((row.message_id, row.address_id))
        row.state, row.reason, row.ended_at = "cancelled" if reason else "sent", reason, now
        if not reason:
            row.sent_at = now
            left.append((post or 0, row.address_id))
    session.flush()
    return left
