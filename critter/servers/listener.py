"""Which process listens on a Unix socket, and how to wait for a process of an earlier run that crashed."""

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
    """The process id of the listener, 0 when the system does not tell it, None when nobody listens."""
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
    """Returns when nobody listens there any more; a process that does not end by itself is killed, because it is
    ours."""
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
