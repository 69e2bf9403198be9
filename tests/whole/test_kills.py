"""Real processes, real signals, in the middle of a fan-out: everything accepted arrives, once, in order."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gateway.settings import load
from tests.support.arrivals import Key, marked, received
from tests.support.examples import EVERY_PLACE
from tests.support.memory_folder import new_folder
from tests.support.running_critter import Company, company

# `make torture` plays it large
FOLLOWERS, RATE = (300, "120") if EVERY_PLACE else (120, "48")  # as fast for its size, so that kills find it at work
KIM = "+14155550199"
VICTIMS = ["worker-sms", "worker-email", "worker-fanout", "worker-inbound", "clock", "web", "mail"]

CROWD = """
WITH kim AS (
    INSERT INTO accounts (kind, handle, name) VALUES ('person', 'crowded', 'Crowded Kim') RETURNING id
), phone AS (
    INSERT INTO addresses (account_id, channel, address, is_primary) SELECT id, 'sms', :kim, true FROM kim
), people AS (
    INSERT INTO accounts (kind, handle, name)
    SELECT 'person', 'p' || n, 'Pretend ' || n FROM generate_series(1, :count) n RETURNING id, handle
), reached AS (
    INSERT INTO addresses (account_id, channel, address, is_primary)
    SELECT id, CASE WHEN id % 2 = 0 THEN 'sms' ELSE 'email' END,
           CASE WHEN id % 2 = 0 THEN '+1415556' || lpad(substr(handle, 2), 4, '0') ELSE handle || '@demo.example' END,
           true
    FROM people
)
INSERT INTO follows (follower_id, account_id, by_text) SELECT people.id, kim.id, true FROM people, kim
"""


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[Company]:
    """A company whose Kim has many followers, half by text and half by mail."""
    settings = {"CRITTER_LEASE_SECONDS": "3", "CRITTER_SMS_RATE": RATE, "CRITTER_ASK_PHONES": "1000000"}
    with company(new_folder(memory), **settings) as running:
        running.run(CROWD, kim=KIM, count=FOLLOWERS)
        yield running


def post_twice(critter: Company) -> None:
    """Two updates, so that their order can be seen."""
    for number in ("first", "second"):
        critter.text(KIM, f"the {number} of {time.monotonic()}")


def prove(critter: Company, before: int) -> None:
    """Two updates to all of them: each arrived, once unless marked, in order; and the books agree."""
    critter.wait(critter.settled, "everything settled")
    arrived = received(critter)[before:]
    assert len(set(arrived)) == 2 * FOLLOWERS
    twice = {key for key, count in Counter(arrived).items() if count > 1}
    assert twice <= marked(critter), "sent twice without a mark"
    _in_order(arrived)
    audit = critter.command("audit", "--settled", "0")
    assert audit.returncode == 0, audit.stdout + audit.stderr


def _in_order(arrived: list[Key]) -> None:
    """To each address, the first arrivals come in the order of the posts."""
    last: dict[int, int] = {}
    for message, address in dict.fromkeys(arrived):
        assert last.get(address, 0) < message, f"out of order at {address}"
        last[address] = message


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_in_the_middle(critter: Company, victim: str) -> None:
    before = len(received(critter))
    post_twice(critter)
    hits = 0
    for _ in range(3):
        hits += critter.kill(victim)
        time.sleep(0.7)
    prove(critter, before)
    print(f"{victim}: {hits} of 3 kills hit")
    assert hits, f"no kill of {victim} hit anything"


def test_redis_emptied(critter: Company) -> None:
    before = len(received(critter))
    post_twice(critter)
    for _ in range(3):
        redis.Redis.from_url(load(critter.environ).redis_url).flushall()
        time.sleep(0.4)
    prove(critter, before)


def test_redis_killed(critter: Company) -> None:
    before = len(received(critter))
    post_twice(critter)
    time.sleep(0.3)
    with redis.Redis.from_url(load(critter.environ).redis_url) as client:
        info = client.info("server")
        assert isinstance(info, dict)
        os.kill(info["process_id"], signal.SIGKILL)
    prove(critter, before)


def test_postgres_restarted(critter: Company) -> None:
    """An immediate stop, as in a crash; the supervisor starts it again."""
    before = len(received(critter))
    post_twice(critter)
    time.sleep(0.5)
    data = next(critter.var.glob("postgres-*"))
    subprocess.run(["kill", f"-{signal.SIGQUIT.name[3:]}", _first_line(data / "postmaster.pid")], check=True)
    prove(critter, before)


def _first_line(path: object) -> str:
    return open(str(path)).readline().strip()
