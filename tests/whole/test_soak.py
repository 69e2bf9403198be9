"""Everything at once, at random, under load; then quiet, and the books must agree (F33).

CRITTER_SOAK_SECONDS says how long (`make soak`: half an hour), CRITTER_SOAK_SEED repeats one; both are printed.
"""

import os
import random
import signal
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from critter.servers import Servers
from gateway.ledger.inbox import inbox
from gateway.settings import embedded
from gateway.store.database import transaction
from tests.support.arrivals import compare
from tests.support.single_processes import CRITTERS, WORKERS, SingleProcesses, crowd, single_processes

SECONDS = float(os.environ.get("CRITTER_SOAK_SECONDS", "8"))
LONG = 60  # seconds in which everybody gets something in
SEED = int(os.environ.get("CRITTER_SOAK_SEED", str(random.randrange(10**6))))
SETTINGS = {"CRITTER_LEASE_SECONDS": "2", "CRITTER_ASK_PHONES": "1000"}
MOST_WAITING = 2_000  # deliveries
QUIET = 180.0  # seconds until all of it must be settled

AUTHORS = {"kim": ("+14155550101", 6, 6), "sam": ("+14155550102", 6, 6), "big": ("+14155550103", 70, 70)}

# What the carriers do while a fault is on; each list is one switchboard.
WEATHER: list[list[dict[str, object]]] = [
    [],
    [{"fault": "429", "share": 0.2}, {"fault": "500", "share": 0.05}, {"fault": "503", "share": 0.05}],
    [{"fault": "500", "share": 0.1, "accepted": True}, {"fault": "cut-before", "share": 0.1}],
    [
        {"fault": "accept-then-cut", "share": 0.1},
        {"fault": "half-body", "share": 0.05},
        {"fault": "garbage", "share": 0.05},
    ],
    [{"fault": "callback-drop", "share": 0.3}, {"fault": "callback-double", "share": 0.3}],
    [{"fault": "callback-reverse"}, {"fault": "delay", "share": 0.1, "seconds": 0.5, "after": True}],
    [{"fault": "webhook-drop", "share": 0.3}, {"fault": "webhook-repeat", "share": 0.3, "n": 2, "together": True}],
    [{"fault": "smtp-4xx", "share": 0.1}, {"fault": "smtp-cut-before-dot", "share": 0.1}],
    [{"fault": "smtp-cut-after-dot", "share": 0.1}, {"fault": "500", "on": "list", "share": 0.5}],
]


class Feed(threading.Thread):
    """One author's updates, one after the other until told to end; remembers which were accepted."""

    def __init__(self, say: Callable[[str], bool], name: str, pause: float, crowded: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self._say, self._name, self._pause, self._crowded = say, name, pause, crowded
        self.said: list[str] = []
        self.accepted: list[str] = []
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.wait(self._pause):
            if self._crowded():
                continue
            words = f"{self._name} says number {len(self.said)}"
            self.said.append(words)
            try:
                if self._say(words):
                    self.accepted.append(words)
            except OSError:
                continue


def crowded(critter: SingleProcesses) -> bool:
    """So much waits already that a long soak would only pile up more: in such weather a phone hears a few texts a
    second."""
    try:
        return int(critter.scalar("SELECT count(*) FROM deliveries WHERE ended_at IS NULL")) > MOST_WAITING
    except OperationalError:
        return False


class Chaos:
    """What can go wrong, one thing at a time; its own dice."""

    def __init__(self, critter: SingleProcesses, servers: Servers, seed: int) -> None:
        self._critter, self._servers = critter, servers
        self._dice = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._frozen: list[tuple[float, int]] = []

    def go_on(self, seconds: float) -> None:
        kinds = {
            self.kill: 8, self.replace: 4, self.freeze: 4, self.weather: 4, self.flush_redis: 2, self.kill_redis: 1,
            self.freeze_redis: 1, self.stop_postgres: 1, self.cut_connections: 2, self.lock: 2,
        }  # fmt: skip
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind = self._dice.choices(list(kinds), list(kinds.values()))[0]
            kind()
            self.done[kind.__name__] += 1
            time.sleep(self._dice.uniform(0.05, 0.7))
            self._thaw(time.monotonic())
        self._thaw(float("inf"))
        self._critter.faults()

    def kill(self) -> None:
        self._critter.kill(self._dice.choice(CRITTERS))

    def replace(self) -> None:
        """As a new version is brought out: SIGTERM, and another one."""
        name = self._dice.choice(CRITTERS)
        code = self._critter.children[name]
        if code.pid not in {pid for _, pid in self._frozen}:
            assert self._critter.end(name) in (0, -signal.SIGTERM), self._critter.log()[-3000:]
            self._critter.start(name)

    def freeze(self) -> None:
        """Often for longer than a lease."""
        child = self._critter.children[self._dice.choice((*WORKERS, "clock"))]
        child.send(signal.SIGSTOP)
        self._frozen.append((time.monotonic() + self._dice.uniform(0.5, 5.0), child.pid))

    def _thaw(self, now: float) -> None:
        for until, pid in list(self._frozen):
            if until <= now:
                self._frozen.remove((until, pid))
                for child in self._critter.children.values():
                    if child.pid == pid:
                        child.send(signal.SIGCONT)

    def weather(self) -> None:
        self._critter.faults(*self._dice.choice(WEATHER))

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self._servers.redis_url, socket_timeout=5) as client:
            client.flushall()

    def kill_redis(self) -> None:
        server = self._servers.redis
        server.process.kill()
        server.process.wait()
        time.sleep(self._dice.uniform(0.0, 1.0))
        server.start()
        server.wait_ready()

    def freeze_redis(self) -> None:
        self._servers.redis.process.send_signal(signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.2, 2.0))
        self._servers.redis.process.send_signal(signal.SIGCONT)

    def stop_postgres(self) -> None:
        server = self._servers.postgres
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait()
        time.sleep(self._dice.uniform(0.0, 1.0))
        server.start()
        server.wait_ready()

    def cut_connections(self) -> None:
        self._administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'critter'")

    def lock(self) -> None:
        """As a careless operator does. One who has to wait for a frozen worker lets go of it."""
        table = self._dice.choice(("deliveries", "inbound", "attempts", "callbacks", "fanouts"))
        with suppress(psycopg.errors.LockNotAvailable):
            self._administer(f"SET lock_timeout = '1s'; LOCK TABLE {table}; SELECT pg_sleep(1)")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(embedded.database_url(self._servers.var)) as connection:
            connection.execute(statement)


