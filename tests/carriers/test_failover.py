"""Texts of a carrier that is down leave from a number of another one that may serve them, and go back afterwards."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.circuit_breaker import TRIES
from gateway.carriers.common.protocol import Outcome
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.settings.sms_numbers import sms_routes, sms_senders
from tests.support.delivering import Carrier, change, open_context, people, person, post, rows, states
from workers import deliver
from workers.runtime.context import WorkerContext, enter

TWILIO, KANNEL = "+15005550006", "+4915550100"


@pytest.fixture
def carriers() -> dict[str, Carrier]:
    return {"twilio": Carrier("sms"), "kannel": Carrier("sms")}


def opened(settings: Settings, carriers: dict[str, Carrier], routes: str = "") -> Iterator[WorkerContext]:
    numbers = sms_senders(f"{TWILIO},{KANNEL}@kannel")
    given = settings.model_copy(update={"sms_senders": numbers, "sms_routes": sms_routes(routes)})
    context = open_context(given)
    context.texts = carriers
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def context(settings: Settings, carriers: dict[str, Carrier]) -> Iterator[WorkerContext]:
    """All phones of the tests are with Kannel; Twilio steps in."""
    yield from opened(settings, carriers, "+1415=kannel,*=twilio")


@pytest.fixture
def strict(settings: Settings, carriers: dict[str, Carrier]) -> Iterator[WorkerContext]:
    yield from opened(settings, carriers, "+1415=kannel,+1=kannel")


def send(engine: Engine, count: int = 1) -> None:
    author = person(engine, "kim", phone="+14155550101")[0]
    post(engine, author, "hello", [Target(phone, "sms") for phone in people(engine, count)])
    deliver.drain_sms()


def away(_: object) -> Outcome:
    return Outcome("retry", reason="refused")


def test_phones_hear_from_the_carrier_they_are_routed_to(context, engine, carriers):
    send(engine, 5)
    assert {text.sender for text in carriers["kannel"].taken} == {KANNEL}
    assert (len(carriers["kannel"].taken), carriers["twilio"].taken) == (5, [])


def test_another_steps_in_while_it_is_down(context, engine, carriers):
    carriers["kannel"].answers = away
    send(engine, TRIES * 2)
    change(engine, "UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    deliver.drain_sms()
    assert set(states(engine)) == {"sent"}
    assert {text.sender for text in carriers["twilio"].taken} == {TWILIO}
    assert len(carriers["twilio"].taken) == TRIES * 2
    own = rows(engine, "SELECT DISTINCT s.number FROM addresses a JOIN senders s ON s.id = a.sender_id")
    assert [one.number for one in own] == [KANNEL]  # they go back to it


def test_what_is_in_doubt_stays_where_it_may_be(context, engine, carriers):
    carriers["kannel"].answers = lambda _: Outcome("unknown", reason="timeout")
    send(engine, TRIES)
    change(engine, "UPDATE senders SET paused_until = now() + interval '1 hour' WHERE carrier = 'kannel'")
    deliver.drain_sms()
    assert set(states(engine)) == {"unknown"}
    assert carriers["twilio"].taken == []


def test_nobody_steps_in_who_may_not_serve(strict, engine, carriers):
    carriers["kannel"].answers = away
    send(engine, TRIES * 2)
    change(engine, "UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    deliver.drain_sms()
    assert carriers["twilio"].taken == []
    assert "sent" not in states(engine)
