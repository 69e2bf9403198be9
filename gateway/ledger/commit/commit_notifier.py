"""Tells of what was stored, beside the thread that stores, which must not wait while a bell is rung. For `together`."""

import logging
import threading
from collections.abc import Callable

BREATH = 0.005  # seconds between two tellings; while one commit follows the other, nobody need hear of each

log = logging.getLogger(__name__)


class CommitNotifier:
    """One thread. A first `owe` is told at once; those within a BREATH of it are told together."""

    def __init__(self, name: str, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._owed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def owe(self) -> None:
        self._owed.set()

    def close(self) -> None:
        """Tells what is owed, then ends."""
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
            log.exception("rows are stored, but nobody was told")  # the sweeper will
