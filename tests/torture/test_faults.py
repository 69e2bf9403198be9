"""Workers that freeze, servers that hang, locks that are not given, clocks that are wrong: delays, never a loss.

The numbers of the faults are those of the reliability table (F5, F6, F9, F12, F34, F35); R14, R17 and R19 are rules.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import text

from critter.servers import Servers
from gateway.ledger.audit import invariants
from gateway.store.database import transaction
from tests.support.arrivals import compare, received
from tests.support.databases import restructure
from tests.support.running_critter import ROOT
from tests.support.single_processes import WORKERS, SingleProcesses, crowd, single_processes

SAM = "+14155550102"
HEARERS = 30
SETTINGS = {"CRITTER_LEASE_SECONDS": "2", "CRITTER_SMS_RATE": "100"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("faults"), unsafe=True) as running:
        yield running


@pytest.fixture(scope="module")
def everybody(servers: Servers) -> Iterator[SingleProcesses]:
    with single_processes(servers.var, servers, servers.database_url, **SETTINGS) as running:
        crowd(running, "sam", SAM, HEARERS, 10)
        yield running


@pytest.fixture
def critter(everybody: SingleProcesses) -> Iterator[SingleProcesses]:
    """At rest before and after, and then the books agree."""
    everybody.faults()
    yield everybody
    everybody.faults()
    everybody.wait(everybody.settled, "everything settled", 60)
    compare(everybody)
    with transaction(everybody.engine) as session:
        proof = invariants.prove(session, timedelta(0))
    assert proof.clean, proof.broken


def count(critter: SingleProcesses, condition: str) -> int:
    return int(critter.scalar(f"SELECT count(*) FROM deliveries WHERE {condition}"))


def post(critter: SingleProcesses, words: str) -> None:
    critter.wait(lambda: critter.text(SAM, words), "the door opens", 20)


def arrived(critter: SingleProcesses, words: str) -> int:
    """How many of Sam's followers have it."""
    message = critter.scalar("SELECT m.id FROM messages m JOIN posts p ON p.id = m.post_id WHERE p.text = :w", w=words)
    return len({key for key in received(critter) if key[0] == message})


@contextmanager
def asking(servers: Servers) -> Iterator[psycopg.Connection]:
    with psycopg.connect(servers.database_url) as connection:
        yield connection


@pytest.mark.parametrize("name", ["worker-sms", "worker-email"])
def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(critter: SingleProcesses, name: str) -> None:
    """Its requests are answered while it is frozen; by then others have ended what it held (F5)."""
    channel = "sms" if name == "worker-sms" else "email"
    before = len(critter.ledger())
    critter.faults({"fault": "delay", "seconds": 1.0, "after": True}, {"fault": "smtp-delay", "seconds": 1.0})
    post(critter, f"{name} is frozen")
    critter.wait(lambda: count(critter, f"state = 'sending' AND channel = '{channel}'") > 0, "it sends", 10)
    if channel == "sms":
        critter.wait(lambda: "create" in {line["kind"] for line in critter.ledger()[before:]}, "it asked", 10)
    frozen = critter.children[name]
    frozen.send(signal.SIGSTOP)
    critter.faults()
    critter.start(name)
    critter.wait(critter.settled, "another worker ends it", 60)
    standing = outbox(critter)
    ended = critter.scalar("SELECT now()")
    frozen.send(signal.SIGCONT)
    if channel == "sms":
        critter.wait(lambda: tried_late(critter, ended), "it wakes up and says how its requests ended", 15)
    else:
        time.sleep(3.0)  # mails are decided anew before they begin: others have ended them, so it tries none
    assert frozen.end() == 0
    assert outbox(critter) == standing


def outbox(critter: SingleProcesses) -> list[tuple[object, ...]]:
    """But for receipts, which may still come."""
    query = "SELECT message_id, address_id, attempt, replace(state, 'delivered', 'sent') FROM deliveries ORDER BY 1, 2"
    with critter.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def tried_late(critter: SingleProcesses, since: object) -> bool:
    """A settlement notes when an attempt ended even where it may not change how."""
    return bool(critter.scalar("SELECT count(*) FROM attempts WHERE ended_at > :since", since=since))


