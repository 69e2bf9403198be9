"""Slow carriers over real connections: several numbers whose answers take long, a relay that takes its time, a worker
that stood still. No request begins more than a second after an opt-out or an `undo` has committed (I7, R65)."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from urllib.parse import parse_qs

import pytest
from sqlalchemy import Engine, text

from gateway.carriers.parts import make_texts
from gateway.carriers.smtp.relay import SmtpRelay
from gateway.ledger.outbox.outbox import Target
from gateway.network.posts import posts
from gateway.settings import Settings
from gateway.settings.sms_numbers import sms_senders
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.carriers.test_carriers import SID
from tests.carriers.test_smtp_chunking import ChunkServer
from tests.carriers.test_smtp_relay import FULL, Server
from tests.support.delivering import change, open_context, people, person, post, rows, states
from tests.support.fake_http_server import FakeHttpServer, Request, http
from tests.support.stall_meter import StallMeter
from workers import deliver
from workers.runtime.context import enter

NUMBERS = tuple(f"+1500555000{n}" for n in range(6))
TAKEN = http(201, f'{{"sid": "{SID}"}}')


@contextmanager
def in_a_thread(serve: object) -> Iterator[str]:
    """A server on a loop of its own; host and port."""
    up, where, loops, ended = threading.Event(), [], [], asyncio.Event()

    async def listen() -> None:
        listener = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)  # type: ignore[arg-type]
        where.append(f"127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        loops.append(asyncio.get_running_loop())
        up.set()
        await ended.wait()
        listener.close()

    # run() ends what is still being answered: else it would fail whichever test runs when it is collected.
    thread = threading.Thread(target=lambda: asyncio.run(listen()), daemon=True)
    thread.start()
    assert up.wait(5)
    yield where[0]
    loops[0].call_soon_threadsafe(ended.set)
    thread.join(5)


class SlowTwilio(FakeHttpServer):
    """Answers each text after some seconds; keeps when each request was all there."""

    def __init__(self, seconds: float) -> None:
        super().__init__(self.note)
        self.seconds = seconds
        self.began: dict[str, float] = {}
        self.twice = 0

    def note(self, request: Request) -> list[object]:
        phone = parse_qs(request.body.decode())["To"][0]
        self.twice += phone in self.began
        self.began[phone] = time.monotonic()
        return [TAKEN]

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        going = True
        real, writer_write = writer.drain, writer.write
        held: list[bytes] = []
        writer.write = held.append  # type: ignore[method-assign,assignment]
        try:
            going = await super()._one(reader, writer)
        finally:
            writer.write = writer_write  # type: ignore[method-assign]
        await asyncio.sleep(self.seconds)
        writer.write(b"".join(held))
        await real()
        return going


def stop(engine: Engine, phones: list[str]) -> dict[str, float]:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE addresses SET state = 'stopped' WHERE address = ANY (:phones)"), {"phones": phones}
        )
    return dict.fromkeys(phones, time.monotonic())


def waiting(engine: Engine) -> int:
    return int(rows(engine, "SELECT count(*) AS n FROM deliveries WHERE ended_at IS NULL")[0].n)


def drained(engine: Engine, drain: object, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while waiting(engine):
        assert time.monotonic() < end, states(engine)
        drain()  # type: ignore[operator]


def test_several_numbers_with_slow_answers_share_nothing(settings: Settings, engine: Engine) -> None:
    """Six numbers want more requests open than one number may: none of them waits for another's answers."""
    twilio = SlowTwilio(1.5)
    kim = person(engine, "kim", phone="+14155550101")[0]
    to = [Target(address, "sms") for address in people(engine, 600)]
    with in_a_thread(twilio.serve) as place:
        changed = {
            "sms_senders": sms_senders(",".join(NUMBERS)),
            "sms_rate": 30.0,
            "twilio_api_base": f"http://{place}",
        }
        context = open_context(settings.model_copy(update=changed))
        context.texts = make_texts(context.settings)
        enter(context)
        post(engine, kim, "the harbour bridge is closed", to)
        said: dict[str, float] = {}

        def stop_some() -> None:
            for number in range(8):
                time.sleep(0.3)
                said.update(stop(engine, [f"+1415556{place:04}" for place in range(20 + number, 600, 40)]))

        stopping = threading.Thread(target=stop_some)
        with StallMeter() as stalls:
            stopping.start()
            drained(engine, deliver.drain_sms)
            stopping.join()
        enter(None)
        context.close()
    late = {phone: twilio.began[phone] - at for phone, at in said.items() if phone in twilio.began}
    assert twilio.twice == 0
    assert max(late.values(), default=0.0) <= 1.0 + stalls.together
    out = [row for row in rows(engine) if row.reason == "opted_out"]
    assert len(out) > 20, "the stops came too late to prove anything"
    assert len(out) + len(twilio.began) == 600


class SlowServer(Server):
    """Answers for each mail after a while; keeps when each content had come."""

    offers_now = FULL

    def __init__(self) -> None:
        super().__init__(None, self.offers_now)
        self.began: list[float] = []

    async def answer(self, writer, verb, line, ordinary):  # type: ignore[no-untyped-def]
        if verb == "CONTENT":
            self.began.append(time.monotonic())
            await asyncio.sleep(0.4)
        return await super().answer(writer, verb, line, ordinary)


