"""Runs a drain by its name, and has the loop that all drains share: look for rows until there are none, for half a
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

TURN: Final = 30.0  # seconds; then it is the turn of the queue's other jobs


def drain(name: str, step: Callable[[WorkerContext], bool], seconds: float = TURN) -> None:
    """Calls `step` until it finds nothing. When the database is away, or a lock cannot be had, the clock wakes a worker
    to try again."""
    context = current()
    end = time.monotonic() + seconds
    try:
        while step(context):
            if context.stopping() or time.monotonic() >= end:
                context.notifier.notify(name)
                return
    except OperationalError as problem:
        log.warning("database is away", drain=name, problem=type(problem.orig).__name__)


def run(name: str) -> bool:
    """Runs the drain of that name in our table. What it raises is logged and the answer is False; the clock wakes a
    worker for it again."""
    module, _, function = DRAINS[name][1].rpartition(".")
    try:
        getattr(importlib.import_module(module), function)()
    except Exception:
        log.exception("drain failed", drain=name)
        return False
    return True
