"""Each place where a process can be told to crash, while updates wait for readers in quiet hours and then come in a
digest: holding, waking up, making the digest, sending it, and following it (F2). Whatever happens, each reader gets
each update once, or twice and marked, and the books agree."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from critter.servers import Servers
from gateway.failpoints import KILLED
from gateway.ledger.audit import invariants
from gateway.store.database import transaction
from tests.support.arrivals import received
from tests.support.delivering import open_context
from tests.support.examples import EVERY_PLACE
from tests.support.memory_folder import new_folder
from tests.support.single_processes import SingleProcesses, crowd, single_processes
from tests.whole.test_crashes import FIRED, HURRY, KIM, SETTLED, texted
from workers.runtime.context import WorkerContext
from workers.upkeep import scheduler
from workers.upkeep.lease_sweeper import sweep

READERS = (2, 2)  # by text, by mail
SLEEP = "UPDATE addresses SET quiet = :quiet, quiet_since = now() WHERE account_id IN (SELECT follower_id FROM follows)"
AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting'"
WAIT = "SELECT count(*) FROM held WHERE state = 'waiting'"
ENDED = "SELECT NOT EXISTS (SELECT FROM held WHERE state IN ('waiting', 'folded'))"
ITEMS = """
    SELECT d.message_id, d.address_id, h.digest_id, d.reason,
           d.possible_duplicate OR coalesce(digest.possible_duplicate, false) AS marked
    FROM posts p JOIN messages m ON m.post_id = p.id JOIN deliveries d ON d.message_id = m.id
    LEFT JOIN held h ON h.message_id = d.message_id AND h.address_id = d.address_id
    LEFT JOIN deliveries digest ON digest.message_id = h.digest_id
    WHERE p.text LIKE :words
"""
STEPS = {"worker-sms": 11, "worker-email": 11, "worker-fanout": 3}  # `make torture` tries every place


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[SingleProcesses]:
    var = new_folder(memory)
    with Servers(var, unsafe=True) as servers, single_processes(var, servers, servers.database_url) as running:
        crowd(running, "kim", KIM, *READERS)
        yield running


@pytest.fixture(scope="module")
def context(critter: SingleProcesses) -> Iterator[WorkerContext]:
    context = open_context(critter.settings)
    yield context
    context.close()


def hours() -> str:
    """Quiet hours around now, as the database has them."""
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=3), now + timedelta(hours=3)
    return f"mo,tu,we,th,fr,sa,su {begin:%H:%M}-{end:%H:%M}"


class Night:
    """One process, crashed at one place: two updates come while everybody sleeps."""

    def __init__(self, critter: SingleProcesses, context: WorkerContext, name: str, number: int) -> None:
        self.critter, self.context, self.name, self.number = critter, context, name, number
        self.lines, self.logged = len(critter.ledger()), len(critter.log())
        self.words = f"{name} {number} while you sleep"

    def run(self) -> str | None:
        """The place where it crashed, or None: it met fewer."""
        self.critter.run(SLEEP, quiet=hours())
        self.critter.end(self.name)
        child = self.critter.start(self.name, CRITTER_CRASH_AT=str(self.number))
        self.owner = f"%:{child.pid}:%"
        for which in ("one", "two"):
            self.until(lambda which=which: texted(self.critter, KIM, f"{self.words} {which}"))
        self.until(lambda: self.critter.scalar(WAIT) == 2 * sum(READERS))
        self.critter.run(AWAKE)
        self.critter.run(DUE)
        self.until(lambda: bool(self.critter.scalar(ENDED)) and bool(self.critter.scalar(SETTLED)))
        self.prove()
        return self.fired()

    def fired(self) -> str | None:
        found = FIRED.search(self.critter.log()[self.logged :])
        return found[1] if found else None

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 40
        while not true():
            assert time.monotonic() < end, f"{self.name} at {self.number}: it never came\n{self.critter.log()[-5000:]}"
            self.revive()
            time.sleep(0.05)

    def revive(self) -> None:
        child = self.critter.children[self.name]
        if child.poll() is not None:
            assert child.code == KILLED, self.critter.log()[-3000:]
            self.critter.start(self.name)
            self.critter.run(HURRY[0], owner=self.owner)
            self.critter.run(HURRY[1], owner=self.owner)
        if self.fired():
            self.critter.run(HURRY[2])
            sweep(self.context)
            scheduler.look(self.context)

    def prove(self) -> None:
        arrived = Counter(received(self.critter, self.lines))
        with self.critter.engine.connect() as connection:
            items = connection.execute(text(ITEMS), {"words": f"%{self.words}%"}).all()
        assert len(items) == 2 * sum(READERS)
        for one in items:
            came = arrived[one.message_id, one.address_id] + arrived[one.digest_id, one.address_id]
            assert came >= 1, f"{one} never came"
            assert came == 1 or one.marked, f"{one} came {came} times without a mark"
        with transaction(self.critter.engine) as session:
            proof = invariants.prove(session, timedelta(0))
        assert proof.clean, proof.broken


@pytest.mark.timeout(3_600 if EVERY_PLACE else 400)
@pytest.mark.parametrize("name", STEPS)
def test_a_crash_at_every_place_while_updates_wait(critter: SingleProcesses, context: WorkerContext, name: str) -> None:
    places: list[str] = []
    for number in count(1, 1 if EVERY_PLACE else STEPS[name]):
        if not (place := Night(critter, context, name, number).run()):
            break
        places.append(place)
    print(f"{name}: {len(places)} crash points fired", *places, sep="\n  ")
    assert places, f"{name} met no crash point"
    assert len(set(places)) == len(places)
    if name == "worker-fanout":
        assert any("wake_up" in place for place in places), places
