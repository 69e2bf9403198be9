"""Places where a process can be told to end as if it had been killed; tests try each of them, in each process.

CRITTER_CRASH_AT=n ends a process the first time it comes by its n-th place. Places stand around commits, sends and
rings. A place is numbered when a process of that kind first comes by it, and keeps its number in a file of the state
folder: threads may take turns as they like, and trying 1, 2, 3 … until none is hit has tried them all. Not armed, a
place costs one comparison. Simulated mode alone may arm them (gateway/settings).
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
    __name__,
)


class _Trap:
    """Of one process and those that it forks: gunicorn starts a new worker for the one that ended, and that one must
    live. So whether it has sprung is remembered in memory that they share."""

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
    """Called once when a process of that name starts, with CRITTER_CRASH_AT; 0 is never."""
    global _trap
    _trap = _Trap(at, var / f"crash-points-{process}") if at else None


def crash_point(what: str) -> None:
    """A place where the process may be told to end. `what` has just happened, or is about to."""
    if _trap is not None:
        _trap.meet(f"{_where()}: {what}")


def _where() -> str:
    """The line that a place is named after: the caller of whatever is shared."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"] in NAMELESS:
        frame = frame.f_back
    return f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}:{frame.f_lineno}"
