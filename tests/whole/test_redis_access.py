"""A Redis of one's own: over the network with a password, with a user that may do no more than docs/scaling.md says."""

import asyncio
import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from critter.doctor import check
from critter.servers import binaries
from gateway.errors import Refused
from gateway.queue import worker_notifier
from gateway.queue.worker_notifier import QueueListener, WorkerNotifier
from gateway.rate_limiter import Buckets
from gateway.settings import Settings
from tests.support.ports import free_port
from tests.support.web_process import changed
from tests.workers.test_worker_processes import all_sent, listening, put, settings, twilio, until

__all__ = ["settings", "twilio"]  # fixtures

SCALING = Path(__file__).parents[2] / "docs" / "scaling.md"
PASSWORD = "p@ss/word"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that knows the users of the document alone, and the settings that it names there."""
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    text = SCALING.read_text()
    users = "\n".join(re.findall(r"^user .+$", text, re.MULTILINE))
    assert "user default off" in users
    (folder / "users.acl").write_text(users.replace("#HASH", f"#{hashlib.sha256(PASSWORD.encode()).hexdigest()}"))
    kept = [line for name in ("maxmemory", "maxmemory-policy", "save")
            for line in re.findall(rf"^{name} .+$", text, re.MULTILINE)]  # fmt: skip
    assert len(kept) == 3
    written = [f"bind 127.0.0.1\nport {port}\ndir {folder}\naclfile {folder}/users.acl", *kept]
    (folder / "valkey.conf").write_text("\n".join(written) + "\n")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([binaries.redis().path, folder / "valkey.conf"], stdout=log, stderr=log)
    try:
        until(lambda: b"Ready to accept connections" in (folder / "log").read_bytes())
        yield port
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def url(guarded: int) -> str:
    return f"redis://critter:p%40ss%2Fword@127.0.0.1:{guarded}/0"


def test_nobody_else_gets_in(guarded: int) -> None:
    for wrong in (f"redis://127.0.0.1:{guarded}/0", f"redis://critter:wrong@127.0.0.1:{guarded}/0"):
        with redis.Redis.from_url(wrong) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


@pytest.mark.parametrize("command", ["FLUSHALL", "CONFIG GET *", "SHUTDOWN", "KEYS *", "ACL LIST", "SET other 1",
                                     "PUBLISH other 1", "MODULE LIST", "CLIENT LIST"])  # fmt: skip
def test_its_user_may_do_no_more_than_it_needs(url: str, command: str) -> None:
    with redis.Redis.from_url(url) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_bell_ear_and_buckets_work_with_it(url: str) -> None:
    notifier = WorkerNotifier(url)
    with redis.Redis.from_url(url) as client, QueueListener(client, "sms") as listener:
        notifier.notify("sms")
        assert listener.hear(1.0) == {"sms"}
        notifier.notify("sms", job=True)
        assert listener.jobs()
        notifier.answered("sms")
    notifier.close()

    async def book() -> None:
        buckets = Buckets(url)
        assert len(await buckets.book("+15005550006", 0.01, 3)) == 3
        await buckets.close()

    asyncio.run(book())


def test_a_worker_sends_with_it(settings: Settings, engine, url: str) -> None:
    guarded = changed(settings, CRITTER_REDIS_URL=url)
    with listening(guarded, "sms") as worker:
        put(engine)
        WorkerNotifier(url).notify("sms")
        until(all_sent(engine))
        worker.terminate()
        assert worker.wait(9) == 0


def test_check_says_what_is_less_safe_than_it_could_be(
    settings: Settings, url: str, redis_url: str, guarded: int
) -> None:
    told = check._redis(changed(settings, CRITTER_REDIS_URL=url))
    assert re.fullmatch(r"Valkey 9\.[\d.]+, without TLS", told)
    assert re.fullmatch(r"Valkey 9\.[\d.]+", check._redis(changed(settings, CRITTER_REDIS_URL=redis_url)))
    assert list(check._open(changed(settings, CRITTER_REDIS_URL="redis://127.0.0.1/0"))) == [
        "without TLS",
        "without a password: whoever reaches it can hold all texts and mails up",
    ]
    assert list(check._open(changed(settings, CRITTER_REDIS_URL="rediss://:x@127.0.0.1/0"))) == []
    with pytest.raises(Refused, match=r"^CRITTER_REDIS_URL: its user or password is not taken"):
        check._redis(changed(settings, CRITTER_REDIS_URL=f"redis://critter:wrong@127.0.0.1:{guarded}/0"))


def test_check_minds_a_redis_that_forgets(settings: Settings, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            with pytest.raises(Refused, match="maxmemory-policy is allkeys-lru"):
                check._redis(changed(settings, CRITTER_REDIS_URL=redis_url))
        finally:
            client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("6.2.14", "Redis 6.2.14 (known"),
        ("7.0.15", "Redis 7.0.15 (known"),
        ("7.4.2", "Redis 7.4.2"),
        ("8.2", "Redis 8.2"),
    ],
)
def test_check_knows_versions_that_nobody_mends(version: str, told: str) -> None:
    said = check._server({"redis_version": version})
    assert said.startswith(told)
    assert ("known holes" in said) is told.endswith("known")


@pytest.mark.parametrize("strange", ["words", "", "nan", "inf", "1e30", "-1e30", "99999999999999999999", ["a", "list"]])
def test_a_strange_bucket_holds_no_text_up(redis_url: str, strange: str | list[str]) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.delete("rate:x")
        client.rpush("rate:x", *strange) if isinstance(strange, list) else client.set("rate:x", strange)

        async def book() -> None:
            buckets = Buckets(redis_url)
            clock = asyncio.get_running_loop().time
            slots = await buckets.book("x", 0.01, 2)
            assert slots[-1].begin - clock() < 1
            await buckets.close()

        asyncio.run(book())
        assert 0 < client.ttl("rate:x") <= 86_400


def test_an_honest_bucket_is_far_ahead_when_its_rate_is_slow(redis_url: str) -> None:
    """A relay that takes one mail an hour: what was booked is not forgotten."""
    with redis.Redis.from_url(redis_url) as client:
        client.delete("rate:slow")

        async def book() -> None:
            buckets = Buckets(redis_url)
            clock = asyncio.get_running_loop().time
            for booked in range(1, 6):
                slots = await buckets.book("slow", 3600.0, 1)
                assert slots[0].begin - clock() > 3590 * booked
            await buckets.close()

        asyncio.run(book())


def test_rings_from_many_threads_need_no_more_than_their_own_keys(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks about rights alone: a slow machine may take longer than a notification waits for Redis."""
    monkeypatch.setattr(worker_notifier, "BLINK", 10.0)
    notifier = WorkerNotifier(url)
    threads = [threading.Thread(target=notifier.notify, args=(name,)) for name in ("inbound", "fanout", "email") * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() > notifier._silent_until, "Redis refused a ring"
