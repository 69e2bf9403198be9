"""Postfix's own load generator against its own sink, both in C and with no database: the peer of P6."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.ports import free_port

SESSIONS: Final = 20
LENGTH: Final = 2500  # octets, like one of our mails


def missing() -> str | None:
    """What to do before it can run, in one line; None when nothing is missing."""
    found = all(shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("smtp-source", "smtp-sink"))
    return None if found else "smtp-source is not installed: apt-get install --no-install-recommends postfix (as root)"


@contextmanager
def sink() -> Iterator[int]:
    """The port of a sink that keeps nothing."""
    port = free_port()
    user = ["-u", "postfix"] if os.geteuid() == 0 else []
    process = subprocess.Popen(["/usr/sbin/smtp-sink", *user, f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def rate(port: int, mails: int) -> float:
    """Mails a second over kept connections."""
    command = ["/usr/sbin/smtp-source", "-d", "-s", str(SESSIONS), "-m", str(mails), "-l", str(LENGTH)]
    started = time.monotonic()
    people = ["-f", "kim@mail.example", "-t", "p@corp.example"]
    subprocess.run([*command, *people, f"127.0.0.1:{port}"], check=True, timeout=60)
    return mails / (time.monotonic() - started)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("smtp-sink never listened")
