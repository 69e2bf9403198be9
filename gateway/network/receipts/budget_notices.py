"""Tells writers, once a day, that a budget stopped some of their words. The clock (workers/upkeep/scheduler) calls it
regularly."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.i18n.phrases import Phrase, count, say
from gateway.network.conversation import notices

CALM: Final = timedelta(seconds=15)  # without another phone that was left out; a fan-out is over by then
MOST: Final = 500  # writers in one step


class BudgetShortfall(NamedTuple):
    """One writer: how many phones got not all of their words, since when, and whose budget was the first to stop
    them."""

    author_id: int
    phones: int
    scope: str
    since: datetime


def tell(session: Session, calm: timedelta = CALM) -> frozenset[str]:
    """Tells them by mail where they have a mailbox, because that costs nothing. Returns the queues to wake."""
    rung: frozenset[str] = frozenset()
    for row in session.execute(UNTOLD, {"calm": calm, "most": MOST}).all():
        short = BudgetShortfall(*row)
        rung |= notices.tell_elsewhere(session, short.author_id, SMS, _words(short))
    return rung


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


# Whoever was told today is not told again; the receipts show what else is stopped today.
UNTOLD: Final = text("""
    WITH short AS (
        SELECT author_id FROM shortfalls WHERE told_at IS NULL
        GROUP BY author_id HAVING max(missed_at) < now() - CAST(:calm AS interval) LIMIT :most
    ), told AS (
        UPDATE shortfalls s SET told_at = now() FROM short
        WHERE s.author_id = short.author_id AND s.told_at IS NULL
        RETURNING s.author_id, s.phones, s.scope, s.created_at, s.message_id
    )
    SELECT author_id, CAST(sum(phones) AS bigint), (array_agg(scope ORDER BY message_id))[1], min(created_at) FROM told
    WHERE NOT EXISTS (SELECT FROM shortfalls before WHERE before.author_id = told.author_id
                      AND before.told_at >= date_trunc('day', now(), 'UTC'))
    GROUP BY author_id
""")
