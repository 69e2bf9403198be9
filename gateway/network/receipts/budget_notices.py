"""Tells writers, once a day, that a budget stopped some of their words. The clock (workers/upkeep/scheduler) calls it
regularly."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.i18n.phrases import Phrase, count, say
from gateway.ledger.money import shortfalls
from gateway.ledger.money.shortfalls import BudgetShortfall
from gateway.network.conversation import notices

CALM: Final = timedelta(seconds=15)  # without another phone that was left out; a fan-out is over by then
MOST: Final = 500  # writers in one step


def tell(session: Session, calm: timedelta = CALM) -> frozenset[str]:
    """Tells them by mail where they have a mailbox, because that costs nothing. Returns the queues to wake."""
    queues: frozenset[str] = frozenset()
    for short in shortfalls.take_untold(session, calm, MOST):
        queues |= notices.tell_elsewhere(session, short.author_id, SMS, _words(short))
    return queues


def _words(short: BudgetShortfall) -> Phrase:
    phones = count("{count} phone", "{count} phones", short.phones)
    if short.scope == "company_month":
        return say(("The company's budget for texts is used up, so {phones} did not get your message. It "
"starts again on {day}."),
                   phones=phones, day=f"{_next_month(short.since):%Y-%m-%d}")  # fmt: skip
    if short.scope == "person":
        return say(("Your budget for texts is used up, so {phones} did not get your message. It starts again "
"at midnight UTC."),
                   phones=phones)  # fmt: skip
    return say(("Today's budget for texts is used up, so {phones} did not get your message. It starts "
"again at midnight UTC."),
               phones=phones)  # fmt: skip


def _next_month(moment: datetime) -> datetime:
    return (moment.astimezone(UTC).replace(day=1) + timedelta(days=32)).replace(day=1)
