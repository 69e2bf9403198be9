"""Passes results of other threads to an event loop: many in one wake-up, because each wake-up costs a system call."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

Done = Callable[[Exception | None], None]

log = logging.getLogger(__name__)


class LoopCallbacks:
    """It belongs to one loop; any thread may call `bring`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended: deque[tuple[Done, Exception | None]] = deque()
        self._coming = False

    def bring(self, done: Done, error: Exception | None) -> None:
        self._ended.append((done, error))
        if self._coming:
            return
        self._coming = True
        try:
            self._loop.call_soon_threadsafe(self._arrive)
        except RuntimeError:
            log.warning("a row ended after its door was closed")

    def _arrive(self) -> None:
        self._coming = False  # before the rest: what is brought from now on may not be seen below
        while self._ended:
            done, error = self._ended.popleft()
            done(error)


class CommitCallback:
    """The ticket for a row that is handed to a commit queue (gateway/ledger/commit/group_commit): `done` is called in
    the loop with the error that kept the row from being stored, or None."""

    __slots__ = ("_done", "_home")

    def __init__(self, home: LoopCallbacks, done: Done) -> None:
        self._home = home
        self._done = done

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: None) -> None:
        self._home.bring(self._done, None)

    def set_exception(self, error: Exception) -> None:
        self._home.bring(self._done, error)
