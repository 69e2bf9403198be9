"""Notifies workers of what was stored, in a thread of its own: the thread that stores must not wait while a worker is
woken. group_commit uses it."""

import logging
import threading
from collections.abc import Callable

BREATH = 0.005  # seconds between two notifications; when commits follow each other closely, one is enough for several

log = logging.getLogger(__name__)


class CommitNotifier:
    """One thread that calls `tell`: at once for the first `owe`, and once for all that follow within a BREATH."""

    def __init__(self, name: str, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._owed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def owe(self) -> None:
        self._owed.set()

    def close(self) -> None:
        """Notifies once more if that is owed, then ends."""
        self._closed.set()
        self._owed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._owed.wait()
            self._settle()
            self._closed.wait(BREATH)
        if self._owed.is_set():
            self._settle()

    def _settle(self) -> None:
        self._owed.clear()
        try:
            self._tell()
        except Exception:
            log.exception("rows are stored, but nobody was told")  # the clock will wake a worker