def test_redis_that_hangs_only_delays(critter: SingleProcesses, servers: Servers) -> None:
    pid = servers.redis.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for number in range(3):
            assert critter.text(SAM, f"redis hangs {number}")
        assert time.monotonic() - began < 5.0
        time.sleep(1.0)
    finally:
        os.kill(pid, signal.SIGCONT)
    critter.wait(lambda: arrived(critter, "redis hangs 2") == HEARERS + 10, "they arrive", 30)


def test_redis_without_memory_only_delays(critter: SingleProcesses, servers: Servers) -> None:
    """noeviction: every write is refused."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.config_set("maxmemory", 1)
        try:
            post(critter, "redis is full")
            time.sleep(2.0)
        finally:
            client.config_set("maxmemory", 0)
    critter.wait(lambda: arrived(critter, "redis is full") == HEARERS + 10, "it arrives", 30)


@pytest.mark.parametrize("table", ["inbound", "posts", "deliveries"])
def test_a_lock_that_is_held_only_delays(critter: SingleProcesses, servers: Servers, table: str) -> None:
    """Longer than leases last; nothing counts as a crash (F9)."""
    words = f"{table} is locked"
    with asking(servers) as operator:
        operator.execute(f"LOCK TABLE {table}")
        began = time.monotonic()
        accepted = critter.text(SAM, words)
        assert time.monotonic() - began < 25.0
        time.sleep(max(0.0, 7.0 - (time.monotonic() - began)))
    if not accepted:
        post(critter, words)
    critter.wait(lambda: arrived(critter, words) == HEARERS + 10, "it arrives", 40)
    assert count(critter, "reason = 'quarantined'") == 0
    assert critter.scalar("SELECT count(*) FROM inbound WHERE state = 'quarantined'") == 0


# As often as a row may crash its worker, and once more; a sequence is not rolled back.
CONFLICT = """
    CREATE SEQUENCE conflicts;
    GRANT SELECT ON SEQUENCE conflicts TO critter;
    CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('conflicts') <= 4 THEN RAISE EXCEPTION 'a conflict' USING ERRCODE = '{code}'; END IF;
        RETURN new;
    END $$;
    CREATE TRIGGER conflict BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION conflict()
