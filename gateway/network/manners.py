"""How often Critter answers: enough for anyone who asks, too seldom for two machines to talk for ever."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.ledger.inbox import BLOTTED
from gateway.store.tables import Delivery, Inbound, Message

HOURLY = 60  # answers to an identified address
STRANGER_HOURLY, STRANGER_DAILY = 1, 5
SAME_TEXT, SAME_TEXT_SPAN = 3, timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def may_answer(session: Session, address_id: int, inbound: Inbound) -> bool:
    """False beyond 60 answers an hour, or when the same text comes for the fourth time in a row."""
    return _answers(session, address_id, HOUR) < HOURLY and not _repeats(session, address_id, inbound.text)


def last_answer(session: Session, address_id: int) -> bool:
    """The next answer is the last of this hour and should say so."""
    return _answers(session, address_id, HOUR) == HOURLY - 1


def may_write_to_stranger(session: Session, address_id: int) -> bool:
    """One automatic mail an hour and five a day, whatever they write."""
    hourly = _answers(session, address_id, HOUR) < STRANGER_HOURLY
    return hourly and _answers(session, address_id, DAY) < STRANGER_DAILY


def _answers(session: Session, address_id: int, span: timedelta) -> int:
    recent: tuple[Any, ...] = (Message.kind == "answer", Message.created_at > func.now() - span)
    oldest = func.id_at(func.now() - span)
    mine = select(func.count()).select_from(Delivery).join(Message, Message.id == Delivery.message_id)
    return session.scalar(mine.where(Delivery.address_id == address_id, Delivery.message_id >= oldest, *recent)) or 0


def _repeats(session: Session, address_id: int, text: str | None) -> bool:
    if text is None or text == BLOTTED:
        return False
    answered = (
        select(Inbound.text)
        .join(Message, Message.inbound_id == Inbound.id)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(Delivery.address_id == address_id, Delivery.message_id >= func.id_at(func.now() - SAME_TEXT_SPAN))
        .order_by(Delivery.message_id.desc())
        .limit(SAME_TEXT)
    )
    texts = session.scalars(answered.where(Message.kind == "answer")).all()
    return len(texts) == SAME_TEXT and set(texts) == {text}
