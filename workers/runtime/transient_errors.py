"""Trouble of the database that passes is no crash of the row that met it: workers give that row back and try again.

A statement that ran out of time, a lock, a deadlock may be the row's own doing all the same, and may come again each
time. So from the third time on such a row waits longer and longer, is told of in the log, and keeps only what must come
after it waiting: its sender's next ones. What cannot even be given back, because the database is away, is owed: its
worker gives it back before it claims anything else, so that the lease which ran out meanwhile counts as no crash.
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

AT_ONCE: Final = 2  # times that a row is simply given back
FIRST: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=5)
MOST: Final = 10_000  # rows that are remembered

log = structlog.get_logger()
GiveBack = Callable[[Session], object]


class TransientErrors:
    """How often each row met such trouble in this process, and what of it is still to be given back."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._owed: defaultdict[str, list[GiveBack]] = defaultdict(list)

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

    def give_back(self, engine: Engine, kind: str, work: GiveBack) -> None:
        """Does it now, or owes it."""
        self._owed[kind].append(work)
        try:
            self.repay(engine, kind)
        except OperationalError as problem:
            log.warning("rows are given back later", kind=kind, problem=type(problem.orig).__name__)

    def repay(self, engine: Engine, kind: str) -> None:
        """Gives back what was owed; each is fenced by its attempt, so that what others have by now stays with them. One
        row that is locked keeps nobody waiting. Raises when the database is away."""
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