class Lockstep(SlowServer):
    offers_now = FULL[1:]


class SlowCommands(SlowServer):
    """Takes its time with every command, and so do the mails between their first byte and their last."""

    async def answer(self, writer, verb, line, ordinary):  # type: ignore[no-untyped-def]
        if verb in ("MAIL", "RCPT", "DATA"):
            await asyncio.sleep(0.4)
        return await super().answer(writer, verb, line, ordinary)


class SlowChunks(ChunkServer):
    def __init__(self) -> None:
        super().__init__(None)
        self.began: list[float] = []

    async def answer(self, writer, verb, line, ordinary):  # type: ignore[no-untyped-def]
        if verb == "BDAT":
            self.began.append(time.monotonic())
            await asyncio.sleep(0.6)
        return await super().answer(writer, verb, line, ordinary)


def mailboxes(engine: Engine, count: int) -> list[Target]:
    change(
        engine,
        f"WITH made AS (INSERT INTO accounts (kind, handle, name) SELECT 'person', 'm' || n, 'M' FROM"
        f" generate_series(1, {count}) n RETURNING id, handle) INSERT INTO addresses (account_id, channel, address,"
        f" is_primary) SELECT id, 'email', handle || '@demo.example', true FROM made",
    )
    return [Target(row.id, "email") for row in rows(engine, "SELECT id FROM addresses WHERE channel = 'email'")]


@pytest.mark.parametrize("kind", [SlowServer, Lockstep, SlowCommands, SlowChunks])
def test_an_undo_overtakes_the_mails_behind_a_slow_relay(settings, engine, kind) -> None:  # type: ignore[no-untyped-def]
    server = kind()
    kim = person(engine, "kim", phone="+14155550101")[0]
    with in_a_thread(server.serve) as place:
        context = open_context(settings, emails=SmtpRelay(f"smtp://{place}", "critter.example", 4))  # type: ignore[arg-type]
        enter(context)
        post(engine, kim, "the harbour bridge is closed", mailboxes(engine, 300))
        drain = threading.Thread(target=drained, args=(engine, deliver.drain_email))
        drain.start()
        time.sleep(3.0)
        post_id = rows(engine, "SELECT id FROM posts")[0].id
        with transaction(engine) as session:
            recalled, _ = posts.retract(session, session.get_one(Post, post_id))
        undone = time.monotonic()
        with StallMeter() as stalls:
            drain.join(40)
        assert not drain.is_alive()
        enter(None)
        context.close()
    begun, late = len(server.began), [at - undone for at in server.began if at > undone]
    assert begun >= 4, "nothing was sent at all"
    assert max(late, default=0.0) <= 1.0 + stalls.together
    assert states(engine).count("sent") == begun
    assert states(engine).count("cancelled") == 300 - begun
    assert recalled >= 200, "what cannot begin within a second is still in the queue"


def working(settings: Settings, place: str) -> None:
    """A worker of its own, for a test to freeze."""
    context = open_context(settings, emails=SmtpRelay(f"smtp://{place}", "critter.example", 4))  # type: ignore[arg-type]
    context.texts = make_texts(context.settings)
    context.owner = "frozen"
    enter(context)
    while True:
        deliver.drain_sms()
        deliver.drain_email()
        time.sleep(0.01)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_frozen_worker_asks_again_when_it_wakes(settings, engine, channel) -> None:  # type: ignore[no-untyped-def]
    twilio, relay = SlowTwilio(0.2), SlowServer()
    kim = person(engine, "kim", phone="+14155550101")[0]
    to = [Target(address, "sms") for address in people(engine, 200)] if channel == "sms" else mailboxes(engine, 200)
    with in_a_thread(twilio.serve) as api, in_a_thread(relay.serve) as place:
        changed = {"sms_rate": 40.0, "twilio_api_base": f"http://{api}", "lease_seconds": 60}
        worker = get_context("spawn").Process(target=working, args=(settings.model_copy(update=changed), place))
        post(engine, kim, "the harbour bridge is closed", to)
        worker.start()
        try:
            began = lambda: len(twilio.began if channel == "sms" else relay.began)  # noqa: E731
            wait_until(lambda: began() > 10)
            assert worker.pid
            os.kill(worker.pid, signal.SIGSTOP)
            time.sleep(0.3)  # what the kernel had of it arrives
            before = began()
            change(engine, "UPDATE addresses SET state = 'stopped' WHERE account_id <> (SELECT min(id) FROM accounts)")
            time.sleep(1.2)
            os.kill(worker.pid, signal.SIGCONT)
            wait_until(lambda: not waiting(engine))
        finally:
            worker.kill()
            worker.join(10)
    assert began() == before, "nothing begins after everybody opted out"
    assert states(engine).count("sent") == before
    assert states(engine).count("cancelled") == 200 - before


def wait_until(true: object, patience: float = 30.0) -> None:
    end = time.monotonic() + patience
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)
