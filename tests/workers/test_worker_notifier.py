"""The bell against the real Redis, and against one that hangs or is not there."""

import socket
import time
from pathlib import Path

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer

from gateway.queue.jobs import DRAINS
from gateway.queue.worker_notifier import WorkerNotifier


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


def jobs(client: redis.Redis, queue: str) -> list[bytes]:
    return client.lrange(f"rq:queue:critter-{queue}", 0, -1)


def test_many_rings_fold_into_one_until_answered(redis_url, client):
    notifier = WorkerNotifier(redis_url)
    for _ in range(20):
        notifier.notify("sms")
    assert len(jobs(client, "sms")) == 1
    notifier.answered("sms")
    notifier.notify("sms")
    assert len(jobs(client, "sms")) == 2


def test_a_lost_answer_delays_a_second_at_most(redis_url, client):
    WorkerNotifier(redis_url).notify("email")
    assert 0 < client.pttl("critter:asked:email") <= 1000


def test_a_job_is_a_name_and_nothing_else(redis_url, client):
    notifier = WorkerNotifier(redis_url)
    for name in DRAINS:
        notifier.notify(name)
    found = {}
    for queue in ("inbound", "proving", "fanout", "sms", "email"):
        for job_id in jobs(client, queue):
            job = Job.fetch(job_id.decode(), connection=client, serializer=JSONSerializer)
            assert (job.args, job.kwargs, job.result_ttl, job.retries_left) == ([], {}, 0, None)
            found[job.func_name] = queue
    assert found == {name: queue for name, (queue, _) in DRAINS.items()}


@pytest.fixture
def hanging(tmp_path: Path):
    """Takes connections and never answers."""
    path = tmp_path / "hangs.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        yield f"unix://{path}"


def test_a_hanging_redis_costs_one_caller_a_blink(hanging):
    notifier = WorkerNotifier(hanging)
    began = time.monotonic()
    notifier.notify("sms")
    first = time.monotonic() - began
    for _ in range(100):
        notifier.notify("sms")
        notifier.answered("sms")
    assert first < 1.0
    assert time.monotonic() - began - first < 2.0  # without its breaker ten


def test_a_redis_that_is_not_there_is_no_error(tmp_path):
    notifier = WorkerNotifier(f"unix://{tmp_path / 'nobody.sock'}")
    before = time.monotonic()
    notifier.notify("inbound")
    assert notifier._silent_until > before  # it was tried, and is not tried again at once


def test_it_rings_again_when_redis_is_back(redis_url, client, monkeypatch):
    notifier = WorkerNotifier(redis_url)
    monkeypatch.setattr(notifier, "_silent_until", time.monotonic() + 0.05)
    notifier.notify("sms")
    assert jobs(client, "sms") == []
    time.sleep(0.06)
    notifier.notify("sms")
    assert len(jobs(client, "sms")) == 1
