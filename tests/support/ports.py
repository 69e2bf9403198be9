"""Ports for the servers that a test starts.

They lie below the range from which the kernel takes the ports of outgoing connections, so that no other test's
connection can take one between the look and the start. Each test process has its own share of them, and goes round in
it: a port comes again long after its test is over.
"""

import os
import random
import socket
import time
from collections.abc import Iterator
from itertools import cycle

FIRST, LAST, SHARES = 10_000, 32_000, 8


def _share() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    ports = range(FIRST + worker, LAST, SHARES)
    start = random.randrange(len(ports))  # another run of the tests may go on beside this one
    return cycle([*ports[start:], *ports[:start]])


_ports = _share()


def free_port() -> int:
    """A port of this machine that nobody listens on, and that this process has not given for a long time."""
    return next(port for port in _ports if _is_free(port))


def wait_for_port(port: int, seconds: float = 10.0) -> None:
    """Until nobody listens on it any more: what is killed lives on for a moment."""
    deadline = time.monotonic() + seconds
    while not _is_free(port):
        assert time.monotonic() < deadline, f"somebody still listens on port {port}"
        time.sleep(0.02)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
