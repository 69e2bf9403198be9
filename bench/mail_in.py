"""P1: mails of 1 KB in, durable before 250, twenty sessions, against a Postfix that only queues."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

import migrations
from bench import postfix
from bench.ports import free_port
from bench.result import Result
from critter.servers import Servers
from gateway.settings import Settings, load
from gateway.store.database import claim_mode, connect, transaction

MAILS = 6000
ROUNDS = 3
SESSIONS = 20
OCTETS = 1024
SERVE = """
import sys
from critter.app import serve_mail
from gateway.settings import load
serve_mail(load(dict(each.split("=", 1) for each in sys.argv[1:])))
"""


def load_with(port: int, *, kept: bool) -> float:
    """Mails a second that smtp-source gets rid of; `kept`: each session sends all its mails over one connection."""
    command = ["smtp-source", "-s", str(SESSIONS), "-m", str(MAILS), "-l", str(OCTETS), *(["-d"] if kept else [])]
    command += ["-f", "kim@corp.example", "-t", "post@mail.example", "-M", "corp.example", f"127.0.0.1:{port}"]
    started = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "PATH": f"/usr/sbin:{os.environ['PATH']}"})
    return MAILS / (time.perf_counter() - started)


@contextmanager
def critter() -> Iterator[tuple[int, Callable[[], int]]]:
    """Our mail door as a process, before an embedded PostgreSQL that keeps its word: (port, how many mails it has)."""
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        environ = {
            "CRITTER_VAR": folder,
            "CRITTER_DATABASE_URL": servers.database_url,
            "CRITTER_REDIS_URL": servers.redis_url,
            "CRITTER_SMTP_LISTEN": f"127.0.0.1:{free_port()}",
        }
        settings = load(environ)
        engine = connect(settings.database_url)
        migrations.migrate(engine)
        with transaction(engine) as session:
            claim_mode(session, "simulated")

        def count() -> int:
            with transaction(engine) as session:
                return int(session.scalar(text("SELECT count(*) FROM inbound")) or 0)

        arguments = [f"{name}={value}" for name, value in environ.items()]
        child = subprocess.Popen([sys.executable, "-c", SERVE, *arguments])
        try:
            wait(settings)
            yield settings.smtp_listen[1], count
        finally:
            child.terminate()
            child.wait(30)
            engine.dispose()


def wait(settings: Settings) -> None:
    for _ in range(200):
        try:
            socket.create_connection(settings.smtp_listen, 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the mail door never opened")


def measure() -> list[Result]:
    """Rounds take turns, so that a noisy moment hits both; the middle of the rounds counts."""
    if problem := postfix.missing():
        print(f"P1 mail in: {problem}")
        return []
    if shutil.which("smtp-source", path="/usr/sbin:/usr/bin") is None:
        print("P1 mail in: smtp-source is missing; it comes with Postfix")
        return []
    with critter() as (port, count), postfix.Postfix() as peer:
        results = [compare(port, peer.port, kept=kept) for kept in (False, True)]
        sent = 2 * ROUNDS * MAILS
        assert (count(), peer.held()) == (sent, sent), "a mail is missing"
    return results


def compare(ours: int, theirs: int, *, kept: bool) -> Result:
    rounds = [(load_with(ours, kept=kept), load_with(theirs, kept=kept)) for _ in range(ROUNDS)]
    mine, alone = (statistics.median(column) for column in zip(*rounds, strict=True))
    how = "connections kept" if kept else "a connection each"
    return Result(f"P1 mail in, {how}", mine, "mails/s", "Postfix", alone, 3.0)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
