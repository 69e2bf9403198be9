"""How a drain is run by its name, and the loop that all of them share: look for rows until there are none, for half a
minute at most."""

import importlib
import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from gateway.queue.jobs import DRAINS
from workers.runtime.context import WorkerContext, current

log = structlog.get_logger()

TURN: Final = 30.0  # seconds; then the queue's other jobs have theirs


def drain(name: str, step: Callable[[WorkerContext], bool], turn: float = TURN) -> None:
    """Calls `step` until it finds nothing. Later rings are for rows that the first look may not see.
    A database that is away, or a lock that is not to be had, is tried again when the clock rings."""
    room = current()
    room.notifier.answered(name)
    end = time.monotonic() + turn
    try:
        while step(room):
            if room.stopping() or time.monotonic() >= end:
                room.notifier.notify(name)
                return
    except OperationalError as problem:
        log.warning("database is away", drain=name, problem=type(problem.orig).__name__)


def run(name: str) -> bool:
    """The drain of that name in our table. What it raises is logged, and the clock rings again; then it is False."""
    module, _, function = DRAINS[name][1].rpartition(".")
    try:
        getattr(importlib.import_module(module), function)()
    except Exception:
        log.exception("drain failed", drain=name)
        return False
    return True
