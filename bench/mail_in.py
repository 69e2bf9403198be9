"""P1 and P2: mails of 1 KB in, durable before 250, twenty sessions, against a Postfix that only queues, and against an
aiosmtpd as it comes that stores nothing."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Callable

from bench import bare_smtpd, postfix
from bench.company import company
from bench.ports import free_port
from bench.result import Result

MAILS = 6000
ROUNDS = 3
SESSIONS = 20
OCTETS = 1024
PATH = "/usr/sbin:/usr/bin"


def measure() -> list[Result]:
    """The rounds alternate, so that other load hits both; the median of the rounds counts."""
    if problem := missing():
        print(f"P1 mail in: {problem}")
        return []
    port = free_port()
    ours = company("mail", CRITTER_SMTP_LISTEN=f"127.0.0.1:{port}")
    with ours as place, postfix.Postfix() as peer, bare_smtpd.running() as bare:
        place.wait(lambda: listens(port) and listens(bare))
        results = [*kept(port, peer.port, bare), each(port, peer.port)]
        stored = place.scalar("SELECT count(*) FROM inbound")
        assert (stored, peer.held()) == (2 * ROUNDS * MAILS,) * 2, "a mail is missing"
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


def kept(ours: int, postfix: int, bare: int) -> list[Result]:
    """Each session sends all its mails over one connection."""
    mine, theirs, nothing = medians(lambda port: rate(port, kept=True), ours, postfix, bare)
    return [
        Result("P1 mail in", mine, "mails/s", "Postfix", theirs, 3.0),
        Result("P2 mail in", mine, "mails/s", "aiosmtpd that stores nothing", nothing, 0.6),
    ]


def each(ours: int, postfix: int) -> Result:
    mine, theirs = medians(lambda port: rate(port, kept=False), ours, postfix)
    return Result("P1 mail in, a connection each", mine, "mails/s", "Postfix", theirs, 3.0)


def medians(measured: Callable[[int], float], *ports: int) -> list[float]:
    rounds = [[measured(port) for port in ports] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def rate(port: int, *, kept: bool) -> float:
    """Mails a second that smtp-source delivers; `kept`: each session sends all its mails over one connection."""
    command = ["smtp-source", "-s", str(SESSIONS), "-m", str(MAILS), "-l", str(OCTETS), *(["-d"] if kept else [])]
    command += ["-f", "kim@corp.example", "-t", "post@mail.example", "-M", "corp.example", f"127.0.0.1:{port}"]
    started = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "PATH": PATH})
    return MAILS / (time.perf_counter() - started)


if __name__ == "__main__":
    for result in measure():
        print(result.row())
