"""Limits how often Critter answers: enough for anyone who asks, too seldom for two machines to answer each other for
ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.ledger.inbox.inbox import BLOTTED
from gateway.ledger.money import budgets, spending
from gateway.settings import Settings
from gateway.sms import destinations
from gateway.store.tables import Address, Conversation, Delivery, Inbound, Message

HOURLY = 60  # answers to an identified address
CHANGING = 180  # answers to one whose words changed something; a limit against machines
STRANGER_HOURLY, STRANGER_DAILY = 1, 5
SAME_TEXT, SAME_TEXT_SPAN = 3, timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def may_answer(session: Session, address_id: int, inbound: Inbound) -> bool:
    """False beyond 60 answers an hour, or when the same text comes for the fourth time in a row."""
    return _answers(session, address_id, HOUR) < HOURLY and not _repeats(session, address_id, inbound.text)


def unsendable(session: Session, settings: Settings, address: Address, inbound: Inbound | None) -> str | None:
    """Why words of ours would not reach this address now, in words for the row of the input; None when they would. A
    question counts only once its reader can see it. `inbound`: what is answered, when it is an answer."""
    if inbound is not None and not may_answer(session, address.id, inbound):
        return "it had to be asked about, and no more answers go there for now"
    if address.channel == EMAIL:
        usable = address.state in ("verified", "stopped") and not address.bouncing_since
        return None if usable else NOT_THERE
    if address.state != "verified" or destinations.trouble(address.address, settings.sms_countries):
        return NOT_THERE
    lefts = spending.read_budgets_left(session, budgets.limits(settings), budgets.COMPANY)
    return None if all(left.left for left in lefts) else "it had to be asked about, and the budget for texts is used up"


NOT_THERE: Final = "it had to be asked about, and no answer may go there"


@dataclass(frozen=True, slots=True)
class ReplyAllowance:
    """What the next answer has to know: whether it may be sent, whether it must say that it is the last, and the posts
    whose reactions it may mention."""

    allowed: bool
    last: bool
    liked: Sequence[int]


def read_allowance(session: Session, address_id: int, inbound: Inbound, *, changed: bool) -> ReplyAllowance:
    """Reads both in one statement. Whoever changes something is answered for longer than who only asks."""
    liked = select(Conversation.liked).where(Conversation.address_id == address_id).scalar_subquery()
    number, posts = session.execute(select(_counted(address_id, HOUR).scalar_subquery(), liked)).one()
    allowed = number < (CHANGING if changed else HOURLY) and not _repeats(session, address_id, inbound.text)
    return ReplyAllowance(allowed, number == HOURLY - 1, posts or ())


def may_write_to_stranger(session: Session, address_id: int) -> bool:
    """Whether a stranger may get an automatic mail: one an hour and five a day, whatever they write."""
    hourly = _answers(session, address_id, HOUR) < STRANGER_HOURLY
    return hourly and _answers(session, address_id, DAY) < STRANGER_DAILY


def _answers(session: Session, address_id: int, span: timedelta) -> int:
    return session.scalar(_counted(address_id, span)) or 0


def _counted(address_id: int, span: timedelta) -> Select[int]:
    recent: tuple[Any, ...] = (Message.kind == "answer", Message.created_at > func.now() - span)
    oldest = func.id_at(func.now() - span)
    mine = select(func.count()).select_from(Delivery).join(Message, Message.id == Delivery.message_id)
    return mine.where(Delivery.address_id == address_id, Delivery.message_id >= oldest, *recent)


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
