"""A transient database error does not count as a crash of the row that met it: workers give that row back and retry.

A statement that ran out of time, a lock or a deadlock may still be caused by the row itself, and may happen each time.
So from the third time on such a row waits longer and longer and is reported in the log; it holds up only what must come
after it, its sender's next inputs. A row that cannot even be given back, because the database is away, is given back
before its worker claims anything else, so that a lease which ran out meanwhile does not count as a crash.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.store.database import concerns_one, passes, transaction

AT_ONCE: Final = 2  # times that a row is given back without a pause
FIRST: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=5)
MOST: Final = 10_000  # rows that are remembered

log = structlog.get_logger()
GiveBack = Callable[[Session], object]


class TransientErrors:
    """How often each row met a transient error in this process, and which rows are still to be given back."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._owed: defaultdict[str, list[GiveBack]] = defaultdict(list)

    def pause(self, kind: str, row: int, problem: OperationalError) -> timedelta | None:
        """Returns how long this row waits while the others go on. None: the worker should stop, because the row is not
        the cause, or not known to be. Raises the problem again when it is not transient."""
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

    def give_back(self, engine: Engine, kind: str, work: GiveBack) -> None:
        """Gives rows back now, or remembers to do it later."""
        self._owed[kind].append(work)
        try:
            self.repay(engine, kind)
        except OperationalError as problem:
            log.warning("rows are given back later", kind=kind, problem=type(problem.orig).__name__)

    def repay(self, engine: Engine, kind: str) -> None:
        """Gives back what could not be given back before. Each row is fenced by its attempt, so rows that other workers
        have by now stay with them. A locked row does not hold up the others. Raises when the database is away."""
        owed = self._owed[kind]
        for work in list(owed):
            try:
                with transaction(engine) as session:
                    work(session)
            except OperationalError as problem:
                if not concerns_one(problem):
                    raise
            else:
                owed.remove(work)

    def over(self, kind: str, row: int) -> None:
        self._times.pop((kind, row), None)
