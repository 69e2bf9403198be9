"""Our numbers: who hears from which, how fast each may send over all processes, and what a pause keeps back."""

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine

from gateway.carriers.common.protocol import Outcome
from gateway.ledger.outbox.outbox import Target
from gateway.ledger.senders import senders
from gateway.rate_limiter import Buckets, SendSlot
from gateway.settings import Settings
from gateway.settings.sms_numbers import sms_senders
from gateway.store.database import transaction
from tests.support.delivering import Carrier, change, open_context, people, post, rows, states
from tests.support.stall_meter import StallMeter
from workers import deliver
from workers.runtime.context import WorkerContext, enter
from workers.sending import number_pool
from workers.sending.pacing import Bucket, Pacer

NUMBERS = ("+15005550006", "+15005550007", "+15005550008")
Sent = tuple[list[float], float]  # when each text began, and the longest that one missed its slot by


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_senders": sms_senders(",".join(NUMBERS))})


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def context(settings: Settings, texts: Carrier) -> Iterator[WorkerContext]:
    context = open_context(settings, texts)
    enter(context)
    yield context
    enter(None)
    context.close()


def phones(engine: Engine, count: int) -> list[Target]:
    return [Target(address, "sms") for address in people(engine, count)]


def drain(engine: Engine) -> None:
    end = time.monotonic() + 20
    while "queued" in states(engine):
        assert time.monotonic() < end
        deliver.drain_sms()


@pytest.fixture
def kim(engine: Engine) -> int:
    change(engine, "INSERT INTO accounts (kind, handle, name) VALUES ('person', 'kim', 'Kim')")
    return rows(engine, "SELECT id FROM accounts WHERE handle = 'kim'")[0].id


def test_phones_are_spread_over_our_numbers_and_keep_theirs(context, engine, texts, kim):
    to = phones(engine, 60)
    for words in ("one", "two"):
        post(engine, kim, words, to)
        drain(engine)
    heard = {(text.recipient, text.sender) for text in texts.taken}
    assert len(heard) == 60
    assert set(Counter(sender for _, sender in heard)) == set(NUMBERS)
    assert min(Counter(sender for _, sender in heard).values()) >= 8


def test_a_number_that_is_gone_hands_its_phones_over(context, settings, engine, texts, kim):
    to = phones(engine, 30)
    post(engine, kim, "one", to)
    drain(engine)
    before = {text.recipient: text.sender for text in texts.taken}
    texts.taken.clear()
    post(engine, kim, "two", to)
    with transaction(engine) as session:
        senders.sync(session, [(number, "twilio") for number in NUMBERS[1:]])
    drain(engine)
    after = {text.recipient: text.sender for text in texts.taken}
    assert {phone: number for phone, number in before.items() if number != NUMBERS[0]}.items() <= after.items()
    assert set(after.values()) == set(NUMBERS[1:])


def test_others_stand_in_for_a_paused_number_and_none_sends_when_all_are(context, engine, texts, kim, monkeypatch):
    monkeypatch.setattr(number_pool, "FRESH", 0.1)  # seconds that a process knows the state of our numbers
    to = phones(engine, 30)
    post(engine, kim, "one", to)
    drain(engine)
    texts.taken.clear()
    with transaction(engine) as session:
        assert senders.pause(session, NUMBERS[0], None, None, "an operator") == 1
    time.sleep(0.2)
    post(engine, kim, "two", to)
    drain(engine)
    assert {text.sender for text in texts.taken} == set(NUMBERS[1:])
    assert len(texts.taken) == 30
    with transaction(engine) as session:
        assert senders.pause(session, None, "twilio", None, "an operator") == 3
    time.sleep(0.2)
    post(engine, kim, "three", to)
    deliver.drain_sms()
    assert len(texts.taken) == 30
    assert states(engine).count("queued") == 30


def test_a_refused_number_is_paused_for_everybody(context, engine, texts, kim):
    def answers(text):
        refused = text.sender == NUMBERS[0]
        return Outcome("retry", reason="30034", pause=True, one_number=True) if refused else texts.accept(text)

    texts.answers = answers
    post(engine, kim, "one", phones(engine, 30))
    deliver.drain_sms()
    assert [row.number for row in rows(engine, "SELECT * FROM senders WHERE paused_until > now()")] == [NUMBERS[0]]
    assert set(states(engine)) == {"sent", "queued"}


def test_what_nobody_may_text_fails_and_is_not_asked_about_again(context, engine, texts, kim):
    post(engine, kim, "one", phones(engine, 2))
    with transaction(engine) as session:
        senders.assign(session, lambda phone: None)
    assert {(row.state, row.reason) for row in rows(engine)} == {("failed", "no_route")}


