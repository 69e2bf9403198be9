"""A worker that listens on after a job: rings need no jobs, and none is lost when it stops listening."""

import threading
import time

import pytest
import redis

from gateway.queue.worker_notifier import QueueListener, WorkerNotifier
from workers.runtime import listen_on
from workers.runtime.listen_on import listen_while_idle


class StubContext:
    """As much of a worker's context as listening asks for."""

    def __init__(self) -> None:
        self.ended = False

    def stopping(self) -> bool:
        return self.ended


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


def jobs(client: redis.Redis, queue: str) -> int:
    return client.llen(f"rq:queue:critter-{queue}")


def test_a_ring_that_is_heard_makes_no_job(redis_url, client):
    notifier = WorkerNotifier(redis_url)
    with QueueListener(client, "sms") as listener:
        notifier.notify("receipts")
        notifier.notify("sms")
        time.sleep(0.05)
        assert listener.hear(1.0) == {"receipts", "sms"}
        assert not listener.jobs()


def test_other_queues_are_not_heard(redis_url, client):
    with QueueListener(client, "sms") as listener:
        WorkerNotifier(redis_url).notify("email")
        assert listener.hear(0.1) == set()
    assert jobs(client, "email") == 1


def test_a_ring_past_the_ears_is_a_job(redis_url, client):
    with QueueListener(client, "sms") as listener:
        WorkerNotifier(redis_url).notify("sms", job=True)
        assert listener.hear(0.05) == set()
        assert listener.jobs()


def test_nothing_is_lost_when_it_ends(redis_url, client):
    """Each of many rings is heard or makes a job, whenever the listener ends."""
    notifier = WorkerNotifier(redis_url)
    for _ in range(30):
        client.flushdb()
        ring = threading.Thread(target=notifier.notify, args=("inbound",))
        with QueueListener(client, "inbound") as listener:
            ring.start()
            heard = listener.leave()
        ring.join()
        assert bool(heard) != bool(jobs(client, "inbound"))


def test_it_drains_what_is_rung_until_it_is_silent(redis_url, client, monkeypatch):
    notifier, drained = WorkerNotifier(redis_url), []
    monkeypatch.setattr(listen_on, "SILENCE", 0.2)
    monkeypatch.setattr("workers.callbacks.drain", lambda: drained.append("receipts"))
    listening = threading.Thread(target=listen_while_idle, args=(StubContext(), "sms", client))
    listening.start()
    while not client.pubsub_numsub("critter:ear:sms")[0][1]:
        time.sleep(0.005)
    notifier.notify("receipts")
    listening.join(5)
    assert drained == ["receipts"]
    assert jobs(client, "sms") == 0


def test_it_makes_way_for_jobs(redis_url, client):
    WorkerNotifier(redis_url).notify("sms", job=True)
    began = time.monotonic()
    listen_while_idle(StubContext(), "sms", client)
    assert time.monotonic() - began < listen_on.SILENCE


def test_a_drain_that_fails_ends_it_and_not_the_worker(redis_url, client, monkeypatch, caplog):
    def fails() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("workers.inbound.drain", fails)
    listening = threading.Thread(target=listen_while_idle, args=(StubContext(), "inbound", client))
    listening.start()
    while not client.pubsub_numsub("critter:ear:inbound")[0][1]:
        time.sleep(0.005)
    WorkerNotifier(redis_url).notify("inbound")
    listening.join(5)
    assert not listening.is_alive()
