"""Ports for the servers that a test starts.

They lie below the range from which the kernel takes the ports of outgoing connections, so that no other test's
connection can take one between the look and the start. Each test process has its own share of them.
"""

import os
import random
import socket

FIRST, LAST, SHARES = 10_000, 32_000, 8
_given: set[int] = set()


def free_port() -> int:
    """A port of this machine that nobody listens on, and that this process never gave before."""
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    while True:
        port = random.randrange(FIRST + share, LAST, SHARES)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
