"""Every place where a process can be told to crash, one after the other, in each process (F2).

CRITTER_CRASH_AT is 1, 2, 3 … until a process meets no further place. After each crash it is started again, and a text
and a mail that were accepted meanwhile have one effect each, reach everybody once, and the books agree.
"""

import re
import smtplib
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from critter.servers import Servers
from gateway.failpoints import KILLED
from gateway.ledger.audit import invariants
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.mail import secret_addresses
from gateway.network.people import accounts
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.support import web_process
from tests.support.arrivals import marked, received
from tests.support.delivering import open_context
from tests.support.examples import EVERY_PLACE
from tests.support.memory_folder import new_folder
from tests.support.single_processes import CRITTERS, SingleProcesses, crowd, single_processes
from workers.runtime.context import WorkerContext
from workers.upkeep import scheduler
from workers.upkeep.lease_sweeper import sweep

KIM, KIMS = "+14155550101", (2, 2)
BIG, BIGS = "+14155550102", (52, 52)  # the first hundred hear from worker-inbound, the others from worker-fanout
HANDLES = {KIM: "kim", BIG: "big"}
FIRED = re.compile(r"^crash point \d+: (.*)$", re.MULTILINE)
CUT_OFF = f"+1{int(KIM[2:]) + 1000}"  # Kim's first follower: the carrier takes her text and never says so

SETTINGS = {"CRITTER_ASK_PHONES": "1000"}
CUTS = ({"fault": "accept-then-cut", "for": CUT_OFF, "times": 1}, {"fault": "callback-drop", "for": CUT_OFF})

SETTLED = """
    SELECT NOT EXISTS (SELECT FROM inbound WHERE state IN ('unproved', 'new', 'working'))
       AND NOT EXISTS (SELECT FROM fanouts WHERE state = 'waiting')
       AND NOT EXISTS (SELECT FROM deliveries WHERE ended_at IS NULL)
       AND NOT EXISTS (SELECT FROM callbacks WHERE applied_at IS NULL)
"""
CALLED_BACK = """
    SELECT NOT EXISTS (SELECT FROM deliveries d JOIN addresses a ON a.id = d.address_id
                       WHERE d.channel = 'sms' AND d.state = 'sent' AND a.address <> :cut)
"""
# What a lost worker held, and what is in doubt, need not be waited for here: how long is not what is tried.
HURRY = (
    "UPDATE inbound SET lease_until = now() WHERE state IN ('unproved', 'working') AND lease_owner LIKE :owner",
    "UPDATE deliveries SET lease_until = now() WHERE state = 'sending' AND lease_owner LIKE :owner",
    "UPDATE deliveries SET not_before = now() WHERE state = 'unknown' AND ended_at IS NULL AND not_before > now()",
)


# A text that has ended three workers, and one that has ended one; both leases are over.
LEAVE = """
    INSERT INTO inbound (channel, natural_key, sender, recipients, text, trusted, state, attempt, lease_until)
    SELECT 'sms', CAST(gen_random_uuid() AS text)::bytea, :sender, '{}', 'left behind ' || attempt, true, 'working',
           attempt, now() - interval '1 second' FROM (VALUES (3), (1)) AS row (attempt) RETURNING id
"""
CAME_OF_IT = """
    SELECT (SELECT count(*) FROM messages WHERE inbound_id = :id) + (SELECT count(*) FROM posts WHERE inbound_id = :id)
"""


def leave_behind(critter: SingleProcesses) -> list[int]:
    with critter.engine.begin() as connection:
        return list(connection.scalars(text(LEAVE), {"sender": KIM}))


def texted(critter: SingleProcesses, author: str, words: str) -> bool:
    """Whether the web hook took it. Asked again it is the same text."""
    form = web_process.text(critter.settings, zlib.crc32(words.encode()), From=author, Body=words)
    try:
        return web_process.send(critter.web, critter.settings, "/sms/inbound", form).status_code == 200
    except requests.RequestException:
        return False


def mailed(critter: SingleProcesses, author: str, words: str) -> bool:
    mailbox = f"{HANDLES[author]}@demo.example"
    mail = f"From: {mailbox}\r\nTo: post@mail.example\r\nMessage-ID: <{words.replace(' ', '.')}@x>\r\n\r\n{words}\r\n"
    try:
        with smtplib.SMTP(*critter.settings.smtp_listen, local_hostname="relay.example", timeout=10) as smtp:
            smtp.sendmail(mailbox, ["post@mail.example"], mail)
    except (smtplib.SMTPException, OSError):
        return False
    return True


