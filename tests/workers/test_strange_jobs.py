"""Whoever can write to Redis cannot make workers run, import or fetch anything, nor stop them (F42, R59)."""

import json
import logging
import os
import pickle
import socket
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from rq import Callback, Queue, Repeat, Retry
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from critter.processes import rq_worker
from critter.processes.rq_worker import DrainWorker
from gateway.ledger.commit import counters
from gateway.queue import jobs
from gateway.queue.worker_notifier import QueueListener, WorkerNotifier
from tests.support.delivering import rows
from tests.workers.test_worker_processes import all_sent, listening, put, settings, twilio, until

__all__ = ["settings", "twilio"]  # fixtures

OURS, OLD = (Queue.redis_queue_namespace_prefix + name for name in ("critter-sms", "sms"))
NAME = "receipts"  # a drain of the queue sms


class StubContext:
    """As much of a context as a worker asks for that only drains."""

    def __init__(self, notifier: WorkerNotifier) -> None:
        self.ended, self.notifier = False, notifier

    def stopping(self) -> bool:
        return self.ended

    def stop(self) -> None:
        self.ended = True


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Is there when something was run, unpickled, or so much as imported: `strange_module` makes it."""
    mark = tmp_path / "mark"
    (tmp_path / "strange_module.py").write_text(
        f"import os\nos.makedirs({str(mark)!r}, exist_ok=True)\ndef run(*_, **__): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield mark
    sys.modules.pop("strange_module", None)


@pytest.fixture
def drained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the worker ran."""
    drained: list[str] = []
    monkeypatch.setattr("workers.callbacks.drain", lambda: drained.append(NAME))
    monkeypatch.setattr(rq_worker, "listen_while_idle", lambda *_: None)
    monkeypatch.setattr(DrainWorker, "_install_signal_handlers", lambda _: None)
    monkeypatch.setattr(jobs, "_told", {})
    counters.take_counts()
    return drained


def work(redis_url: str) -> None:
    """One worker takes all there is, and ends in order."""
    with redis.Redis.from_url(redis_url) as connection:
        DrainWorker(StubContext(WorkerNotifier(redis_url)), "sms", connection).work(burst=True, logging_level="WARNING")  # type: ignore[arg-type]


def refused() -> dict[str, float]:
    return {labels: count for (name, labels), count in counters.take_counts().items() if name == "strange_jobs"}


def written(client: redis.Redis, queue: str, data: bytes, **fields: object) -> None:
    """A job as a raw client writes it."""
    client.hset("rq:job:strange", mapping={"data": data, "origin": queue, "status": "queued", **fields})
    client.rpush(f"rq:queue:{queue}", "strange")


def saying(*said: object) -> bytes:
    return zlib.compress(json.dumps(said).encode())


# What a stranger's own RQ would write. Each is tried in our queue and in that of the version before.
BY_RQ: dict[str, Callable[[Queue, Path], object]] = {
    "a command": lambda queue, mark: queue.enqueue("os.system", f"mkdir {mark}"),
    "an import": lambda queue, mark: queue.enqueue("strange_module.run"),
    "a function of ours": lambda queue, mark: queue.enqueue("workers.deliver.drain_email"),
    "another module of ours": lambda queue, mark: queue.enqueue("critter.servers.spawn.spawn", [f"mkdir {mark}"]),
    "arguments": lambda queue, mark: queue.enqueue(NAME, str(mark)),
    "named arguments": lambda queue, mark: queue.enqueue(NAME, wrong=1),
}


@pytest.mark.parametrize("serializer", ["json", "pickle"])
@pytest.mark.parametrize("queue", ["critter-sms", "sms"])
@pytest.mark.parametrize("what", BY_RQ)
def test_what_rq_would_run_is_refused(redis_url, client, mark, drained, caplog, what, queue, serializer):
    BY_RQ[what](Queue(queue, connection=client, serializer=serializer), mark)
    work(redis_url)
    assert refused() == {"content": 1}
    assert not mark.exists()
    assert drained == []
    assert [record.levelname for record in caplog.records if "did not write" in record.message] == ["ERROR"]
    then_it_works(redis_url, client, drained)


def then_it_works(redis_url: str, client: redis.Redis, drained: list[str]) -> None:
    """The stranger's job is gone, and the next ring is answered."""
    assert [key for key in client.keys("rq:job:*") if client.ttl(key) < 0] == []
    assert client.exists(OURS, OLD, f"{OURS}:intermediate", f"{OLD}:intermediate") == 0
    drained.clear()
    client.delete(f"critter:asked:{NAME}")
    WorkerNotifier(redis_url).notify(NAME, job=True)
    work(redis_url)
    assert drained == [NAME]