@contextmanager
def fed(critter: SingleProcesses) -> Iterator[list[Feed]]:
    full = partial(crowded, critter)
    feeds = [
        Feed(lambda words: critter.text(AUTHORS["kim"][0], words), "kim", 0.3, full),
        Feed(lambda words: critter.text(AUTHORS["sam"][0], words), "sam", 0.2, full),
        Feed(lambda words: critter.text(AUTHORS["big"][0], words), "big", 3.0, full),
        Feed(lambda words: mailed(critter, "kim", words), "kim by mail", 0.4, full),
    ]
    for feed in feeds:
        feed.start()
    yield feeds
    for feed in feeds:
        feed.end.set()
    for feed in feeds:
        feed.join(60)


def mailed(critter: SingleProcesses, handle: str, words: str) -> bool:
    mailbox = f"{handle}@demo.example"
    name = words.replace(" ", ".")
    mail = f"From: {mailbox}\r\nTo: post@mail.example\r\nMessage-ID: <{name}@demo.example>\r\n\r\n{words}\r\n"
    try:
        with smtplib.SMTP(*critter.settings.smtp_listen, local_hostname="relay.example", timeout=30) as smtp:
            return smtp.sendmail(mailbox, ["post@mail.example"], mail) == {}
    except smtplib.SMTPException:
        return False


def come_to_rest(critter: SingleProcesses) -> int:
    """Waits until all is settled. The hours and minutes of the retry schedule are proved elsewhere: here they are over
    at once. What was set aside after three crashes is approved, as an operator would; how much that was."""
    end = time.monotonic() + QUIET
    aside = 0
    while time.monotonic() < end:
        time.sleep(0.5)
        try:
            with transaction(critter.engine) as session:
                rows = session.scalars(text("SELECT id FROM inbound WHERE state = 'quarantined'")).all()
                aside += inbox.decide_held(session, rows, "new") if rows else 0
            critter.run("UPDATE deliveries SET not_before = now() WHERE state = 'retry' AND not_before > now()")
            critter.run("UPDATE fanouts SET not_before = now() WHERE state = 'waiting' AND not_before > now()")
            if critter.settled() and not critter.scalar("SELECT count(*) FROM callbacks WHERE applied_at IS NULL"):
                return aside
        except OperationalError:
            continue
    left = critter.scalar("SELECT json_agg(d) FROM (SELECT * FROM deliveries WHERE ended_at IS NULL LIMIT 5) d")
    raise AssertionError(f"not at rest after {QUIET:g} s: {left}\n{critter.log()[-4000:]}")


@pytest.mark.timeout(2 * SECONDS + 300)
def test_everything_at_once(tmp_path: Path) -> None:
    print(f"\nseed {SEED}, {SECONDS:g} s")
    with Servers(tmp_path) as servers, single_processes(tmp_path, servers, servers.database_url, **SETTINGS) as critter:
        hearers = {name: len(crowd(critter, name, *of)) for name, of in AUTHORS.items()}
        chaos = Chaos(critter, servers, SEED)
        with fed(critter) as feeds:
            chaos.go_on(SECONDS)
        print("done:", dict(chaos.done), "kills:", dict(critter.kills))
        aside = come_to_rest(critter)
        print("said:", {feed._name: (len(feed.said), len(feed.accepted)) for feed in feeds}, "set aside:", aside)
        prove(critter, feeds, hearers)


def prove(critter: SingleProcesses, feeds: list[Feed], hearers: dict[str, int]) -> None:
    with critter.engine.connect() as connection:
        posted = Counter(connection.scalars(text("SELECT text FROM posts")))
        copies = connection.execute(text(COPIES)).all()
    for feed in feeds:
        lost = [words for words in feed.accepted if posted[words] != 1]
        assert not lost, f"accepted, and lost or posted twice: {[(words, posted[words]) for words in lost]}"
        assert all(posted[words] <= 1 for words in feed.said)
    wrote = {words.split()[0] for words in posted}  # in a short run, every text of one may have met a closed door
    assert {row.handle for row in copies} == wrote <= set(hearers)
    assert wrote
    assert SECONDS < LONG or wrote == set(hearers)
    assert all(row.least == row.most == hearers[row.handle] for row in copies), copies
    print("ledger:", dict(compare(critter)))
    audit = critter.command("audit", "--settled", "0")
    for _ in range(2):  # Twilio's list may still bring what no door took: that comes to rest, too
        if audit.returncode:
            come_to_rest(critter)
            audit = critter.command("audit", "--settled", "0")
    assert audit.returncode == 0, audit.stdout + audit.stderr


COPIES = """
    SELECT handle, min(count) AS least, max(count) AS most FROM (
        SELECT a.handle, m.id, count(d.address_id) AS count FROM messages m JOIN accounts a ON a.id = m.author_id
        LEFT JOIN deliveries d ON d.message_id = m.id WHERE m.kind = 'update' GROUP BY 1, 2) counted
    GROUP BY handle
"""
