"""A whole Critter without its supervisor: every process by itself, to be killed, frozen and started one by one."""

import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from critter.servers import Servers
from gateway.settings import Settings, load
from gateway.store.database import claim_mode, connect, transaction
from tests.support.databases import migrate, owned
from tests.support.fork_server import Child, ForkServer, shared
from tests.support.running_critter import Company, ports

WORKERS = ("worker-inbound", "worker-proving", "worker-fanout", "worker-sms", "worker-email")
CRITTERS = ("web", "mail", *WORKERS, "clock")


class SingleProcesses(Company):
    """The processes by name, each started again only when the test says so."""

    fork_server: ForkServer
    settings: Settings
    children: dict[str, Child]

    def start(self, name: str, limits: dict[str, int] | None = None, **settings: str) -> Child:
        """`name` may carry a number behind a colon: worker-sms:2 is another worker-sms."""
        environ = {**self.environ, **settings}
        child = self.fork_server.start(name.partition(":")[0], environ, self.var / "up.log", limits)
        self.children[name] = child
        return child

    @property
    def web(self) -> str:
        host, port = self.settings.web_listen
        return f"http://{host}:{port}"

    def faults(self, *wanted: dict[str, object]) -> None:
        """The simulator's switches, and no others than these."""
        body = json.dumps(wanted).encode()
        request = urllib.request.Request(f"{self.simulator}/faults", body, method="PUT")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def pid(self, name: str) -> int:
        return self.children[name].pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> bool:
        """kill -9 and a new one in its place; whether it was alive."""
        child = self.children[name]
        hit = child.kill() if number == signal.SIGKILL else child.send(number)
        if number == signal.SIGKILL:
            self.start(name)
        self.kills[name] += hit
        return hit

    def end(self, name: str) -> int | None:
        """SIGTERM; its exit code."""
        return self.children.pop(name).end()

    def listening(self, ports: list[int]) -> None:
        """Returns when somebody listens on each of them."""
        for port in ports:
            self.wait(lambda port=port: socket.create_connection(("127.0.0.1", port), 1).close() is None, f"{port}", 30)

    def stop(self) -> None:
        for child in self.children.values():
            child.send(signal.SIGCONT)
            child.send(signal.SIGTERM)
        for child in self.children.values():
            if child.wait(30) is None:
                child.kill()


@contextmanager
def single_processes(
    var: Path, servers: Servers, database: str, *start: str, **settings: str
) -> Iterator[SingleProcesses]:
    """These processes, on servers that run already and a database that is migrated already."""
    web, smtp, simulator = ports(3)
    environ = {
        "PATH": os.environ["PATH"],
        "CRITTER_VAR": str(var),
        "CRITTER_DATABASE_URL": database,
        "CRITTER_DATABASE_OWNER_URL": owned(database),
        "CRITTER_REDIS_URL": servers.redis_url,
        "CRITTER_WEB_LISTEN": f"127.0.0.1:{web}",
        "CRITTER_SMTP_LISTEN": f"127.0.0.1:{smtp}",
        "CRITTER_SIMULATOR_LISTEN": f"127.0.0.1:{simulator}",
        **settings,
    }
    var.mkdir(parents=True, exist_ok=True)
    (var / "up.log").touch()
    migrate(database)
    engine = connect(database)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    # nobody is `critter up` here, so there is no process of that name
    found = SingleProcesses(var, environ, None, engine, f"http://127.0.0.1:{simulator}")  # type: ignore[arg-type]
    found.fork_server, found.settings, found.children = shared(), load(environ), {}
    try:
        for name in start or ("simulator", *CRITTERS):
            found.start(name)
        found.listening([port for port, name in ((web, "web"), (smtp, "mail")) if name in found.children])
        if "simulator" in found.children:
            found.listening([simulator])
        yield found
    finally:
        found.stop()
        engine.dispose()


def crowd(single_processes: SingleProcesses, handle: str, phone: str, texts: int, mails: int) -> list[int]:
    """An author with a phone and a mailbox, and that many followers by text and by mail; the addresses that hear."""
    values = {
        "handle": handle,
        "phone": phone,
        "mailbox": f"{handle}@demo.example",
        "texts": texts,
        "all": texts + mails,
    }
    with single_processes.engine.begin() as connection:
        connection.execute(text(CROWD), values)
        return list(connection.scalars(text(HEARERS), {"handle": handle}))


CROWD = """
WITH author AS (
    INSERT INTO accounts (kind, handle, name) VALUES ('person', :handle, initcap(:handle)) RETURNING id
), own AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, channel, address, true, now()
    FROM author, (VALUES ('sms', CAST(:phone AS text)), ('email', :mailbox)) AS at (channel, address)
), people AS (
    INSERT INTO accounts (kind, handle, name)
    SELECT 'person', :handle || 's' || n, 'Pretend ' || n FROM generate_series(1, :all) n RETURNING id, handle
), numbered AS (
    SELECT id, handle, row_number() OVER (ORDER BY id) AS n FROM people
), reached AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, CASE WHEN n <= :texts THEN 'sms' ELSE 'email' END,
           CASE WHEN n <= :texts THEN '+1' || right(CAST(:phone AS text), 10)::bigint + n * 1000
                ELSE handle || '@demo.example' END, true, now()
    FROM numbered
)
INSERT INTO follows (follower_id, account_id, by_text) SELECT people.id, author.id, true FROM people, author
"""

HEARERS = """
    SELECT addresses.id FROM addresses JOIN follows ON follows.follower_id = addresses.account_id
    JOIN accounts author ON author.id = follows.account_id AND author.handle = :handle
"""