def test_nothing_but_the_name_of_a_job_is_read(redis_url, client, mark, drained):
    """An honest name with everything that RQ would call, fetch, repeat or retry: it is a ring, and nothing else."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        hook = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        callback = Callback("strange_module.run")
        Queue("critter-sms", connection=client, serializer=JSONSerializer).enqueue_call(
            NAME,
            on_success=callback,
            on_failure=callback,
            on_stopped=callback,
            retry=Retry(5),
            repeat=Repeat(5, interval=0),
            webhooks=[Webhook(hook, "finished"), Webhook(hook, "failed")],
            result_ttl=1000,
            meta={"strange": "words"},
            job_id="strange",
        )
        evil = pickle.dumps(Evil(mark))
        client.hset("rq:job:strange", mapping={"meta": evil, "result": evil, "created_at": b"\xff", "timeout": "-1",
                                               "status": "nonsense", "group_id": b"\xff", "ttl": "x"})  # fmt: skip
        client.sadd("rq:job:strange:dependents", "another", b"\xff")
        work(redis_url)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert drained == [NAME]
    assert not mark.exists()
    assert client.keys("rq:job:strange") == []
    client.delete("rq:job:strange:dependents")
    then_it_works(redis_url, client, drained)


DATA: dict[str, tuple[str, bytes]] = {
    "not compressed": ("content", b'["receipts", null, [], {}]'),
    "garbage": ("content", bytes(range(256))[:150]),
    "garbage, compressed": ("content", zlib.compress(b"\xff\xfe\x00[")),
    "no list": ("content", zlib.compress(b'{"receipts": 1}')),
    "nothing": ("content", zlib.compress(b"")),
    "no name": ("content", saying(None, None, [], {})),
    "a list as a name": ("content", saying([NAME], None, [], {})),
    "a name that is none": ("content", saying("nonsense", None, [], {})),
    "the name of another queue": ("content", saying("email", None, [], {})),
    "an instance": ("content", saying(NAME, "x", [], {})),
    "more": ("content", saying(NAME, None, [], {}, 1)),
    "nested": ("content", zlib.compress(b"[" * 5000)),
    "unpacks to ten megabytes": ("size", zlib.compress(bytes(10 << 20))),
    "unpacks to much": ("content", zlib.compress(bytes(50_000))),
    "huge": ("size", bytes(20 << 20)),
}


@pytest.mark.parametrize("what", DATA)
def test_wrong_data_is_refused(redis_url, client, drained, what):
    wrong_with_it, data = DATA[what]
    written(client, "critter-sms", data)
    began = time.monotonic()
    work(redis_url)
    assert time.monotonic() - began < 5
    assert refused() == {wrong_with_it: 1}
    assert drained == []
    then_it_works(redis_url, client, drained)


@pytest.mark.parametrize("job_id", [b"", b"\xff\xfe", b"a b", b"x" * 65, b"../..", b"x" * (20 << 20), b"a:b"])
def test_a_wrong_id_is_refused(redis_url, client, drained, job_id):
    client.rpush(OURS, job_id)
    work(redis_url)
    assert refused() == {"id": 1}
    then_it_works(redis_url, client, drained)


@pytest.mark.parametrize("wrong", [OURS, OLD, "rq:job:strange", "rq:queues"])
def test_what_has_the_wrong_type_is_removed(redis_url, client, drained, wrong):
    """A text under a name of ours: neither doors nor workers are kept from their work for longer than a second."""
    client.set(wrong, "strange")
    client.rpush(OURS if wrong.startswith("rq:job:") else "other", "strange")
    notifier = WorkerNotifier(redis_url)
    notifier.notify(NAME)
    work(redis_url)
    notifier._silent_until = 0.0
    assert refused().get("type") == 1
    client.delete("other")
    then_it_works(redis_url, client, drained)


def test_wrong_lists_of_workers_keep_none_from_starting(redis_url, client, drained):
    for name in ("rq:workers", "rq:workers:critter-sms", "rq:workers:sms"):
        client.set(name, "strange")
    then_it_works(redis_url, client, drained)
    client.sadd("rq:workers:sms", b"\xff\xfe")
    then_it_works(redis_url, client, drained)


def test_what_rq_would_clean_up_is_not_read(redis_url, client, mark, drained):
    """RQ calls the callbacks of jobs that look abandoned, and puts back those that look deferred or stuck."""
    queue = Queue("critter-sms", connection=client, serializer=JSONSerializer)
    for name in ("one", "two", "three"):
        queue.enqueue_call("strange_module.run", on_failure=Callback("strange_module.run"), job_id=name)
        client.hset(f"rq:job:{name}", "status", "started")
    client.delete(OURS)
    client.zadd("rq:wip:critter-sms", {"one:x": 1, b"\xff": 1})
    client.rpush(f"{OURS}:intermediate", "two", b"\xff")
    client.set(f"{OURS}:intermediate:first_seen:two", "1")
    client.zadd("rq:ready:critter-sms", {"three": 1})
    client.zadd("rq:scheduled:critter-sms", {"three": 1})
    client.set("rq:suspended", 1)
    WorkerNotifier(redis_url).notify(NAME, job=True)
    work(redis_url)
    assert drained == [NAME]
    assert not mark.exists()
    assert client.exists(OURS, OLD) == 0


def test_a_flood_does_not_keep_rings_waiting(redis_url, client, drained):
    client.rpush(OURS, *(f"strange-{n}" for n in range(5_000)), *([b"\xff"] * 5_000))
    began = time.monotonic()
    work(redis_url)
    assert time.monotonic() - began < 5
    then_it_works(redis_url, client, drained)


def test_a_flag_that_never_ends_silences_the_clock_for_a_second_only(redis_url, client):
    client.set(f"critter:asked:{NAME}", "strange")
    notifier = WorkerNotifier(redis_url)
    notifier.notify(NAME, job=True)
    notifier.notify(NAME, job=True)
    assert client.llen(OURS) == 1


def test_an_ear_hears_only_names_of_its_queue(redis_url, client, drained):
    with redis.Redis.from_url(redis_url) as own, QueueListener(own, "sms") as listener:
        for word in (b"\xff", "os.system", "inbound", "email", "x" * 100_000, NAME):
            client.publish("critter:ear:sms", word)
        time.sleep(0.05)
        assert listener.hear(1.0) == {NAME}
        client.publish("critter:ear:sms", "strange")
        client.publish("critter:ear:sms", "sms")
        assert listener.leave() == {"sms"}
    assert refused() == {"ring": 6}


def test_an_ear_that_is_shouted_at_still_ends(redis_url, client):
    ended = threading.Event()

    def shout() -> None:
        with redis.Redis.from_url(redis_url) as stranger:
            while not ended.is_set():
                stranger.publish("critter:ear:sms", "strange")

    shouting = threading.Thread(target=shout)
    with redis.Redis.from_url(redis_url) as own, QueueListener(own, "sms") as listener:
        shouting.start()
        began = time.monotonic()
        assert listener.hear(0.3) == set()
        took = time.monotonic() - began
        ended.set()
        shouting.join()
    assert took < 2


def test_the_log_tells_of_it_once_a_minute(redis_url, client, drained, caplog):
    client.rpush(OURS, *[b"\xff"] * 50)
    work(redis_url)
    assert refused() == {"id": 50}
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


# What the version before this one wrote, octet for octet: RQ's pickle of a path of ours.
LEFTOVER = b"\x80\x05\x95\x21\x00\x00\x00\x00\x00\x00\x00(\x8c\x16workers.receipts.drain\x94N)}\x94t\x94."


def test_a_ring_of_the_version_before_is_answered_and_is_no_alarm(redis_url, client, drained, caplog):
    written(client, "sms", zlib.compress(LEFTOVER))
    work(redis_url)
    assert drained == [NAME]
    written(client, "sms", zlib.compress(pickle.dumps(("workers.receipts.drain", None, (), {}), protocol=5)))
    work(redis_url)
    assert drained == [NAME, NAME]
    assert refused() == {}
    assert caplog.records == []


def test_pickles_are_for_the_old_queue_alone(redis_url, client, drained):
    written(client, "critter-sms", zlib.compress(LEFTOVER))
    work(redis_url)
    assert drained == []
    assert refused() == {"content": 1}


def test_old_workers_never_see_our_jobs(redis_url, client):
    """They would take them for pickles and lose them; and a ring of ours does not fold one of the old clock's away."""
    WorkerNotifier(redis_url).notify(NAME)
    assert client.llen(OLD) == 0
    assert client.exists("critter:rung:receipts") == 0
    WorkerNotifier(redis_url).answered(NAME)
    client.set("critter:rung:receipts", 1)
    WorkerNotifier(redis_url).answered(NAME)
    assert client.exists("critter:rung:receipts") == 0


def test_a_worker_as_it_runs_survives_all_of_it(settings, engine, tmp_path):
    """The real process: it works on under its own id, and its texts leave."""
    mark = tmp_path / "ran"
    with listening(settings, "sms") as worker, redis.Redis.from_url(settings.redis_url) as client:
        for queue in ("critter-sms", "sms"):
            Queue(queue, connection=client).enqueue("os.system", f"mkdir {mark}")
            Queue(queue, connection=client, serializer=JSONSerializer).enqueue("os.system", f"mkdir {mark}")
            client.rpush(f"rq:queue:{queue}", b"\xff", "x" * 1000)
        for name in client.smembers("rq:workers:critter-sms"):
            for command in ("shutdown", "kill-horse", "stop-job"):
                client.publish(name.replace(b"rq:worker:", b"rq:pubsub:"), json.dumps({"command": command}))
        client.set("rq:suspended", 1)
        put(engine)
        WorkerNotifier(settings.redis_url).notify("sms", job=True)
        until(all_sent(engine))
        assert worker.poll() is None
        assert not mark.exists()
        until(lambda: rows(engine, "SELECT 1 FROM tallies WHERE name = 'strange_jobs' AND total >= 2"), 20)
        client.delete("rq:suspended")
