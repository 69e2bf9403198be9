"""A process that is kept running: it is started again with backoff whenever it ends, and each restart is reported."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Protocol

from gateway.errors import Refused

FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0  # a process that lived this long starts again at the first delay


class ChildProcess(Protocol):
    """A forked process or a subprocess.Popen; it leads a session and process group of its own."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def terminate(self) -> None: ...


Start = Callable[[], ChildProcess]


class SupervisedProcess:
    """A child process with a name; look() is called repeatedly and does what is due."""

    def __init__(self, name: str, start: Start, process: ChildProcess | None = None) -> None:
        self.name = name
        self.process = process
        self._start = start
        self._delay = FIRST_DELAY
        self._began = self._due = time.monotonic()

    def look(self, now: float) -> str | None:
        """Starts the process when that is due; returns a line to report when it has ended."""
        if self.process is None:
            return self._begin(now) if now >= self._due else None
        code = self.process.poll()
        return None if code is None else self._again(now, describe_end(code))

    def _begin(self, now: float) -> str | None:
        self._began = now
        try:
            self.process = self._start()
        except (OSError, Refused) as error:
            return self._again(now, f"did not start: {error}")
        return None

    def _again(self, now: float, reason: str) -> str:
        self.kill()  # its own children that are still running
        self.process = None
        if now - self._began >= STEADY_AFTER:
            self._delay = FIRST_DELAY
        self._due, delay = now + self._delay, self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        return f"{self.name} {reason}; it starts again in {delay:g} s"

    def ask_to_end(self) -> None:
        if self.running():
            assert self.process is not None
            self.process.terminate()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kills the process, and those of its own children that still run."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            if self.running():  # it had no time yet to lead a group
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()


def describe_end(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
