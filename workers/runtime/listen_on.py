"""Lets a worker listen for a while after a job, instead of waiting for the next one: it drains at once when woken.

So a steady stream of texts passes the queues without RQ's bookkeeping, which takes longer than everything else that is
done for one text. critter/processes/rq_worker calls `listen_while_idle`.
"""

import time
from typing import Final

from redis import Redis

from gateway.queue.worker_notifier import QueueListener
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import run

SILENCE: Final = 1.0  # seconds without a wake-up after which RQ's worker takes over again
LONGEST: Final = 10.0  # seconds; RQ's worker has to send its heartbeat from time to time
LOOK: Final = 0.25  # seconds between two looks for jobs that another process's wake-up or the clock made


def listen_while_idle(context: WorkerContext, queue: str, redis: Redis) -> None:
    """Listens and drains. Returns after a silence, when jobs wait, or when the process is told to end."""
    with QueueListener(redis, queue) as listener:
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and not listener.jobs() and _stretch(context, listener):
            pass
        _drain(listener.leave())


def _stretch(context: WorkerContext, listener: QueueListener) -> bool:
    """Drains for LOOK seconds; returns False when no wake-up came, when a drain failed, or when the process stops."""
    end = time.monotonic() + LOOK
    while time.monotonic() < end:
        names = listener.hear(SILENCE)
        if context.stopping() or not names or not _drain(names):
            return False
    return True


def _drain(names: set[str]) -> bool:
    """Runs the drains; returns False when one of them failed: the clock wakes a worker for it again."""
    return all(run(name) for name in sorted(names))
