"""A restore that is killed at every crash point of it (F43): nothing is ever sent, and the next one succeeds.

After each kill all processes are started on whatever is there. The database before stands as it was until the one that
is restored has its name, and then under another.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from critter.backup import erasure_log
from critter.servers import Servers
from critter.servers.postgres import SUPERUSER
from gateway.failpoints import KILLED
from gateway.settings import embedded, load
from gateway.store.database import connect
from tests.support import personas
from tests.support.arrivals import ACCEPTED
from tests.support.databases import migrate, owned
from tests.support.examples import EVERY_PLACE
from tests.support.memory_folder import new_folder
from tests.support.office import Office, point_command_line
from tests.support.rights import prove_two_roles
from tests.support.single_processes import SingleProcesses, single_processes

LIVE = "live"
WORDS = (b"a picture of Kim's", b"a picture of somebody who was erased")
PICTURE, ERASED = (hashlib.sha256(content).hexdigest() for content in WORDS)
FIRED = re.compile(r"^crash point \d+: (.*)$", re.MULTILINE)
PROCESSES = ("worker-inbound", "worker-fanout", "worker-sms", "worker-email", "clock")
LIVES = 1.2  # seconds that they run after each kill
STEP = 1 if EVERY_PLACE else 17  # `make torture` tries every place

# What the database before is known by: everything in it that a restore could change.
FINGERPRINT = """
    SELECT md5(string_agg(row::text, ',' ORDER BY row::text)) FROM (
        SELECT id, handle, name FROM accounts UNION ALL SELECT id, state, sender FROM inbound
        UNION ALL SELECT number, action, encode(hash, 'hex') FROM audit) AS row
"""
OPEN = """
    SELECT (SELECT count(*) FROM inbound WHERE state IN ('unproved', 'new', 'working'))
         + (SELECT count(*) FROM fanouts WHERE state = 'waiting' AND not_before < '2999-01-01')
         + (SELECT count(*) FROM deliveries WHERE ended_at IS NULL)
         + (SELECT count(*) FROM accounts WHERE handle = 'pat')
"""
HELD = """
    SELECT (SELECT count(*) FROM inbound WHERE state = 'held'), (SELECT count(*) FROM fanouts WHERE state = 'waiting'),
           (SELECT count(*) FROM deliveries WHERE reason = 'restored'),
           (SELECT count(*) FROM audit WHERE action = 'restore')