def unproved(critter: SingleProcesses, author: str, words: str) -> bool:
    """A mail that nothing proved at the door, to its writer's secret address; as often as asked it is the same one."""
    mailbox = f"{HANDLES[author]}@demo.example"
    raw = f"Return-Path: <{mailbox}>\r\nFrom: {mailbox}\r\nSubject: hi\r\n\r\n{words}\r\n".encode()
    with transaction(critter.engine) as session:
        person = accounts.by_handle(session, HANDLES[author])
        assert person
        secret = secret_addresses.secret(session, Signer(critter.settings.secret_keys), person.id)
        mail = Incoming("email", words.encode(), mailbox, (f"post+{secret}@mail.example",), raw, trusted=False)
        inbox.accept(session, inbox.hash_key(session), [mail])
    return True


class Trial:
    """One process, crashed at one place after the other."""

    def __init__(self, critter: SingleProcesses, context: WorkerContext, name: str, number: int) -> None:
        self.critter, self.context, self.name, self.number = critter, context, name, number
        self.lines = len(critter.ledger())
        self.logged = len(critter.log())
        self.owner = ""

    def fired(self) -> str | None:
        found = FIRED.search(self.critter.log()[self.logged :])
        return found[1] if found else None

    def run(self, hearers: dict[str, set[int]]) -> str | None:
        """The place where it crashed, or None: it met fewer."""
        author = BIG if self.name == "worker-fanout" else KIM
        self.critter.end(self.name)
        self.critter.faults(*(CUTS if self.name == "worker-sms" else ()))
        left = leave_behind(self.critter) if self.name == "clock" else []
        child = self.critter.start(self.name, CRITTER_CRASH_AT=str(self.number))
        self.owner = f"%:{child.pid}:%"
        words = [f"{self.name} {self.number} by text", f"{self.name} {self.number} by mail"]
        self.insist(lambda: texted(self.critter, author, words[0]))
        by_mail = unproved if self.name == "worker-proving" else mailed
        self.insist(lambda: by_mail(self.critter, author, words[1]))
        self.await_end()
        self.prove(words, hearers[author])
        for each in left:
            assert self.critter.scalar(CAME_OF_IT, id=each) == 1, "neither read again nor answered"
        return self.fired()

    def insist(self, accepted: Callable[[], bool]) -> None:
        """As carriers and mail servers do: again until it is accepted."""
        self.until(accepted, 20)

    def await_end(self) -> None:
        self.until(lambda: bool(self.critter.scalar(SETTLED)), 30)
        end = time.monotonic() + (1.5 if self.name in ("web", "worker-sms") else 0.0)
        while not self.fired() and not self.critter.scalar(CALLED_BACK, cut=CUT_OFF) and time.monotonic() < end:
            time.sleep(0.02)
        self.critter.children[self.name].wait(0.2)  # a last ring
        self.until(lambda: bool(self.critter.scalar(SETTLED)), 30)

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"{self.name} at {self.number}: it never came\n{self.critter.log()[-5000:]}"
            self.revive()
            time.sleep(0.02)

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

    def prove(self, words: list[str], hearers: set[int]) -> None:
        for each in words:
            posts = self.critter.scalar("SELECT count(*) FROM posts WHERE text LIKE :words", words=f"%{each}%")
            assert posts == 1, f"{each!r} made {posts} posts"
        arrived = received(self.critter, self.lines)
        assert hearers <= {address for _, address in arrived}
        twice = {key for key in arrived if arrived.count(key) > 1}
        assert twice <= marked(self.critter), "sent twice without a mark"
        with transaction(self.critter.engine) as session:
            proof = invariants.prove(session, timedelta(0))
        assert proof.clean, proof.broken


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[SingleProcesses]:
    var = new_folder(memory)
    with (
        Servers(var, unsafe=True) as servers,
        single_processes(var, servers, servers.database_url, **SETTINGS) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def context(critter: SingleProcesses) -> Iterator[WorkerContext]:
    context = open_context(critter.settings)
    yield context
    context.close()


@pytest.fixture(scope="module")
def hearers(critter: SingleProcesses) -> dict[str, set[int]]:
    return {KIM: set(crowd(critter, "kim", KIM, *KIMS)), BIG: set(crowd(critter, "big", BIG, *BIGS))}


STEPS = {
    "clock": 19,
    "worker-sms": 13,
    "worker-email": 11,
    "worker-fanout": 9,
    "worker-inbound": 9,
    "worker-proving": 9,
    "web": 11,
    "mail": 5,
}  # these take minutes: `make torture` tries every place


@pytest.mark.timeout(10_800 if EVERY_PLACE else 300)
@pytest.mark.parametrize("name", CRITTERS)
def test_a_crash_at_every_place(
    critter: SingleProcesses, context: WorkerContext, hearers: dict[str, set[int]], name: str
) -> None:
    places: list[str] = []
    began = time.monotonic()
    step = 1 if EVERY_PLACE else STEPS.get(name, 1)
    for number in count(1, step):
        if not (place := Trial(critter, context, name, number).run(hearers)):
            break
        places.append(place)
    print(f"{name}: {len(places)} crash points fired in {time.monotonic() - began:.0f} s", *places, sep="\n  ")
    assert places, f"{name} met no crash point"
    assert len(set(places)) == len(places)
