"""Who answers on a Unix socket, and how a process of an earlier, crashed run is waited for."""

import contextlib
import os
import signal
import socket
import struct
import time
from pathlib import Path

from gateway.errors import Refused

PATIENCE = 15.0  # seconds for a server that is still shutting down


def listener(path: Path) -> int | None:
    """The process that listens there, 0 when the system does not tell who, None when nobody does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except (TimeoutError, BlockingIOError):
            return 0
        if not hasattr(socket, "SO_PEERCRED"):
            return 0
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])


def wait_for_end(path: Path, patience: float = PATIENCE) -> None:
    """Returns when nobody listens there any more; one that does not end by itself is killed, being ours."""
    deadline = time.monotonic() + patience
    killed = False
    while (pid := listener(path)) is not None:
        if time.monotonic() > deadline:
            if killed or not pid:
                raise Refused(f"Another server still answers on {path}: end it first")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed, deadline = True, time.monotonic() + patience
        time.sleep(0.05)
    path.unlink(missing_ok=True)