"""
PEACE = "DROP FUNCTION conflict() CASCADE; DROP SEQUENCE conflicts"


CONFLICTS = {
    "deadlock": ("40P01", "INSERT", "posts"),
    "memory": ("53200", "INSERT", "posts"),
    "serialization": ("40001", "UPDATE", "deliveries"),
    "lock": ("55P03", "UPDATE", "deliveries"),
}


@pytest.mark.parametrize(("code", "event", "table"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_conflict_is_tried_again_and_is_no_crash(critter: SingleProcesses, code: str, event: str, table: str) -> None:
    words = f"{event} {table} {code}"
    restructure(critter.engine, CONFLICT.format(code=code, event=event, table=table))
    try:
        post(critter, words)
        critter.wait(lambda: arrived(critter, words) == HEARERS + 10, "it arrives", 40)
        assert critter.scalar("SELECT last_value FROM conflicts") > 4, "there was no conflict"
    finally:
        restructure(critter.engine, PEACE)
    assert critter.scalar("SELECT count(*) FROM inbound WHERE state = 'quarantined'") == 0


def test_what_kills_its_worker_three_times_is_set_aside_and_the_next_one_is_read(
    critter: SingleProcesses, servers: Servers
) -> None:
    """R17, F34: a text that is on the table whenever worker-inbound dies by kill -9. Its writer is told."""
    with asking(servers) as operator:
        operator.execute("LOCK TABLE posts")
        post(critter, "poison")
        bad = critter.scalar("SELECT max(id) FROM inbound")
        for attempt in (1, 2, 3):
            critter.wait(lambda attempt=attempt: in_hand(critter, bad) == attempt, "it is being read", 20)
            critter.kill("worker-inbound")
    critter.wait(lambda: in_hand(critter, bad) is None, "it is set aside", 20)
    post(critter, "after the poison")
    critter.wait(lambda: arrived(critter, "after the poison") == HEARERS + 10, "the next one arrives", 30)
    assert critter.scalar("SELECT state FROM inbound WHERE id = :id", id=bad) == "quarantined"
    assert critter.scalar("SELECT count(*) FROM messages WHERE kind = 'answer' AND inbound_id = :id", id=bad) == 1
    critter.run("UPDATE inbound SET state = 'dropped' WHERE id = :id", id=bad)


def in_hand(critter: SingleProcesses, inbound: int) -> int | None:
    """Which attempt at it is going on; None once it is set aside."""
    state = "SELECT CASE state WHEN 'working' THEN attempt WHEN 'quarantined' THEN NULL ELSE 0 END FROM inbound"
    return critter.scalar(f"{state} WHERE id = :id", id=inbound)


def test_twenty_rolling_restarts_under_load(critter: SingleProcesses) -> None:
    """SIGTERM and a new one, each in turn: nothing is left to a lease, so nothing is in doubt or marked (R21, F35)."""
    rounds = int(os.environ.get("CRITTER_RESTARTS", "20"))
    doubtful = count(critter, "possible_duplicate OR state = 'unknown'")
    for number in range(rounds):
        post(critter, f"restart {number}")
        name = ("web", "mail", *WORKERS, "clock")[number % 7]
        assert critter.end(name) == 0, critter.log()[-3000:]
        critter.start(name)
    critter.wait(lambda: arrived(critter, f"restart {rounds - 1}") == HEARERS + 10, "the last one arrives", 60)
    critter.wait(critter.settled, "everything settled", 60)
    assert count(critter, "possible_duplicate OR state = 'unknown'") == doubtful


def test_what_was_taken_and_cut_off_is_found_and_never_sent_twice(critter: SingleProcesses) -> None:
    """R14: every fifth text is taken and its answer cut; half of those get no callback, and are found in the list."""
    before = len(critter.ledger())
    duplicates = count(critter, "possible_duplicate")
    critter.faults({"fault": "accept-then-cut", "every": 5}, {"fault": "callback-drop", "every": 2})
    for number in range(3):
        post(critter, f"cut off {number}")
    critter.wait(critter.settled, "everything settled", 60)
    cuts = [line for line in critter.ledger()[before:] if line.get("fault") == "accept-then-cut"]
    assert len(cuts) >= 3 * HEARERS // 5
    assert Counter(received(critter, before)).most_common(1)[0][1] == 1, "sent twice"
    assert count(critter, "possible_duplicate") == duplicates
    assert count(critter, "state = 'unknown'") == 0, "not resolved"


FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def waiting(client: redis.Redis) -> set[int]:
    """The process ids of the workers that have come to their queues."""
    return {int(client.hget(key, "pid") or 0) for key in client.smembers("rq:workers")}


@pytest.mark.skipif(not FAKETIME.exists(), reason="apt-get install faketime")
@pytest.mark.parametrize("off", ["+1h", "-1h"])
def test_workers_whose_clocks_are_wrong(critter: SingleProcesses, off: str) -> None:
    """Leases and waits go by the database's clock: nothing is sent twice, nobody starves (F12, R20)."""
    before = len(critter.ledger())
    environ = {**critter.environ, "LD_PRELOAD": str(FAKETIME), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    environ["CRITTER_UNSAFE"] = "on"
    log = (critter.var / "up.log").open("ab")
    wrong = [
        subprocess.Popen(
            [sys.executable, "-m", "critter", *words],
            cwd=ROOT, env=environ, stdout=log, stderr=log,
        )
        for words in (["worker", "sms"], ["worker", "inbound"], ["worker", "email"], ["clock"])
    ]  # fmt: skip
    try:
        with redis.Redis.from_url(critter.settings.redis_url) as client:
            critter.wait(lambda: {each.pid for each in wrong[:3]} <= waiting(client), "they start", 60)
        for number in range(5):
            post(critter, f"wrong by {off} {number}")
        critter.wait(lambda: arrived(critter, f"wrong by {off} 4") == HEARERS + 10, "they arrive", 30)
        for name in ("worker-sms", "worker-inbound", "worker-email", "clock"):
            assert critter.end(name) == 0
        post(critter, f"only wrong clocks {off}")
        critter.wait(lambda: arrived(critter, f"only wrong clocks {off}") == HEARERS + 10, "it arrives", 30)
        critter.wait(critter.settled, "everything settled", 30)
    finally:
        log.close()
        for each in wrong:
            each.terminate()
        ends = [each.wait(30) for each in wrong]
        for name in ("worker-sms", "worker-inbound", "worker-email", "clock"):
            critter.start(name)
    assert ends == [0] * 4
    assert Counter(received(critter, before)).most_common(1)[0][1] == 1, "sent twice"
