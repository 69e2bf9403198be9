"""What waits for an operator's decision: mails whose sender nothing proves, inputs that three workers crashed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.channels import EMAIL, SMS
from gateway.doors.web.operate import ROUTER, held_words
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import count
from gateway.ledger.audit import audit_log
from gateway.ledger.operations import retry
from gateway.ledger.operations.retry import HeldInput
from gateway.network.operating import held_inputs
from gateway.network.operating.audit_reasons import LONGEST
from gateway.network.people import addresses
from gateway.security.masking import last_two
from gateway.store.tables import Account, Inbound

SHOWN: Final = 50
READERS: Final = "inbound"  # the queue of those that are let in


@dataclass(frozen=True, slots=True)
class HeldCard:
    """One of them as a page shows it. `as_whom`: whose mailbox or phone it says it is from."""

    row: HeldInput
    as_whom: Account | None
    to: tuple[str, ...]
    octets: int
    tries: int


@ROUTER.page("/operate/held", "operator")
def held(visit: Visit) -> str:
    return _page(visit)


def _page(visit: Visit, asked: int = 0, words: str | None = None) -> str:
    rows = retry.list_held(visit.session)
    cards = _cards(visit.session, rows[:SHOWN])
    return show(visit, "held.html", cards=cards, all=len(rows), asked=asked, words=words)


def _cards(session: Session, rows: Sequence[HeldInput]) -> list[HeldCard]:
    found = {row.id: row for row in session.scalars(select(Inbound).where(Inbound.id.in_([row.id for row in rows])))}
    return [_card(session, row, found[row.id]) for row in rows if row.id in found]


def _card(session: Session, row: HeldInput, whole: Inbound) -> HeldCard:
    address = addresses.find(session, row.channel if row.channel in (SMS, EMAIL) else SMS, row.sender)
    owner = session.get(Account, address.account_id) if address and address.account_id else None
    to = tuple(held_inputs.without_token(each, last_two) for each in whole.recipients)
    return HeldCard(row, owner, to, len(whole.raw or (whole.text or "").encode()), whole.attempt)


@ROUTER.post("/operate/held/<int:input_id>/words", "operator")
def show_held_words(visit: Visit, input_id: int) -> str:
    """The page once more, with the words of one where they are not private. Each look is written down."""
    row = retry.read_one(visit.session, input_id)
    words = held_words.shown(visit, row)
    audit_log.record(visit.session, operator(visit), "held.words", row.id, {"shown": words is not None})
    return _page(visit, row.id, words)


@ROUTER.post("/operate/held/<int:input_id>/approve", "operator")
def approve_held(visit: Visit, input_id: int) -> Response:
    done = held_inputs.approve(visit.session, [input_id], operator(visit), visit.form("reason", LONGEST))
    visit.queues.add(READERS)
    visit.say(count("Let in: {count}. It is read now.", "Let in: {count}. They are read now.", done))
    return see_other("/operate/held")


@ROUTER.post("/operate/held/<int:input_id>/drop", "operator")
def drop_held(visit: Visit, input_id: int) -> Response:
    done = held_inputs.drop(visit.session, [input_id], operator(visit), visit.form("reason", LONGEST))
    visit.say(count("Put away: {count}. Nobody is told.", "Put away: {count}. Nobody is told.", done))
    return see_other("/operate/held")
