"""P1: mails of 1 KB in, durable before 250, twenty sessions, against a Postfix that only queues."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import time

from bench import postfix
from bench.company import company
from bench.ports import free_port
from bench.result import Result

MAILS = 6000
ROUNDS = 3
SESSIONS = 20
OCTETS = 1024
PATH = "/usr/sbin:/usr/bin"


def measure() -> list[Result]:
    """Rounds take turns, so that a noisy moment hits both; the middle of the rounds counts."""
    if problem := missing():
        print(f"P1 mail in: {problem}")
        return []
    port = free_port()
    with company("mail", CRITTER_SMTP_LISTEN=f"127.0.0.1:{port}") as place, postfix.Postfix() as peer:
        place.wait(lambda: listens(port))
        results = [compare(port, peer.port, kept=kept) for kept in (True, False)]
        sent = 2 * ROUNDS * MAILS
        stored = place.scalar("SELECT count(*) FROM inbound")
        assert (stored, peer.held()) == (sent, sent), "a mail is missing"
    return results


def missing() -> str | None:
    if problem := postfix.missing():
        return problem
    return None if shutil.which("smtp-source", path=PATH) else "smtp-source is missing; it comes with Postfix"


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def compare(ours: int, theirs: int, *, kept: bool) -> Result:
    rounds = [(rate(ours, kept=kept), rate(theirs, kept=kept)) for _ in range(ROUNDS)]
    mine, alone = (statistics.median(column) for column in zip(*rounds, strict=True))
    how = "" if kept else ", a connection each"
    return Result(f"P1 mail in{how}", mine, "mails/s", "Postfix", alone, 3.0)


def rate(port: int, *, kept: bool) -> float:
    """Mails a second that smtp-source gets rid of; `kept`: each session sends all its mails over one connection."""
    command = ["smtp-source", "-s", str(SESSIONS), "-m", str(MAILS), "-l", str(OCTETS), *(["-d"] if kept else [])]
    command += ["-f", "kim@corp.example", "-t", "post@mail.example", "-M", "corp.example", f"127.0.0.1:{port}"]
    started = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "PATH": PATH})
    return MAILS / (time.perf_counter() - started)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
