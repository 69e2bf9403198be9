"""Worker processes as they run: real signals, a real Redis that goes away, the real carrier before the simulator."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis
from sqlalchemy import Engine

from critter.servers import Servers
from gateway.ledger.outbox.outbox import Target
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.delivering import people, person, post, rows
from tests.support.fork_server import Process, shared
from tests.support.simulation import ACCOUNT, OURS, TOKEN, Simulation, simulation
from tests.support.web_process import ROOT, changed, environment
from workers.reconcile import HOLD

WORK = (
    "import json, sys; from gateway.settings import load; from critter.processes.workers import serve_worker as serve;"
)
WORK += " serve(load(json.loads(sys.argv[1])), sys.argv[2])"
TICK = (
    "import json, sys; from gateway.settings import load; from critter.processes.workers import serve_clock as serve;"
)
TICK += " serve(load(json.loads(sys.argv[1])))"


@pytest.fixture(scope="module")
def twilio() -> Iterator[Simulation]:
    with simulation() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, twilio: Simulation) -> Settings:
    twilio.reset()
    return changed(
        settings,
        TWILIO_API_BASE=twilio.url,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=TOKEN,
        CRITTER_SMS_NUMBERS=OURS,
        CRITTER_LEASE_SECONDS="2",
        CRITTER_PUBLIC_URL=twilio.critter,
    )


@contextmanager
def running(
    settings: Settings, code: str = WORK, *queue: str, fork: bool = True
) -> "Iterator[Process | subprocess.Popen[bytes]]":
    given = json.dumps(environment(settings))
    child = (
        shared().run(code, given, *queue)
        if fork
        else subprocess.Popen([sys.executable, "-c", code, given, *queue], cwd=ROOT)
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


@contextmanager
def listening(settings: Settings, queue: str, fork: bool = True) -> "Iterator[Process | subprocess.Popen[bytes]]":
    """A worker that waits for the bell."""
    with running(settings, WORK, queue, fork=fork) as child, redis.Redis.from_url(settings.redis_url) as client:
        until(lambda: client.smembers(f"rq:workers:{queue}"), 20)
        yield child


def until(told: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def put(engine: Engine, count: int = 1) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")  # texts in doubt are recognised by a hash with this installation's key
    kim = person(engine, "kim", phone="+14155550101")[0]
    post(engine, kim, "hello", [Target(address, "sms") for address in people(engine, count)])


def all_sent(engine: Engine) -> Callable[[], bool]:
    return lambda: {row.state for row in rows(engine, "SELECT DISTINCT state FROM deliveries")} <= {"sent", "delivered"}


def test_a_ring_is_answered(settings, engine, twilio):
    with listening(settings, "sms"):
        put(engine)
        began = time.monotonic()
        WorkerNotifier(settings.redis_url).notify("sms")
        until(all_sent(engine))
        assert time.monotonic() - began < 5.0


def test_sigterm_ends_a_waiting_worker_at_once(settings):
    with listening(settings, "sms") as worker:
        worker.terminate()
        assert worker.wait(9) == 0  # it would wait ten seconds for a ring


def test_sigterm_ends_a_busy_worker_with_nothing_left_in_its_hands(settings, engine):
    slow = changed(settings, CRITTER_SMS_RATE="50")
    put(engine, 200)
    with listening(slow, "sms") as worker:
        WorkerNotifier(settings.redis_url).notify("sms")
        until(lambda: rows(engine, "SELECT 1 FROM deliveries WHERE state = 'sent'"))
        began = time.monotonic()
        worker.terminate()
        assert worker.wait(20) == 0
        assert time.monotonic() - began < 10
    assert {row.state for row in rows(engine)} == {"sent", "queued"}


def test_a_worker_outlives_redis_and_what_was_in_it(settings, engine, servers: Servers):
    with listening(settings, "sms") as worker, running(settings, TICK):
        with redis.Redis.from_url(settings.redis_url) as client:
            client.flushall()
        redis_server = next(server for server in servers.running if server.name == "redis")
        redis_server.process.kill()
        redis_server.process.wait()
        put(engine, 20)
        redis_server.start()
        until(redis_server.ready)
        until(all_sent(engine), 25)
        assert worker.poll() is None


def test_sigterm_ends_a_worker_that_waits_for_redis(settings, servers: Servers):
    redis_server = next(server for server in servers.running if server.name == "redis")
    with listening(settings, "email") as worker:
        redis_server.process.kill()
        redis_server.process.wait()
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(1.5)  # it tries again every half second
            worker.terminate()
            assert worker.wait(9) == 0
        finally:
            redis_server.start()
            until(redis_server.ready)


@pytest.mark.timeout(300)
def test_a_killed_worker_loses_and_repeats_nothing(settings, engine, twilio):
    """Three workers die by kill -9 in the middle; callbacks and the list tell what they had sent."""
    put(engine, 60)
    slow = changed(settings, CRITTER_SMS_RATE="40")
    hits = 0
    with running(settings, TICK):
        for _ in range(3):
            with listening(slow, "sms", fork=False) as worker:  # its start gives the leases of the last one time to end
                until(lambda: rows(engine, "SELECT 1 FROM deliveries WHERE state = 'sending'"))
                time.sleep(0.1)
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
            hits += bool(rows(engine, "SELECT 1 FROM deliveries WHERE state = 'sending'"))
        with listening(settings, "sms"):
            until(all_sent(engine), HOLD.total_seconds() + 40)  # a worker may have died while it looked for one
    assert hits, "no kill hit a text on its way"
    marked = {row.address for row in rows(engine, POSSIBLE_DUPLICATES)}
    sent = [line["recipient"] for line in twilio.ledger("create") if line["accepted"]]
    assert len(set(sent)) == 60
    twice = {number for number in sent if sent.count(number) > 1}
    assert twice <= marked


POSSIBLE_DUPLICATES = """
    SELECT address FROM deliveries JOIN addresses ON addresses.id = address_id WHERE possible_duplicate
"""
