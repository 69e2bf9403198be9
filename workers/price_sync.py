"""Corrects the cost of texts by the carrier's own prices, which are known some time later. RQ calls `drain`; the clock
wakes it.

A status callback has no price, so the list of a whole day is read, one page in each step: new texts never wait long.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from gateway.carriers.common.protocol import Billing, PricePage
from gateway.errors import CarrierError
from gateway.ledger.money import budgets, charges, price_sync
from gateway.ledger.money.price_sync import PriceDay
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

TURN: Final = 2.0  # seconds
LIMIT: Final = 20.0  # seconds for one page
AGAIN: Final = timedelta(minutes=10)  # until the next try after a page that could not be fetched

log = structlog.get_logger()


def drain() -> None:
    drained("prices", step, TURN)


def step(context: WorkerContext) -> bool:
    """Reads one page of the oldest day that is due; returns False when none is. Only one carrier has prices so far."""
    carriers = [carrier for carrier in context.texts.values() if isinstance(carrier, Billing)]
    with transaction(context.engine) as session:
        day = price_sync.due(session) if carriers else None
    if day is None:
        return False
    page = context.loop.run(_page(carriers[0], day))
    with transaction(context.engine) as session:
        if page is None:
            price_sync.put_off(session, day.day, AGAIN)
            return True
        charges.correct(session, {sid: budgets.micros(price) for sid, price in page.prices.items()})
        price_sync.go_on(session, day.day, page.next_page)
    if page.skipped:
        log.warning("prices that are not in dollars, or make no sense, were left out", texts=page.skipped)
    return True


async def _page(carrier: Billing, day: PriceDay) -> PricePage | None:
    try:
        async with asyncio.timeout(LIMIT):
            return await carrier.prices(day.day, day.next_page)
    except (CarrierError, TimeoutError) as problem:
        log.warning("no prices from the carrier", problem=str(problem) or "timeout")
        return None
