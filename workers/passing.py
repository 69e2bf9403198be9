"""Trouble of the database that passes is no crash of the row that met it: workers give that row back and try again.

A statement that ran out of time, a lock, a deadlock may be the row's own doing all the same, and may come again each
time. So from the third time on such a row waits longer and longer, is told of in the log, and keeps no other waiting.
"""

from collections import OrderedDict
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from gateway.store.database import concerns_one, passes

AT_ONCE: Final = 2  # times that a row is simply given back
FIRST: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=5)
MOST: Final = 10_000  # rows that are remembered

log = structlog.get_logger()


class Passing:
    """How often each row met such trouble in this process."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, int], int] = OrderedDict()

    def pause(self, kind: str, row: int, problem: OperationalError) -> timedelta | None:
        """How long this row waits while the others go on; None: the worker should stop, as the trouble is not its own,
        or not known to be. Raises the problem again when it is none that passes."""
        if not passes(problem):
            raise problem
        if not concerns_one(problem):
            return None
        times = self._times.pop((kind, row), 0) + 1
        self._times[kind, row] = times
        if len(self._times) > MOST:
            self._times.popitem(last=False)
        if times <= AT_ONCE:
            return None
        pause: timedelta = min(LONGEST, FIRST * 2 ** min(times - AT_ONCE - 1, 10))
        state = getattr(problem.orig, "sqlstate", None)
        log.error("a row meets the same trouble again and again", kind=kind, row=row, times=times, sqlstate=state)
        return pause

    def over(self, kind: str, row: int) -> None:
        self._times.pop((kind, row), None)
