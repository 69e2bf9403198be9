"""STOP in the middle of a fan-out to 2,000 phones: no request to the carrier begins more than a second later (I7)."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import OutboundEmail, Outcome, Text
from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support import personas
from tests.support.delivering import Carrier, change, open_context, people, person, rows
from tests.support.examples import many
from tests.support.stall_meter import StallMeter
from workers import deliver, fanout
from workers.runtime.context import WorkerContext, enter

PHONES, STOPPING = many(2_000, 1_000), 40
RATE = PHONES / 5  # texts a second: the fan-out lasts five seconds


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def context(settings: Settings, texts: Carrier) -> Iterator[WorkerContext]:
    changed = {"public_url": "https://critter.example", "sms_rate": RATE, "ask_phones": PHONES}
    context = open_context(settings.model_copy(update=changed), texts, Carrier("email"))
    enter(context)
    yield context
    enter(None)
    context.close()


def hear_text(context: WorkerContext, phone: str, words: str) -> float:
    """A text as the inbound worker reads it; the moment when it had committed."""
    sid = f"SM{uuid.uuid4().hex}"
    with transaction(context.engine) as session:
        incoming = Incoming("sms", sid.encode(), phone, (personas.NUMBER,), b"", True, sid, words)
        inbox.accept(session, inbox.hash_key(session), [incoming])
    with transaction(context.engine) as session:
        claimed = inbox.claim(session, "test", timedelta(seconds=60), 1)[0]
        row, _ = inbox.take(session, claimed) or (None, None)
        assert row is not None
        outcome = process(session, context.registry, row)
        inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
    return time.monotonic()


@pytest.mark.repeats
def test_stop_overtakes_a_fan_out_to_thousands(context: WorkerContext, engine: Engine, texts: Carrier) -> None:
    """Some stop before their row was made, some when it waits, some when it is claimed already; the last phones of the
    fan-out stop, so that all of them still had something coming."""
    kim = person(engine, "kim", phone="+14155550101")[0]
    people(engine, PHONES)
    change(engine, "INSERT INTO installation (mode) VALUES ('simulated')")
    change(
        engine,
        f"INSERT INTO follows (follower_id, account_id, by_text)"
        f" SELECT account_id, {kim}, true FROM addresses WHERE address LIKE '+1415556%'",
    )
    hear_text(context, "+14155550101", "the harbour bridge is closed until noon")
    moving(texts)
    spreading = threading.Thread(target=spread, args=(context,))
    said: dict[str, float] = {}
    stopping = threading.Thread(target=stop_some, args=(context, texts, said))
    spreading.start()
    stopping.start()
    end = time.monotonic() + 60
    with StallMeter() as stalls:
        while time.monotonic() < end and (spreading.is_alive() or stopping.is_alive() or waiting(engine)):
            deliver.drain_sms()
        spreading.join()
        stopping.join()
    began = {text.recipient: at for at, text in zip(texts.began, texts.taken, strict=True)}
    assert len(began) == len(texts.taken), "nobody got it twice"
    late = {phone: began[phone] - at for phone, at in said.items() if phone in began}
    assert len(said) == STOPPING
    assert max(late.values(), default=0.0) <= 1.0 + stalls.together
    out = rows(engine, "SELECT count(*) AS n FROM deliveries WHERE reason IN ('stopped', 'opted_out')")[0].n
    assert out == STOPPING - len(late)
    assert out > STOPPING // 2, "the stops came too late to prove anything"
    assert len(texts.taken) == PHONES - out
    assert waiting(engine) == 0


def spread(context: WorkerContext) -> None:
    while fanout.step(context):
        pass


texts_moved = threading.Condition()


def moving(texts: Carrier) -> None:
    """Every text that the carrier took wakes who waits for it."""

    def answers(parcel: Text | OutboundEmail) -> Outcome:
        with texts_moved:
            texts_moved.notify_all()
        return texts.accept(parcel)

    texts.answers = answers


def stop_some(context: WorkerContext, texts: Carrier, said: dict[str, float]) -> None:
    """One after the other while the fan-out runs, from its end and from where it just is."""
    for number in range(STOPPING):
        with texts_moved:
            assert texts_moved.wait_for(lambda: len(texts.taken) >= number * 20, timeout=60)  # noqa: B023
        place = PHONES - 1 - number if number % 2 else min(PHONES - 1 - STOPPING, len(texts.taken) + 200)
        phone = f"+1415556{place:04}"
        if phone not in said:
            said[phone] = hear_text(context, phone, "STOP")
            continue
        phone = f"+1415556{PHONES - 1 - number:04}"
        said[phone] = hear_text(context, phone, "STOP")


def waiting(engine: Engine) -> int:
    open_ = "SELECT count(*) AS n FROM deliveries WHERE channel = 'sms' AND ended_at IS NULL"
    return int(rows(engine, open_)[0].n)
