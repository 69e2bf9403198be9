"""The carrier's own prices come later, and correct what was estimated; what makes no sense is left out."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs
from twilio.rest.api.v2010.account.message import MessageInstance

from gateway.carriers.common.protocol import Outcome, PricePage, Text
from gateway.carriers.twilio.prices import price_page
from gateway.carriers.twilio.sms import TwilioSms
from gateway.errors import CarrierError
from gateway.ledger.money import price_sync
from gateway.ledger.outbox.outbox import Target
from gateway.store.database import transaction
from tests.support.delivering import Carrier, change, open_context, people, person, post, rows
from tests.support.simulation import ACCOUNT, OURS, TOKEN, simulation
from workers import deliver
from workers import price_sync as prices
from workers.runtime.context import WorkerContext, enter


class Biller(Carrier):
    """A carrier whose pages of prices are these; the list's second page is called "1 PA"."""

    def __init__(self) -> None:
        super().__init__("sms")
        self.pages: list[dict[str, Decimal] | CarrierError] = []
        self.asked: list[tuple[date, str | None]] = []

    async def prices(self, day: date, page: str | None) -> PricePage:
        self.asked.append((day, page))
        found = self.pages.pop(0)
        if isinstance(found, CarrierError):
            raise found
        return PricePage(found, 0, "1 PA" if self.pages and isinstance(self.pages[0], dict) else None)


@pytest.fixture
def biller() -> Biller:
    return Biller()


@pytest.fixture
def context(settings, biller: Biller) -> Iterator[WorkerContext]:
    context = open_context(settings, biller)
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def sent(engine: Engine, context: WorkerContext) -> list[str]:
    """Two texts of today, by the carrier's id."""
    kim = person(engine, "kim", phone="+14155550101")[0]
    post(engine, kim, "hello", [Target(address, "sms") for address in people(engine, 2)])
    deliver.drain_sms()
    change(engine, "INSERT INTO price_sweeps (day) VALUES ((now() AT TIME ZONE 'UTC')::date)")
    return [row.carrier_id for row in rows(engine, "SELECT carrier_id FROM attempts ORDER BY id")]


def month(engine: Engine) -> int:
    return rows(engine, "SELECT used FROM budgets WHERE scope = 'company_month'")[0].used


def sweep(engine: Engine) -> object:
    return rows(engine, "SELECT next_page, rounds, not_before > now() AS later FROM price_sweeps")[0]


def test_a_price_corrects_the_charge_and_the_month(context, engine, biller, sent):
    assert month(engine) == 2 * 8_300
    biller.pages = [{sent[0]: Decimal("0.0113"), "SMother": Decimal("5")}, {sent[1]: Decimal("0.0081")}]
    assert prices.step(context)
    assert month(engine) == 11_300 + 8_300
    assert (sweep(engine).next_page, sweep(engine).later) == ("1 PA", False)
    assert prices.step(context)
    assert not prices.step(context)
    today = rows(engine, "SELECT day FROM price_sweeps")[0].day
    assert biller.asked == [(today, None), (today, "1 PA")]
    assert month(engine) == 11_300 + 8_100
    assert [row.billed for row in rows(engine, "SELECT billed FROM charges ORDER BY attempt_id")] == [11_300, 8_100]
    assert rows(engine, "SELECT FROM price_sweeps WHERE not_before = 'infinity'")


def test_a_price_that_is_told_twice_counts_once(context, engine, biller, sent):
    biller.pages = [{sent[0]: Decimal("0.02")}, {sent[0]: Decimal("0.02")}]
    prices.step(context)
    prices.step(context)
    assert month(engine) == 20_000 + 8_300


def test_a_dearer_bill_than_the_budget_is_written_down_and_breaks_no_rule(context, engine, biller, sent):
    biller.pages = [{sent[0]: Decimal("99")}]
    change(engine, "UPDATE budgets SET allowed = used")
    prices.step(context)
    assert not rows(engine, "SELECT FROM budgets WHERE used > allowed")


def test_while_prices_are_missing_the_list_is_read_again_a_day_later(context, engine, biller, sent):
    biller.pages = [{}]
    prices.step(context)
    assert (sweep(engine).rounds, sweep(engine).later) == (1, True)
    assert rows(engine, "SELECT FROM price_sweeps WHERE not_before < now() + interval '25 hours'")


def test_a_list_that_cannot_be_had_is_asked_for_later_from_the_same_page(context, engine, biller, sent):
    biller.pages = [CarrierError("503", "transient")]
    with capture_logs() as logs:
        prices.step(context)
    assert [line["event"] for line in logs] == ["no prices from the carrier"]
    assert (sweep(engine).rounds, sweep(engine).later) == (0, True)


def test_yesterday_is_opened_once_when_it_is_over(context, engine, biller, sent):
    change(engine, "DELETE FROM price_sweeps")
    for ago, days in ((0, 0), (1, 1), (1, 1), (9, 1)):
        change(engine, f"UPDATE charges SET charged_at = now() - interval '{ago} days'")
        with transaction(engine) as session:
            price_sync.open_days(session)
        assert len(rows(engine, "SELECT FROM price_sweeps")) == days


def message(**fields: object) -> MessageInstance:
    given = {"sid": "SM1", "direction": "outbound-api", "price": "-0.00750", "price_unit": "USD", **fields}
    return MessageInstance(None, given, account_sid=ACCOUNT)


def test_what_makes_no_sense_as_a_price_is_left_out():
    page = price_page(
        [
            message(),
            message(sid="SM2", price=None),
            message(sid="SM3", direction="inbound"),
            message(sid="SM4", price_unit="EUR"),
            message(sid="SM5", price="free"),
            message(sid="SM6", price="0.01"),
            message(sid="SM7", price="NaN"),
            message(sid="SM8", price="-1e9"),
            message(sid=None),
        ],
        "https://api.twilio.com/x.json?PageSize=2&Page=1&PageToken=PASM9",
    )
    assert page == PricePage({"SM1": Decimal("0.00750")}, 5, "1 PASM9")


def test_the_simulator_tells_prices_as_twilio_does():
    """None until it is final, then negative dollars; the second page is where the first ended."""

    async def story(sim, day: date) -> tuple[list[Outcome], list[PricePage]]:
        carrier, outcomes, pages = TwilioSms(ACCOUNT, TOKEN, sim.url, timeout=2.0), [], []
        texts = [Text(n, OURS, f"+1415556{n:04}", "x" * 200, f"{sim.critter}/s", 14400) for n in range(3)]
        await carrier.send(texts, lambda _, outcome: outcomes.append(outcome))
        place = None
        async with asyncio.timeout(20):
            while not pages or len(pages[-1].prices) < 3:
                pages.append(await carrier.prices(day, place))
        await carrier.close()
        return outcomes, pages

    with simulation() as sim:
        outcomes, pages = asyncio.run(story(sim, datetime.now(UTC).date()))
    assert {one.carrier_id for one in outcomes} == set(pages[-1].prices)
    assert set(pages[-1].prices.values()) == {2 * Decimal("0.0083")}
    assert pages[-1].next_page is None
    assert pages[-1].skipped == 0
