"""Places where a process can be told to end as if it had been killed; tests try each of them, in each process.

CRITTER_CRASH_AT=n ends a process the first time it reaches its n-th place. There are places around commits, sends and
the waking of workers. A place gets its number when a process of that kind first reaches it, and keeps the number in a
file of the state folder. So the order of threads does not matter, and whoever tries 1, 2, 3 … until none is hit has
tried them all. When nothing is armed, a place costs one comparison. Only simulated mode may arm them
(gateway/settings).
"""

import mmap
import os
import sys
import threading
from pathlib import Path
from typing import Final

KILLED: Final = 9  # exit code
NAMELESS: Final = (
    "contextlib",
    "gateway.queue.worker_notifier",
    "gateway.store.database",
    "gateway.store.direct",
    __name__,
)


class _Trap:
    """Ends one process once. It belongs to that process and to those that it forks: gunicorn starts a new worker in
    place of the one that ended, and the new one must live. So memory that they share records whether it has sprung."""

    def __init__(self, at: int, numbers: Path) -> None:
        self._at, self._numbers = at, numbers
        self._places = numbers.read_text().splitlines() if numbers.exists() else []
        self._turn = threading.Lock()
        self._sprung = mmap.mmap(-1, 1)

    def meet(self, place: str) -> None:
        with self._turn:
            if self._sprung[0]:
                return
            if place not in self._places:
                self._places.append(place)
                with self._numbers.open("a") as file:
                    file.write(f"{place}\n")
            if self._places.index(place) == self._at - 1:
                self._sprung[0] = 1
                os.write(2, f"crash point {self._at}: {place}\n".encode())
                os._exit(KILLED)


_trap: _Trap | None = None


def arm(at: int, var: Path, process: str) -> None:
    """Sets the place that ends this process; 0: none. Called once when a process of that name starts, with
    CRITTER_CRASH_AT."""
    global _trap
    _trap = _Trap(at, var / f"crash-points-{process}") if at else None


def crash_point(what: str) -> None:
    """Marks a place where the process may be told to end. `what` has just happened, or is about to."""
    if _trap is not None:
        _trap.meet(f"{_where()}: {what}")


def _where() -> str:
    """Names a place after the line that called it; modules that many callers share (NAMELESS) are skipped."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"] in NAMELESS:
        frame = frame.f_back
    return f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}:{frame.f_lineno}"
