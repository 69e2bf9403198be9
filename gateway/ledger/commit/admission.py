"""Admission: whether this process may take something in now. Doors ask it for each input; the process's heartbeat
opens and closes it.

`critter drain` must be able to say that nothing comes in any more. So an input is counted from the moment it is let in
until it is stored or refused, and a process confirms that it is closed only when the count is zero. A process that has
lost contact with the database closes by itself: to everybody else it looks dead, and a drain does not wait for it.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

LOST: Final = 25.0  # seconds since the last heartbeat; less than metrics_snapshot.ALIVE, when it counts as dead
STEP: Final = 0.01  # seconds between two checks whether all is stored


class Closed(Exception):
    """Nothing is taken in for a while, because `critter drain` asked for it: the other side tries again later."""


def _since_boot() -> float:
    """Seconds since the machine started, on a clock that also runs while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Admission:
    """The admission of one process. Any thread may use it."""

    def __init__(
        self,
        stored: Callable[[], bool] = lambda: True,
        *,
        needs_contact: bool = False,
        clock: Callable[[], float] = _since_boot,
    ) -> None:
        """`stored`: whether nothing waits elsewhere in this process, for example in a spool. `needs_contact`: closed
        before the first heartbeat and when heartbeats have failed for too long. The fallback door does not set it,
        because it exists for the time when the database is away."""
        self._stored, self._needs_contact, self._clock = stored, needs_contact, clock
        self._lock = threading.Lock()
        self._inside = 0
        self._closed_for = float("-inf")  # closed until this moment, on our clock
        self._heard_at = float("-inf")
        self._until: datetime | None = None  # the same moment on the database's clock

    def enter(self) -> bool:
        """Lets one input in; False when closed. The caller calls `leave` when the input is stored or refused."""
        with self._lock:
            if self._is_closed():
                return False
            self._inside += 1
            return True

    def hold(self) -> None:
        """Counts one more thing to wait for, which belongs to an input that was let in already."""
        with self._lock:
            self._inside += 1

    def leave(self, count: int = 1) -> None:
        with self._lock:
            self._inside -= count

    def is_closed(self) -> bool:
        with self._lock:
            return self._is_closed()

    def is_drained(self) -> bool:
        """Whether it is closed because somebody asked for it."""
        with self._lock:
            return self._clock() < self._closed_for

    def _is_closed(self) -> bool:
        now = self._clock()
        return now < self._closed_for or (self._needs_contact and now - self._heard_at > LOST)

    def hear(self, until: datetime | None, seconds: float = 0.0) -> None:
        """Takes over what the database said just now: closed until then, which is `seconds` from now; None: open."""
        with self._lock:
            self._heard_at = self._clock()
            self._until = until
            self._closed_for = self._heard_at + seconds if until else float("-inf")

    def confirmed(self) -> datetime | None:
        """Until when it is certain that nothing comes in and all that came before is stored; None when it is not
        certain."""
        with self._lock:
            closed = self._until is not None and self._clock() < self._closed_for and not self._inside
            return self._until if closed and self._stored() else None

    def wait_until_confirmed(self, timeout: float, ended: threading.Event) -> bool:
        """True as soon as it can be confirmed; False when it is open, or that takes longer."""
        end = time.monotonic() + timeout
        while self.confirmed() is None:
            if not self.is_closed() or time.monotonic() >= end or ended.wait(STEP):
                return False
        return True
