"""A company to measure: durable embedded servers and Critter's own processes, without the simulator.

The end-to-end measurements start one; their stubs stand in for the carriers.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import Engine, text

import migrations
from bench.ports import free_port
from critter.servers import Servers
from gateway.settings import Settings, embedded, load
from gateway.store.database import claim_mode, connect, transaction

ROOT = Path(__file__).parent.parent
KIM = "+15558000000"  # who writes

OPEN = """
    SELECT EXISTS (SELECT FROM inbound WHERE state IN ('new', 'working'))
        OR EXISTS (SELECT FROM fanouts WHERE state = 'waiting')
        OR EXISTS (SELECT FROM deliveries WHERE ended_at IS NULL AND channel = :channel)
"""


@dataclass(frozen=True, slots=True)
class Company:
    """Its settings, its database and the folder where its processes log."""

    settings: Settings
    environ: dict[str, str]
    engine: Engine
    folder: Path
    children: list[int] = field(default_factory=list)  # process ids
    names: dict[int, str] = field(default_factory=dict)  # what each of them is: "worker sms"

    def scalar(self, statement: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def run(self, statement: str, **values: Any) -> None:
        """Also what fills a database, which takes minutes where others use the machine."""
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '15min'"))
            connection.execute(text(statement), values)

    def analyze(self) -> None:
        """Updates the planner's statistics, as autovacuum does. Only the owner may do this."""
        owner = connect(self.settings.database_owner_url)
        with owner.begin() as connection:
            connection.execute(text("ANALYZE"))
        owner.dispose()

    def settled(self, channel: str) -> bool:
        """Whether everything accepted was read, spread and sent over this channel, according to the tables."""
        return not self.scalar(OPEN, channel=channel)

    def wait(self, done: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise RuntimeError(f"still not done after {seconds:g} s; see {self.folder}")
            time.sleep(0.02)

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Runs `critter …` until the block ends."""
        with (self.folder / f"{'-'.join(command)}.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "critter", *command], cwd=ROOT, env=self.environ, stdout=log, stderr=log
            )
        self.children.append(child.pid)
        self.names[child.pid] = " ".join(command)
        try:
            yield child
        finally:
            self.children.remove(child.pid)
            child.terminate()
            child.wait(30)


Pooler = Callable[[Servers], AbstractContextManager[str]]  # returns the URL of a database behind it


@contextmanager
def company(*processes: str, pooler: Pooler | None = None, **settings: str) -> Iterator[Company]:
    """Starts a company with these processes of the Procfile: `web`, `worker email`, …"""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="critter-bench-")))
        servers = held.enter_context(Servers(folder))
        environ = {
            "CRITTER_VAR": str(folder),
            "CRITTER_DATABASE_URL": held.enter_context(pooler(servers)) if pooler else servers.database_url,
            "CRITTER_DATABASE_OWNER_URL": servers.owner_url,
            "CRITTER_REDIS_URL": servers.redis_url,
            "CRITTER_HOLD_SECONDS": "0",
            "CRITTER_ASK_PHONES": "1000000",
            "CRITTER_WEB_LISTEN": f"127.0.0.1:{free_port()}",
            **settings,
        }
        read = load(environ)
        engine = connect(read.database_url)
        held.callback(engine.dispose)
        owner = connect(read.database_owner_url)
        migrations.migrate(owner, role=embedded.ROLE)
        owner.dispose()
        with transaction(engine) as session:
            claim_mode(session, "simulated")
        made = Company(read, environ, engine, folder)
        for process in processes:
            held.enter_context(made.process(*process.split()))
        _wait_for_workers(made, sum(process.startswith("worker") for process in processes))
        yield made


def _wait_for_workers(made: Company, count: int) -> None:
    with Redis.from_url(made.settings.redis_url) as redis:
        made.wait(lambda: len(redis.smembers("rq:workers")) == count, 180)