"""


class Restores:
    """A server with the database before, a backup of another one, and processes that are started on what is there."""

    def __init__(self, critter: SingleProcesses, servers: Servers, backup: Path, before: str) -> None:
        self.critter, self.servers, self.backup, self.before = critter, servers, backup, before

    def sql(self, database: str, statement: str, user: str = embedded.OWNER) -> Any:
        url = embedded.database_url(self.servers.var, database, user)
        with psycopg.connect(url, autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def ours(self) -> set[str]:
        return {name for (name,) in self.sql("postgres", f"SELECT datname FROM pg_database WHERE datname ~ '^{LIVE}'")}

    def reset(self, template: str) -> None:
        for name in self.ours():
            self.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")
        self.sql("postgres", f"CREATE DATABASE {LIVE} OWNER {embedded.OWNER} TEMPLATE {template}", SUPERUSER)
        for folder in self.critter.var.glob("media*"):
            shutil.rmtree(folder)

    def run(self, *options: str, at: int = 0) -> int | None:
        environ = {**self.critter.environ, "CRITTER_CRASH_AT": str(at)}
        child = self.critter.fork_server.command(
            ["restore", str(self.backup), *options], environ, self.critter.var / "up.log"
        )
        return child.wait(60)

    def is_marked(self, database: str) -> bool:
        return bool(self.sql(database, "SELECT to_regclass('public.restoring') IS NOT NULL")[0][0])

    def prove_nothing_is_sent(self) -> None:
        sent = self.sent()
        children = [self.critter.start(name) for name in PROCESSES]
        time.sleep(LIVES)
        for child in children:
            child.kill()
        assert self.sent() == sent, "something was sent"

    def sent(self) -> int:
        return sum(line["kind"] in ACCEPTED for line in self.critter.ledger())

    def prove_harmless(self) -> None:
        """Each database is marked, or the one before as it was, or whole and held."""
        for name in self.ours():
            if not self.is_marked(name) and self.sql(name, "SELECT to_regclass('accounts')")[0][0]:
                before = self.sql(name, FINGERPRINT)[0][0] == self.before
                assert before or self.sql(name, OPEN)[0][0] == 0, f"{name} is neither as before nor held"

    def prove_whole(self) -> None:
        assert not self.is_marked(LIVE)
        prove_two_roles(embedded.database_url(self.servers.var, LIVE))
        assert self.sql(LIVE, OPEN)[0][0] == 0
        assert self.sql(LIVE, HELD) == [(1, 1, 1, 1)]
        assert self.picture(PICTURE).read_bytes() == WORDS[0]
        assert not self.picture(ERASED).exists()

    def picture(self, name: str) -> Path:
        return self.critter.var / "media" / name[:2] / name


@pytest.fixture(scope="module")
def restores(memory: Path) -> Iterator[Restores]:
    var = new_folder(memory)
    with Servers(var, unsafe=True) as servers:
        with psycopg.connect(embedded.database_url(var, "postgres", embedded.OWNER), autocommit=True) as admin:
            for name in ("source", "before", "nothing", LIVE):
                admin.execute(f"CREATE DATABASE {name}")
        with single_processes(var, servers, embedded.database_url(var, LIVE), "simulator") as critter:
            critter.engine.dispose()
            made = Restores(critter, servers, var / "backup.tar", "")
            _make_backup(made)
            _make_before(made)
            made.before = made.sql("before", FINGERPRINT)[0][0]
            yield made


def _make_backup(made: Restores) -> None:
    """Of a company where a text of Sam's was not read, Kim's update not spread, and an answer to Pat not sent."""
    office = _office(made, "source")
    pictured = [office.says("kim", "a hundred people hear this"), office.says("pat", "follow kim")]
    office.read()
    office.says("sam", "good morning")
    for inbound, name, content in zip(pictured, (PICTURE, ERASED), WORDS, strict=True):
        office.sql(
            "INSERT INTO media (inbound_id, number, name, content_type, state, size, sha256) VALUES"
            " (:id, 1, 'a.jpg', 'image/jpeg', 'fetched', :size, decode(:name, 'hex'))",
            id=inbound,
            name=name,
            size=len(content),
        )
        made.picture(name).parent.mkdir(parents=True, exist_ok=True)
        made.picture(name).write_bytes(content)
    [[erased]] = office.sql("SELECT id FROM accounts WHERE handle = 'pat'")
    office.engine.dispose()
    url = embedded.database_url(made.servers.var, "source")
    environ = {**made.critter.environ, "CRITTER_DATABASE_URL": url, "CRITTER_DATABASE_OWNER_URL": owned(url)}
    child = made.critter.fork_server.command(["backup", str(made.backup)], environ, made.critter.var / "up.log")
    assert child.wait(60) == 0, made.critter.log()
    erasure_log.remember(made.critter.var, int(str(erased)))


def _make_before(made: Restores) -> None:
    office = _office(made, "before")
    with pytest.MonkeyPatch.context() as patch:
        point_command_line(patch, office.settings)
        added = office.critter("people", "add", "olga", "Olga Before")
    assert added.exit_code == 0, added.output
    office.work()
    office.engine.dispose()


def _office(made: Restores, database: str) -> Office:
    url = embedded.database_url(made.servers.var, database)
    migrate(url)
    settings = load({**made.critter.environ, "CRITTER_DATABASE_URL": url, "CRITTER_DATABASE_OWNER_URL": owned(url)})
    office = Office(connect(url, keys=settings.secret_keys), settings)
    office.assemble()
    assert personas.PEOPLE
    return office


WAYS = {
    "replaced": ("before", ("--replace",)),
    "empty": ("nothing", ()),
    "in place": ("nothing", ("--in-place",)),
}


@pytest.mark.timeout(10_800 if EVERY_PLACE else 120)
@pytest.mark.parametrize("way", WAYS)
def test_killed_at_every_place(restores: Restores, way: str) -> None:
    template, options = WAYS[way]
    places: list[str] = []
    (restores.critter.var / "crash-points-restore").unlink(missing_ok=True)
    for number in count(1, STEP):
        restores.reset(template)
        logged = len(restores.critter.log())
        code = restores.run(*options, at=number)
        log = restores.critter.log()[logged:]
        if not (fired := FIRED.search(log)):
            assert code == 0, log
            break
        assert code == KILLED, log
        places.append(fired[1])
        restores.prove_harmless()
        restores.prove_nothing_is_sent()
        again = restores.run(*options)
        assert again == 0, f"{fired[1]}: {restores.critter.log()[logged:]}"
        restores.prove_whole()
        restores.prove_nothing_is_sent()
        kept = restores.ours() - {LIVE}
        if template == "before":
            [name] = kept
            assert restores.sql(name, FINGERPRINT)[0][0] == restores.before
        else:
            assert not kept
    print(f"{way}: {len(places)} crash points fired", *places, sep="\n  ")
    assert len(places) * STEP > 10
    assert len(set(places)) == len(places)
