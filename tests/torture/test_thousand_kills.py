"""kill -9, a thousand times, at random, while texts come in: nothing accepted is lost, nothing goes out twice unmarked.

CRITTER_TORTURE_KILLS and CRITTER_TORTURE_SEED change how many and which; both are printed.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from critter.servers import Servers
from gateway.settings import load
from gateway.store.database import claim_mode, connect, transaction
from tests.support.databases import migrate
from tests.support.running_critter import ROOT, Company, ports
from tests.whole.test_kills import CROWD, KIM, marked, received

KILLS = int(os.environ.get("CRITTER_TORTURE_KILLS", "1000"))
SEED = int(os.environ.get("CRITTER_TORTURE_SEED", str(random.randrange(10**6))))
FOLLOWERS = 40
VICTIMS = ("web", "mail", "worker-inbound", "worker-fanout", "worker-sms", "worker-email", "clock")


class SingleProcesses:
    """Every process but the servers and the simulator, each started again as soon as it was killed."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._environ = environ
        self._log = log.open("wb")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        words = name.replace("worker-", "worker ").split()
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "critter", *words], cwd=ROOT, env=self._environ, stdout=self._log, stderr=self._log
        )

    def kill(self, name: str) -> bool:
        """True when it was alive and is now killed; it is started again either way."""
        victim = self.processes[name]
        alive = victim.poll() is None
        victim.kill()
        victim.wait()
        self.start(name)
        return alive

    def stop(self) -> None:
        for running in self.processes.values():
            running.terminate()
        for running in self.processes.values():
            running.wait(timeout=30)


class Feed(threading.Thread):
    """Texts from Kim, one after the other, until told to end; remembers those that were accepted."""

    def __init__(self, critter: Company) -> None:
        super().__init__(daemon=True)
        self._critter = critter
        self.accepted: list[str] = []
        self.end = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.end.wait(0.5):
            number += 1
            body = f"update {number} at {time.monotonic()}"
            if self._critter.text(KIM, body):
                self.accepted.append(body)


@contextmanager
def single_processes(var: Path) -> Iterator[tuple[Company, SingleProcesses]]:
    web, smtp, simulator = ports(3)
    environ = {
        "PATH": os.environ["PATH"],
        "CRITTER_VAR": str(var),
        "CRITTER_WEB_LISTEN": f"127.0.0.1:{web}",
        "CRITTER_SMTP_LISTEN": f"127.0.0.1:{smtp}",
        "CRITTER_SIMULATOR_LISTEN": f"127.0.0.1:{simulator}",
        "CRITTER_LEASE_SECONDS": "3",
    }
    with Servers(var):
        engine = connect(load(environ).database_url)
        migrate(load(environ).database_url)
        with transaction(engine) as session:
            claim_mode(session, "simulated")
            session.execute(text(CROWD), {"kim": KIM, "count": FOLLOWERS})
        running = SingleProcesses(environ, var / "up.log")
        for name in (*VICTIMS, "simulator"):
            running.start(name)
        critter = Company(var, environ, running.processes["simulator"], engine, f"http://127.0.0.1:{simulator}")
        try:
            critter.wait(lambda: critter.text(KIM, "ready?"), "the doors open", 60)
            yield critter, running
        finally:
            running.stop()
            engine.dispose()


def test_nothing_is_lost_nothing_goes_out_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"\nseed {SEED}, {KILLS} kills")
    with single_processes(tmp_path) as (critter, running):
        feed = Feed(critter)
        feed.start()
        hits: Counter[str] = Counter()
        for number in range(1, KILLS + 1):
            time.sleep(chance.uniform(0.05, 0.5))
            victim = chance.choice(VICTIMS)
            hits[victim] += running.kill(victim)
            if number % 50 == 0:
                print(f"{number} kills, {len(feed.accepted)} texts accepted", flush=True)
        feed.end.set()
        feed.join()
        print("hits:", dict(hits))
        assert sum(hits.values()) > KILLS / 2
        critter.wait(critter.settled, "everything settled", 300)
        _prove(critter, feed.accepted)


def _prove(critter: Company, accepted: list[str]) -> None:
    with critter.engine.connect() as connection:
        posted = Counter(connection.scalars(text("SELECT text FROM posts")))
    assert all(posted[body] == 1 for body in accepted), "an accepted text is lost, or was posted twice"
    arrived = Counter(received(critter))
    expected = critter.scalar("SELECT count(*) FROM posts") * FOLLOWERS
    assert len(arrived) == expected, "a copy is lost"
    twice = {key for key, count in arrived.items() if count > 1}
    print(f"{len(accepted)} texts, {expected} copies, {len(twice)} went out twice, {len(marked(critter))} marked so")
    assert twice <= marked(critter)
    audit = critter.command("audit", "--settled", "0")
    assert audit.returncode == 0, audit.stdout + audit.stderr
