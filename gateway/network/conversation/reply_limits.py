"""Limits how often Critter answers: enough for anyone who asks, too seldom for two machines to answer each other for
ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.ledger.inbox.inbox import BLOTTED
from gateway.ledger.money import budgets, spending
from gateway.settings import Settings
from gateway.sms import destinations
from gateway.store.tables import Address, Inbound

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
    """Reads all of it in one statement. Whoever changes something is answered for longer than who only asks."""
    number, posts, texts = session.execute(ALLOWANCE, {"address": address_id}).one()
    allowed = number < (CHANGING if changed else HOURLY) and not _is_again(texts or (), inbound.text)
    return ReplyAllowance(allowed, number == HOURLY - 1, posts or ())


def may_write_to_stranger(session: Session, address_id: int) -> bool:
    """Whether a stranger may get an automatic mail: one an hour and five a day, whatever they write."""
    hourly = _answers(session, address_id, HOUR) < STRANGER_HOURLY
    return hourly and _answers(session, address_id, DAY) < STRANGER_DAILY


def _answers(session: Session, address_id: int, span: timedelta) -> int:
    return session.scalar(ANSWERS, {"address": address_id, "span": span}) or 0


def _repeats(session: Session, address_id: int, text: str | None) -> bool:
    return _is_again(session.scalars(ANSWERED, {"address": address_id}).all(), text)


def _is_again(answered: Sequence[str | None], text: str | None) -> bool:
    """Whether the last texts that were answered were all this one."""
    return text not in (None, BLOTTED) and len(answered) == SAME_TEXT and set(answered) == {text}


# Written out, for they run for every answer.
_COUNTED: Final = """
    SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id
    WHERE d.address_id = :address AND d.message_id >= id_at(now() - {span}) AND m.kind = 'answer'
      AND m.created_at > now() - {span}"""
_ANSWERED: Final = f"""
    SELECT i.text FROM deliveries d
    JOIN messages m ON m.id = d.message_id
    JOIN inbound i ON i.id = m.inbound_id
    WHERE d.address_id = :address AND d.message_id >= id_at(now() - interval '{SAME_TEXT_SPAN.total_seconds():.0f} s')
      AND m.kind = 'answer'
    ORDER BY d.message_id DESC LIMIT {SAME_TEXT}"""  # noqa: S608 - put together from constants
ANSWERS: Final = text(_COUNTED.format(span="CAST(:span AS interval)"))
ANSWERED: Final = text(_ANSWERED)
ALLOWANCE: Final = text(f"""
    SELECT ({_COUNTED.format(span="interval '1 hour'")}),
           (SELECT liked FROM conversations WHERE address_id = :address),
           ARRAY({_ANSWERED})
""")  # noqa: S608 - put together from constants