def test_a_code_overtakes_a_fan_out(settings, engine, texts, kim):
    """However many wait: a claim holds less than half a second of the number's rate."""
    context = open_context(
        settings.model_copy(update={"sms_rate": 40.0, "sms_senders": sms_senders(NUMBERS[0])}), texts
    )
    enter(context)
    to = phones(engine, 400)
    post(engine, kim, "hello", to)

    def answers(text):
        if len(texts.taken) == 20:
            change(engine, CODE)
        return texts.accept(text)

    texts.answers = answers
    with StallMeter() as stalls:
        deliver.drain_sms()
    enter(None)
    context.close()
    place = next(place for place, text in enumerate(texts.taken) if "123456" in text.body)
    assert texts.began[place] - texts.began[19] <= 1.0 + stalls.together
    assert len(texts.taken) > place + 1


CODE = """
    WITH code AS (INSERT INTO messages (kind, priority, text, subject, body)
                  VALUES ('code', 0, '123456 is your code', 'code', 'code') RETURNING id)
    INSERT INTO deliveries (message_id, address_id, sender_id, channel, priority, give_up_at)
    SELECT code.id, a.id, a.sender_id, 'sms', 0, now() + interval '1 hour'
    FROM code, (SELECT * FROM addresses ORDER BY id DESC LIMIT 1) a
"""


class NotedBuckets(Buckets):
    """Notes by how much the machine made a text miss its slot: later slots move, but none that is booked already."""

    missed = 0.0

    async def book(self, name: str, interval: float, count: int, late: float = 0.0) -> list[SendSlot]:
        self.missed = max(self.missed, late)
        return await super().book(name, interval, count, late)


def send_at(redis_url: str, rate: float, seconds: float, found: "multiprocessing.Queue[Sent]") -> None:
    async def run() -> Sent:
        buckets = NotedBuckets(redis_url)
        pacer = Pacer([Bucket(buckets, "one", rate)])
        began: list[float] = []
        loop = asyncio.get_running_loop()
        looked, clock = [0.0], loop.time

        def look() -> float:
            looked[0] = clock()
            return looked[0]

        loop.time = look  # this process may be held up between the pacer's last look and one of our own
        end = clock() + seconds
        while clock() < end:
            assert await pacer.slot(pacer.together, 100)
            began.extend([looked[0]] * pacer.together)
        await buckets.close()
        return began, buckets.missed

    found.put(asyncio.run(run()))


@pytest.mark.parametrize("rate", [10, 100, 400])
def test_two_processes_together_never_exceed_the_rate(servers, rate):
    fork = multiprocessing.get_context("fork")
    found: multiprocessing.Queue[Sent] = fork.Queue()
    Redis.from_url(servers.redis_url).delete("rate:one")
    workers = [fork.Process(target=send_at, args=(servers.redis_url, rate, 2.5, found)) for _ in range(2)]
    for worker in workers:
        worker.start()
    (first, early), (second, other) = (found.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join(5)
    began, missed = sorted(first + second), max(early, other)
    assert all(later - earlier > 1.0 - missed for earlier, later in zip(began, began[rate:], strict=False))
    print(f"rate {rate}: {(len(began) - 1) / (began[-1] - began[0]):.1f} a second")


def test_a_redis_that_is_away_is_said_not_guessed(tmp_path):
    pacer = Pacer([Bucket(Buckets(f"unix://{tmp_path}/nobody.sock"), "one", 100.0)])

    async def run() -> bool:
        return await pacer.slot(1, 1)

    assert asyncio.run(run()) is False


def test_an_account_holds_all_its_numbers_back(settings, engine, texts, kim):
    context = open_context(settings.model_copy(update={"sms_account_rate": 60.0}), texts)
    enter(context)
    post(engine, kim, "hello", phones(engine, 130))
    drain(engine)
    enter(None)
    context.close()
    began = sorted(texts.began)
    assert {text.sender for text in texts.taken} == set(NUMBERS)
    assert all(later - earlier > 0.98 for earlier, later in zip(began, began[60:], strict=False))


def test_another_carrier_stands_in_for_one_that_cannot_be_reached(settings, engine, texts, kim):
    """Only what surely did not leave goes the other way."""
    two = sms_senders(f"{NUMBERS[0]},{NUMBERS[1]}@kannel")
    kannel = Carrier("sms")
    kannel.answers = lambda _: Outcome("retry", reason="refused")
    context = open_context(settings.model_copy(update={"sms_senders": two}), texts)
    context.texts = {"twilio": texts, "kannel": kannel}
    enter(context)
    post(engine, kim, "hello", phones(engine, 40))
    deliver.drain_sms()
    assert len(kannel.taken) >= 5
    end = time.monotonic() + 20
    while states(engine) != ["sent"] * 40:
        assert time.monotonic() < end
        change(engine, "UPDATE deliveries SET not_before = now() WHERE state = 'retry'")
        deliver.drain_sms()
    enter(None)
    context.close()
    assert len(texts.taken) == 40
    assert {text.sender for text in texts.taken} == {NUMBERS[0]}
